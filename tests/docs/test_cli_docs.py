"""docs/reference/cli.md holds each command's help; the help has examples that the command takes, and fits a screen."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from dynamodb_opensearch.cli.app import app
from typer.testing import CliRunner

from scripts.cli_docs import PAGE, commands, with_help

REPOSITORY = Path(__file__).resolve().parents[2]
COMMANDS = commands()
PAGES = ["README.md", *(str(path.relative_to(REPOSITORY)) for path in REPOSITORY.glob("docs/**/*.md"))]


def test_the_page_is_not_stale() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_help(page) == page


def test_a_changed_help_makes_the_page_stale() -> None:
    page = PAGE.read_text(encoding="utf-8")
    changed = page.replace("Write every item of the table into each index that holds it.", "Something else.", 1)
    assert with_help(changed) == page != changed


def test_a_command_without_its_place_in_the_page_is_refused() -> None:
    with pytest.raises(SystemExit, match="one pair of markers and one command: verify"):
        with_help(PAGE.read_text(encoding="utf-8").replace("<!-- BEGIN verify -->", ""))


def parse(line: str) -> Any:
    """Let Typer parse a command line, without carrying it out."""
    alone = re.split(r" [|>#] ", line, maxsplit=1)[0]
    program, *arguments = shlex.split(alone)
    assert program == "dynamodb-opensearch"
    group: Any = typer.main.get_command(app)
    if arguments[0].startswith("--"):
        return None
    while hasattr(group, "commands"):
        group = group.commands[arguments.pop(0)]
    return group.make_context("dynamodb-opensearch", arguments)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_line_in_the_docs_is_one(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"^```(?:sh|console)$(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    for line in re.findall(r"^dynamodb-opensearch .*", blocks.replace("\\\n", " "), re.MULTILINE):
        parse(line)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_examples_and_no_line_beyond_eighty(name: str) -> None:
    done = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    assert done.exit_code == 0
    assert f"dynamodb-opensearch {name}" in done.output.partition("Examples:")[2]
    assert max(map(len, done.output.splitlines())) <= 80


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - {"transform package"}))  # it works on files alone
def test_every_command_takes_the_same_options_for_table_and_index(name: str) -> None:
    target = {"--function", "--terraform", "--endpoint", "--table", "--index", "--region", "--dead-letters", "--json"}
    assert target <= {option for one in COMMANDS[name].params for option in one.opts}


def test_completion_knows_the_commands() -> None:
    environment = {
        "_DYNAMODB_OPENSEARCH_COMPLETE": "complete_bash",
        "COMP_WORDS": "dynamodb-opensearch re",
        "COMP_CWORD": "1",
    }
    done = CliRunner().invoke(app, [], env=environment, prog_name="dynamodb-opensearch")
    assert {"redrive", "repair", "recover"} <= set(done.output.split())
