"""The rights that docs/reference/cli.md lists are those that the commands use: none missing, none superfluous."""

import re
import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from dynamodb_opensearch.cli.app import app
from dynamodb_opensearch.cli.commands import repair, verify
from terraform.calls import ACCOUNT, REGION, Call, recorded, table_arn
from terraform.world import World
from typer.testing import CliRunner

from scripts.cli_docs import PAGE

DOMAIN = f"arn:aws:es:{REGION}:{ACCOUNT}:domain/search"
ENVIRONMENT = {"OPENSEARCH_ENDPOINT": "https://search.example.com", "TABLE_NAME": "products", "INDEX": "products"}
DEFINITION = """{
  "mappings": {"properties": {"added": {"type": "keyword"}}},
  "settings": {"index.refresh_interval": "5s"},
  "aliases": {"other": {}}
}"""
# Row of the page -> command, one after the other on the same table.
ON_AN_INDEX = {
    "`index create`": "index create --yes",
    "`index update`": "index update --file definition.json",
    "`index show`": "index show",
    "`backfill`": "backfill --segments 2",  # each shows the whole table: the second must settle what the first wrote
    "`backfill --export`": f"backfill --export {table_arn('products')}/export/0001-full",
    "`verify`": "verify --patience 0 --report differences.jsonl",
    "`repair --report`": "repair --report differences.jsonl",
    "`repair`": "repair --patience 0",
    "`redrive`, a queue": f"redrive arn:aws:sqs:{REGION}:{ACCOUNT}:failures",
    "`redrive`, a bucket": "redrive arn:aws:s3:::failures",
    "`recover`": "recover --since 1m",
    "`recover --bucket`": "recover --since 2023-11-14T22:00Z --bucket exports",
}
ON_AN_ALIAS = {"`index switch`": "index switch products-2"}
DAMAGED_BEFORE = {"`backfill --export`", "`verify`", "`repair`", "`recover`"}


def rows(page: str) -> dict[str, set[str]]:
    """What the page's table names, by its first column; actions of DynamoDB's in their long form."""
    found = {}
    table = page.partition("| | of DynamoDB, on the table |")[2].partition("\n\n")[0]
    for line in table.splitlines()[2:]:
        name, dynamodb, elsewhere, opensearch = (cell.strip() for cell in line.strip("|").split("|"))
        actions = {f"dynamodb:{action}" for action in re.findall(r"`(.+?)`", dynamodb)}
        found[name] = actions | set(re.findall(r"`(.+?)`", f"{elsewhere} {opensearch}"))
    return found


def as_told(call: Call) -> str:
    """An action of AWS's; a request to OpenSearch as its method and path."""
    if not call.resource.startswith(DOMAIN):
        return call.action
    path = call.resource.removeprefix(DOMAIN)
    for pattern, word in ((r"products-\d", "INDEX"), (r"\bother\b", "ALIAS")):
        path = re.sub(pattern, word, path)
    return f"{call.action.removeprefix('es:ESHttp').upper()} {path}"


def asked(world: World, commands: Mapping[str, str], folder: Path, name: str) -> dict[str, set[str]]:
    """What each command asks for.

    Args:
        name: what the page calls the name ``products``.
    """
    found = {}
    for row, command in commands.items():
        if row in DAMAGED_BEFORE:
            world.damage()
        alone = [] if command.startswith("index") else ["--processes", "1", "--workers", "1"]
        environment = {**ENVIRONMENT, "XDG_STATE_HOME": str(folder)}
        with recorded(environment, {"search.example.com": DOMAIN}, world) as calls:
            done = CliRunner().invoke(app, [*shlex.split(command), *alone])
        assert done.exit_code in {0, 1}, done.output
        told = {re.sub(r"\bproducts\b", name, as_told(call)) for call in calls}
        told.remove("dynamodb:DescribeTable")  # stands before the table: all need it
        found[row] = told
    return found


@pytest.fixture(autouse=True)
def _here_and_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths are of a new folder; a table is one part, for each shows all of it; nothing is waited for."""
    (tmp_path / "definition.json").write_text(DEFINITION, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for command in (verify, repair):
        monkeypatch.setattr(command, "SEGMENTS", 1)
    monkeypatch.setattr(
        "dynamodb_opensearch.jobs.suspects.time",
        SimpleNamespace(monotonic=lambda: 0.0, time=time.time, sleep=lambda _: None),
    )


def test_the_page_names_what_each_command_asks_for(tmp_path: Path) -> None:
    plain, aliased = (World(table_arn("products"), "productId", ["products"]) for _ in range(2))
    aliased.opensearch("PUT", "/products-1", b'{"aliases": {"products": {}}}')
    aliased.opensearch("PUT", "/products-2", b'{"aliases": {}}')
    found = asked(plain, ON_AN_INDEX, tmp_path, "INDEX") | asked(aliased, ON_AN_ALIAS, tmp_path, "ALIAS")
    assert found == rows(PAGE.read_text(encoding="utf-8"))
