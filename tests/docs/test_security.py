"""SECURITY.md says what the policies grant and the function logs: no more, no less."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "SECURITY.md").read_text(encoding="utf-8")
TABLES = re.findall(r"^<!-- (\.|modules/\w+) (\w+) -->\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
ACTION = re.compile(r'["`]([a-z0-9]+:[A-Z]\w+)["`]')


def documents(module: str) -> Iterator[tuple[str, str]]:
    """Name and body of each policy document of a module's roles, with the bodies of those that are its sources."""
    text = (REPOSITORY / module / "iam.tf").read_text(encoding="utf-8")
    pattern = r'^data "aws_iam_policy_document" "(\w+)" {\n(.*?)^}'
    bodies = dict(re.findall(pattern, text, re.DOTALL | re.MULTILINE))
    merged = {
        name: re.findall(r"\bdata\.aws_iam_policy_document\.(\w+)\.json", body.partition("statement")[0])
        for name, body in bodies.items()
    }
    sources = {source for those in merged.values() for source in those}
    for name, body in bodies.items():
        if not name.startswith("assume_") and name not in sources:
            yield name, "\n".join([body, *(bodies[source] for source in merged[name])])


def statements(module: str, document: str) -> dict[str, tuple[set[str], bool]]:
    """Sid -> its actions, and whether they are for all resources."""
    text = (REPOSITORY / module / "iam.tf").read_text(encoding="utf-8")
    found = {}
    for body in re.findall(
        r'^  (?:dynamic "statement"|statement) {\n(.*?)^  }',
        dict(documents(module))[document],
        re.DOTALL | re.MULTILINE,
    ):
        sid = re.findall(r'\bsid += "(\w+)"', body)[0]
        given = re.findall(r"\bactions += (local\.(\w+)[\w.]*|\[.*?\])", body, re.DOTALL)[0]
        source = given[0]
        if local := given[1]:  # by the kind of destination: all that may be
            source = re.findall(rf"^  {local} = {{\n(.*?)^  }}", text, re.DOTALL | re.MULTILINE)[0]
        found[sid] = set(ACTION.findall(source)), '["*"]' in body
    return found


def rows(table: str) -> dict[str, tuple[str, str]]:
    """Sid -> its actions' cell, and that of the resources."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {sid.strip("`"): (actions, resources) for sid, actions, resources, _ in cells}


def test_every_policy_has_its_table() -> None:
    files = [REPOSITORY / "iam.tf", *REPOSITORY.glob("modules/*/iam.tf")]
    modules = [path.parent.relative_to(REPOSITORY).as_posix() for path in files]
    policies = [(module, name) for module in modules for name, _ in documents(module)]
    assert sorted((module, name) for module, name, _ in TABLES) == sorted(policies)


@pytest.mark.parametrize(("module", "document", "table"), TABLES, ids=lambda value: value[:20].strip())
def test_the_table_is_the_policy(module: str, document: str, table: str) -> None:
    written = rows(table)
    same = set(ACTION.findall(written["AttachToVpc"][0])) if "AttachToVpc" in written else set()
    told = {
        sid: (same if actions == "denies the same six" else set(ACTION.findall(actions)), resources == "`*`")
        for sid, (actions, resources) in written.items()
    }
    assert told == statements(module, document)
    assert all(actions for actions, _ in told.values())


def test_every_action_is_named_in_full() -> None:
    bodies = {(module, name): body for module, _, _ in TABLES for name, body in documents(module)}
    starred = {one: found for one, body in bodies.items() if (found := re.findall(r'"[a-z0-9-]+:\w*\*"', body))}
    assert len(bodies) == len(TABLES)
    assert starred == {}


def test_all_that_a_log_line_holds_is_told() -> None:
    stream = (REPOSITORY / "lambda/src/dynamodb_opensearch/functions/sync.py").read_text(encoding="utf-8")
    logged = {
        name for line in re.findall(r"(?:extra=|known = ){(.*?)}", stream) for name in re.findall(r'"(\w+)":', line)
    }
    ranges = re.search(r"^def _range_of.*?^    return {\n(.*?)^    }", stream, re.DOTALL | re.MULTILINE)
    kept = re.findall(r"append_keys\((\w+)=", stream)
    assert ranges is not None
    logged |= {*re.findall(r'^        "(\w+)":', ranges[1], re.MULTILINE), *kept, "level", "message"}
    section = PAGE.partition("## What is logged")[2].partition("\n- ")[0]
    assert set(re.findall(r"`(\w+)`", section)) == logged


def test_the_licences_are_those_that_are_allowed() -> None:
    sbom = (REPOSITORY / "lambda/sbom.py").read_text(encoding="utf-8")
    [allowed] = re.findall(r"^ALLOWED = {(.*)}$", sbom, re.MULTILINE)
    *most, last = re.findall(r'"([\w.-]+)"', allowed)
    assert f"Licences other than {', '.join(most)} and {last} fail the build" in PAGE
