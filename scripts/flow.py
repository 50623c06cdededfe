# ruff: noqa: INP001 (a script, not a package)
"""Draws the flow in CONTRIBUTING.md and writes docs/reference/map.md, both from the code's imports.

usage: flow.py [--check]      --check writes nothing and exits 1 when a page is stale

The picture has two parts: the rooms by their levels, with their modules and what they import; and the path of one batch
through functions/sync.py, in the order in which its handler calls what it imports.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from textwrap import wrap

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.imports import LEVELS, PACKAGE, SOURCE, graph_of, modules_of

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = REPOSITORY / "CONTRIBUTING.md"
MAP = REPOSITORY / "docs/reference/map.md"
WIDTH = 118
SYNC = "functions.sync"


def main(arguments: list[str]) -> int:
    """Write the pages; 1 if one is stale and may not be written."""
    stale = {page: text for page, text in pages(SOURCE).items() if _text(page) != text}
    for page, text in stale.items():
        if arguments == ["--check"]:
            print(f"{page.name} is stale: run `make docs`", file=sys.stderr)
        else:
            page.write_text(text, encoding="utf-8")
    return int(bool(stale) and arguments == ["--check"])


def pages(source: Path) -> dict[Path, str]:
    """Page -> its text, as the code in a folder is now.

    Raises:
        SystemExit: a room has no level, or CONTRIBUTING.md has no place for the picture.
    """
    house = House.read(source)
    flow = "\n\n".join([_ABOVE_THE_ROOMS, rooms(house), _ABOVE_THE_PATH, path(house)])
    page, places = re.subn(
        r"(<!-- BEGIN flow -->\n).*?(<!-- END flow -->)",
        lambda markers: f"{markers[1]}{flow}\n{markers[2]}",
        _text(PAGE),
        flags=re.DOTALL,
    )
    if places != 1:
        raise SystemExit(f"{PAGE.name} has {places} pairs of markers for the flow: it must have one")
    return {PAGE: page, MAP: map_of(house)}


_ABOVE_THE_ROOMS = (
    "`→` is what a room, or a module, imports; imports point downwards, never up.\n"
    "[The map](docs/reference/map.md) says what each module is for."
)
_ABOVE_THE_PATH = "The path of one batch, with what the handler in `functions/sync.py` calls on the way:"


@dataclass(frozen=True, slots=True)
class House:
    """Our package as its source is; modules by their names without the package's."""

    files: Mapping[str, Path]
    imports: Mapping[str, set[str]]

    @classmethod
    def read(cls, source: Path) -> "House":
        """Read the source.

        Raises:
            SystemExit: a room has no level.
        """
        modules = modules_of(source)
        files = {_short(name): path for name, path in modules.items() if name != PACKAGE}
        imports = {_short(name): {_short(one) for one in found} for name, found in graph_of(modules).items()}
        if homeless := {_room(name) for name in files} - {room for level in LEVELS for room in level}:
            raise SystemExit(f"{', '.join(sorted(homeless))}: give it a level, in scripts/imports.py")
        return cls(files, imports)

    def members(self, room: str) -> list[str]:
        """The modules of a room, packages left out. A room may be a module itself."""
        return sorted(name for name, path in self.files.items() if _room(name) == room and path.stem != "__init__")

    def first_line(self, name: str) -> str:
        """What a module or package says first that it is for."""
        text = ast.get_docstring(ast.parse(self.files[name].read_text(encoding="utf-8"))) or ""
        return text.partition("\n")[0]


def rooms(house: House) -> str:
    """A band of boxes for each level, from the outermost to the innermost."""
    lines: list[str] = []
    for level in reversed(LEVELS):
        width = (WIDTH + 2) // len(level) - 2
        boxes = [_box(house, room, width) for room in level]
        if lines:
            lines.append("  ".join(["▼".center(width)] * len(level)))
        lines += ["  ".join(parts) for parts in zip_longest(*boxes, fillvalue=f"│{' ' * (width - 2)}│")]
        lines.append("  ".join([f"└{'─' * (width - 2)}┘"] * len(level)))
    return _block(lines)


def _box(house: House, room: str, width: int) -> list[str]:
    """A room with its modules and the rooms that it imports; without its lower edge."""
    members = [name.removeprefix(f"{room}.") for name in house.members(room) if name != room]
    folders = sorted({f"{name.partition('.')[0]}/" for name in members if "." in name})
    imported = {_room(one) for name in house.members(room) for one in house.imports[name]} - {room}
    order = [one for level in reversed(LEVELS) for one in level if one in imported]
    text = [
        *_wrapped([*folders, *(name for name in members if "." not in name)], width - 4),
        *_wrapped(["→ " + (order or ["nothing of ours"])[0], *order[1:]], width - 4),
    ]
    title = f"{room}/" if members else f"{room}.py"
    return [f"┌ {title} ".ljust(width - 1, "─") + "┐", *(f"│ {line.ljust(width - 4)} │" for line in text)]


def path(house: House) -> str:
    """What a batch meets, step by step, from the event to the answer."""
    steps = list(Handler.read(house, SYNC).steps())
    column = max(len(step.module) for step in steps) + 3
    lines = ["event"]
    for step in steps:
        lines += ["  ▼", _file(step.module).ljust(column) + "  ".join(step.calls)]
        if step is not steps[-1]:
            lines += _about(house, step.module, column)
        for name, module in step.given.items():
            calls = [f"{name}.{method}" for method in _methods_called(house.files[step.module], name)]
            lines += ["  │", f"  ├─▶ {_file(module)}".ljust(column) + "  ".join(calls), *_about(house, module, column)]
    return _block(lines)


def _about(house: House, module: str, column: int) -> list[str]:
    """The first sentence of a module, and what it imports: ``→ aws · core: keys versions``."""
    imported = sorted(house.imports[module])
    outside = {
        room: [name.partition(".")[2] for name in imported if _room(name) == room] for room in map(_room, imported)
    }
    arrows = [f"{room}: {' '.join(names)}" if any(names) else room for room, names in outside.items()]
    sentence = re.split(r"(?<=\.) ", house.first_line(module))[0]
    text = wrap(sentence, WIDTH - column) + (wrap(f"→ {' · '.join(arrows)}", WIDTH - column) if arrows else [])
    return [f"  │{' ' * (column - 3)}{line}" for line in text]


def map_of(house: House) -> str:
    """The page with every module's first line, by rooms, from the outermost level to the innermost."""
    parts = ["# The map of the code", "What each module is for, as its first line says. `make docs` writes this page."]
    for level in reversed(LEVELS):
        for room in level:
            folder = f"{room}/" if room not in house.members(room) else ""
            lines = {name: house.first_line(name).replace("|", r"\|") for name in house.members(room)}
            rows = [f"| `{_file(name).removeprefix(folder)}.py` | {line} |" for name, line in lines.items()]
            heading = f"## {folder}\n\n{house.first_line(room)}" if folder else f"## {room}.py"
            parts.append("\n".join([heading, "", "| module | |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


@dataclass(frozen=True, slots=True)
class Step:
    """A module on the path: what the handler calls of it, and which modules' objects it gives to it, by keyword."""

    module: str
    calls: list[str] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Handler:
    """A handler's source: what its file imports, its functions, its class's methods and attributes."""

    imported: Mapping[str, Sequence[str]]
    """Name in the file -> module, and the name in it unless it is the module itself."""
    functions: Mapping[str, ast.FunctionDef]
    """Also the methods, by ``self.name``."""
    attributes: Mapping[str, ast.expr]
    """``self.name`` -> what ``__init__`` makes it."""

    @classmethod
    def read(cls, house: House, module: str) -> "Handler":
        """Read the module, which has a class with ``handle``."""
        body = ast.parse(house.files[module].read_text(encoding="utf-8")).body
        [methods] = [
            {f"self.{inner.name}": inner for inner in node.body if isinstance(inner, ast.FunctionDef)}
            for node in body
            if isinstance(node, ast.ClassDef) and any(getattr(inner, "name", "") == "handle" for inner in node.body)
        ]
        return cls(
            {
                name.asname or name.name: _origin(house, _short(str(node.module)), name.name)
                for node in body
                if isinstance(node, ast.ImportFrom) and _room(str(node.module)) == PACKAGE
                for name in node.names
            },
            methods | {node.name: node for node in body if isinstance(node, ast.FunctionDef)},
            {
                ast.unparse(node.targets[0]): node.value
                for node in ast.walk(methods["self.__init__"])
                if isinstance(node, ast.Assign)
            },
        )

    def steps(self) -> Iterator[Step]:
        """The modules in the order of their first call, each once; the one that makes the answer comes again."""
        *before, last = self.functions["self.handle"].body
        found: dict[str, Step] = {}
        for statement in before:
            for module, called, call in self._calls(statement, {"self.handle"}):
                step = found.setdefault(module, Step(module))
                if called not in step.calls:
                    step.calls.append(called)
                step.given.update(self._given(call))
        yield from found.values()
        for module, called, _ in self._calls(last, {"self.handle"}):
            yield Step(module, [called])

    def _calls(self, node: ast.AST, callers: set[str]) -> Iterator[tuple[str, str, ast.Call]]:
        """Calls of imported functions, also from our own, in the order in which they run. Without logs and failures."""
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.ExceptHandler) or called.startswith("self._logger."):
            return
        for inner in ast.iter_child_nodes(node):
            yield from self._calls(inner, callers)
        if called in self.functions and called not in callers:
            for statement in self.functions[called].body:
                yield from self._calls(statement, callers | {called})
        root, *attributes = called.split(".")
        if isinstance(node, ast.Call) and root in self.imported:
            module, *names = [*self.imported[root], *attributes]
            if re.fullmatch("[a-z_0-9]+", names[-1]) and "(" not in called:  # not a class: that makes a value, no step
                yield module, ".".join(names), node

    def _given(self, call: ast.Call) -> Iterator[tuple[str, str]]:
        """Keyword -> module, for each object made in ``__init__`` that the call hands on."""
        for keyword in call.keywords:
            made = self.attributes.get(ast.unparse(keyword.value))
            if keyword.arg and isinstance(made, ast.Call) and (name := ast.unparse(made.func)) in self.imported:
                yield keyword.arg, self.imported[name][0]


def _origin(house: House, module: str, name: str) -> tuple[str, ...]:
    inner = _short(f"{module}.{name}")
    return (inner,) if inner in house.files else (module, name)


def _methods_called(path: Path, name: str) -> list[str]:
    """The methods that a file calls on what it knows under a name."""
    calls = [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    found = [one.attr for one in calls if isinstance(one, ast.Attribute) and ast.unparse(one.value) == name]
    return list(dict.fromkeys(found))


def _short(name: str) -> str:
    return name.removeprefix(f"{PACKAGE}.")


def _room(name: str) -> str:
    return name.partition(".")[0]


def _file(name: str) -> str:
    return name.replace(".", "/")


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8") if page.exists() else ""


def _wrapped(names: Sequence[str], width: int) -> list[str]:
    """Names on as few lines as they need, each whole."""
    lines = wrap("  ".join(name.replace(" ", "\0") for name in names), width, break_on_hyphens=False)
    return [line.replace("\0", " ") for line in lines]


def _block(lines: Sequence[str]) -> str:
    return "\n".join(["```text", *(line.rstrip() for line in lines), "```"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
