"""docs/why/guide-map.md: every parameter of the guide's commands has its variable, with its default."""

import re
from pathlib import Path

import pytest

from scripts.docs import read_blocks

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs/why/guide-map.md").read_text(encoding="utf-8")
# The parameters of the guide's commands
COMMANDS = {
    "aws lambda create-event-source-mapping": [
        "--event-source-arn",
        "--function-name",
        "--uuid",
        "--enabled",
        "--starting-position",
        "--batch-size",
        "--maximum-batching-window-in-seconds",
        "--parallelization-factor",
        "--function-response-types",
        "--bisect-batch-on-function-error",
    ],
    "aws dynamodb update-table --stream-specification": ["--table-name", "StreamEnabled", "StreamViewType"],
}
MODULES = dict(zip(COMMANDS, (".", "modules/table"), strict=True))


def rows(command: str) -> list[list[str]]:
    """The cells of the table below a command's heading."""
    section = PAGE.partition(f"## `{command}`\n")[2].partition("\n## ")[0]
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines[2:]]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_parameter_of_the_guide_has_a_row(command: str) -> None:
    first = [row[0] for row in rows(command)]
    assert [name for name in COMMANDS[command] if not any(f"`{name}" in cell for cell in first)] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_variable_exists_with_the_default_that_the_page_names(command: str) -> None:
    variables = {v.name: v for v in read_blocks(REPOSITORY / MODULES[command] / "variables.tf", "variable")}
    told = {row[1].strip("`"): row[2].strip("`") for row in rows(command) if row[1].startswith("`")}
    assert told
    real = {name: v.arguments.get("default", "required").strip('"') for name, v in variables.items() if name in told}
    assert told == real


def test_every_variable_that_the_page_names_exists() -> None:
    known = {
        v.name for module in MODULES.values() for v in read_blocks(REPOSITORY / module / "variables.tf", "variable")
    }
    known |= {output.name for output in read_blocks(REPOSITORY / "outputs.tf", "output")} | {"stream_arn"}
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", PAGE))
    assert named - known == set()
