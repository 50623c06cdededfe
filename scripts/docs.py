# ruff: noqa: INP001 (a script, not a package)
"""Writes the tables of inputs and outputs into the modules' pages, from their variables.tf and outputs.tf.

The page of the root module is docs/reference/module.md, that of another module its README.md. The root's README has the
same in short: a line for each.

usage: docs.py [--check]      --check writes nothing and exits 1 when a table is stale

It reads what `terraform fmt` writes: a block starts and ends in the first column, its arguments are indented by two.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


class DocsError(Exception):
    """A page or a .tf file is not as this script needs it."""


@dataclass(frozen=True, slots=True)
class Block:
    """A `variable` or an `output`: its arguments as in the source, with each run of white space as one space."""

    name: str
    arguments: dict[str, str]

    @property
    def description(self) -> str:
        text = self.arguments.get("description", '""')
        if heredoc := _HEREDOC.fullmatch(text):
            text = json.dumps(heredoc[1], ensure_ascii=False)
        if "${" in text or not text.startswith('"'):
            raise DocsError(f"description of {self.name} is {text}: it must be a string or a heredoc without ${{…}}")
        return str(json.loads(text)).replace("|", r"\|")

    @property
    def required(self) -> bool:
        return "default" not in self.arguments


def read_blocks(path: Path, kind: str) -> list[Block]:
    """The blocks of a kind in a .tf file, in their order."""
    pattern = re.compile(rf'^{kind} "(\w+)" {{\n(.*?)^}}$', re.DOTALL | re.MULTILINE)
    return [Block(name, dict(_arguments(body))) for name, body in pattern.findall(path.read_text(encoding="utf-8"))]


_HEREDOC = re.compile(r"<<-EOT (.*) EOT")
_ARGUMENT = re.compile(r"^  (\w+) += (.*(?:\n(?:    .*|  [\])}]+|  EOT))*)", re.MULTILINE)


def _arguments(body: str) -> Iterator[tuple[str, str]]:
    for argument in _ARGUMENT.finditer(body):
        heredoc = argument[2].startswith("<<")
        yield argument[1], " ".join(argument[2].split()) if heredoc else _one_line(argument[2])


def _one_line(value: str) -> str:
    """`object({ arn = string, url = optional(string) })`, from four lines."""
    lines = [re.sub(r" +", " ", line.strip()) for line in value.splitlines()]
    text = lines[0]
    for before, line in pairwise(lines):
        opens, closes = before.endswith(("{", "[", "(")), line.startswith(("}", "]", ")"))
        text += (" " if opens or closes or before.endswith(",") else ", ") + line
    return text


def inputs_table(module: Path) -> str:
    """Markdown: the required ones first, as in variables.tf."""
    rows = ["| name | type | default | |", "|---|---|---|---|"]
    for variable in read_blocks(module / "variables.tf", "variable"):
        default = "required" if variable.required else f"`{variable.arguments['default']}`"
        rows.append(f"| `{variable.name}` | `{variable.arguments['type']}` | {default} | {variable.description} |")
    return "\n".join(rows)


def outputs_table(module: Path) -> str:
    """Markdown, in the order of outputs.tf."""
    rows = ["| name | |", "|---|---|"]
    rows += [f"| `{output.name}` | {output.description} |" for output in read_blocks(module / "outputs.tf", "output")]
    return "\n".join(rows)


def short_tables(module: Path) -> str:
    """Markdown: the inputs, then the outputs, with what each is in a few words."""
    rows = ["| input | type | default | |", "|---|---|---|---|"]
    for variable in read_blocks(module / "variables.tf", "variable"):
        kind = re.sub(r"object\(.*\)", "object", variable.arguments["type"])
        default = "required" if variable.required else f"`{variable.arguments['default']}`"
        rows.append(f"| `{variable.name}` | `{kind}` | {default} | {in_short(variable.description)} |")
    rows += ["", "| output | |", "|---|---|"]
    outputs = read_blocks(module / "outputs.tf", "output")
    return "\n".join([*rows, *(f"| `{output.name}` | {in_short(output.description)} |" for output in outputs)])


def in_short(description: str) -> str:
    """A description up to its first colon, semicolon or full stop, without what is in parentheses."""
    text, found = description, 1
    while found:
        text, found = re.subn(r" ?\([^()]*\)", "", text)
    return re.split(r"[:;.](?:\s|$)", text, maxsplit=1)[0]


def with_tables(page: str, module: Path, name: str) -> str:
    """A module's page with its tables as they should be.

    Args:
        name: of the page, for messages.
    """
    return _with(page, name, {"inputs": inputs_table(module), "outputs": outputs_table(module)})


def _with(page: str, name: str, tables: Mapping[str, str]) -> str:
    for kind, table in tables.items():
        begin, end = f"<!-- BEGIN {kind} -->", f"<!-- END {kind} -->"
        if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
            raise DocsError(f"{name}: it needs one line {begin} and, after it, one line {end}")
        before, after = page.partition(begin)[0], page.partition(end)[2]
        page = f"{before}{begin}\n{table}\n{end}{after}"
    return page


def stale_pages(repository: Path, *, write: bool) -> list[Path]:
    """Pages whose tables differ from the source; with `write` they are brought up to date."""
    modules = sorted(path.parent for path in repository.glob("modules/*/variables.tf"))
    pages = {path / "README.md": path for path in modules}
    pages |= {repository / "docs/reference/module.md": repository, repository / "README.md": repository}
    stale = []
    for path, module in sorted(pages.items()):
        name = path.relative_to(repository).as_posix()
        if not path.exists():
            raise DocsError(f"{name} is missing: a module that users may call needs one")
        written = path.read_text(encoding="utf-8")
        if path == repository / "README.md":
            right = _with(written, name, {"inputs and outputs": short_tables(module)})
        else:
            right = with_tables(written, module, name)
        if right != written:
            stale.append(path)
            if write:
                path.write_text(right, encoding="utf-8")
    return stale


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print(f"docs.py: {' '.join(arguments)} is not known: give --check or nothing", file=sys.stderr)
        return 2
    check = bool(arguments)
    try:
        stale = stale_pages(REPOSITORY, write=not check)
    except DocsError as error:
        print(f"docs.py: {error}", file=sys.stderr)
        return 1
    for path in stale:
        print(f"{path.relative_to(REPOSITORY)} {'is stale: run make docs' if check else 'is written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
