# ruff: noqa: INP001 (a script, not a package)
"""Writes the help of each `dynamodb-opensearch` command into docs/reference/cli.md, between the command's markers.

usage: cli_docs.py [--check]      --check writes nothing and exits 1 when the page is stale
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lambda/src"))

from dynamodb_opensearch.cli.app import app

PAGE = Path(__file__).resolve().parent.parent / "docs/reference/cli.md"


def commands() -> dict[str, Any]:
    """Map each name, such as ``index create``, to its command."""
    return dict(_commands(typer.main.get_command(app), ""))


def with_help(page: str) -> str:
    """Return the page with the current help of every command.

    Raises:
        SystemExit: a command has no markers, or markers have no command.
    """
    found = commands()
    named = re.findall(r"<!-- BEGIN (.+) -->", page)
    wrong = sorted({*found, "shared options"} ^ set(named))
    if wrong or len(named) != len(set(named)):
        raise SystemExit(f"{PAGE.name}: these need one pair of markers and one command: {', '.join(wrong) or named}")
    texts = {name: _help(command) for name, command in found.items()} | {"shared options": _shared(found["verify"])}
    for name, text in texts.items():
        block = f"<!-- BEGIN {name} -->\n{text}<!-- END {name} -->"
        page = re.sub(
            rf"<!-- BEGIN {re.escape(name)} -->.*?<!-- END {re.escape(name)} -->",
            lambda _, block=block: block,  # type: ignore[misc]
            page,
            flags=re.DOTALL,
        )
    return page


def _commands(command: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, child in command.commands.items():
        if hasattr(child, "commands"):
            yield from _commands(child, f"{prefix}{name} ")
        else:
            yield prefix + name, child


def _help(command: Any) -> str:
    """Return what a command does, its examples, and the options that not all commands share."""
    examples = re.findall(r"\[cyan\](.*?)\[/cyan\]", command.epilog)
    own = [
        option for option in command.params if not getattr(option, "rich_help_panel", None) and option.name != "help"
    ]
    parts = [command.help, "```sh\n" + "\n".join(examples) + "\n```"]
    if own:
        parts.append(_table(own))
    return "\n\n".join(parts) + "\n"


def _shared(command: Any) -> str:
    panels: dict[str, list[Any]] = {}
    for option in command.params:
        if panel := getattr(option, "rich_help_panel", None):
            panels.setdefault(panel, []).append(option)
    return "\n\n".join(f"**{panel}**\n\n{_table(options)}" for panel, options in panels.items()) + "\n"


def _table(parameters: list[Any]) -> str:
    rows = ["| option | | default |", "|---|---|---|"]
    for parameter in parameters:
        is_option = parameter.param_type_name == "option"
        name = parameter.opts[0] if is_option else f"{parameter.metavar}"
        metavar = f" {parameter.metavar}" if is_option and parameter.metavar else ""
        value = parameter.default
        default = "required" if parameter.required else "" if value is None or value is False else f"`{value}`"
        rows.append(f"| `{name}{metavar}` | {parameter.help} | {default} |")
    return "\n".join(rows)


def main(arguments: list[str]) -> int:
    """Write the page. Return 1 if it is stale and ``--check`` forbids writing."""
    before = PAGE.read_text(encoding="utf-8")
    after = with_help(before)
    if after == before:
        return 0
    if arguments == ["--check"]:
        print(f"{PAGE.name} is stale: run scripts/cli_docs.py", file=sys.stderr)
        return 1
    PAGE.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
