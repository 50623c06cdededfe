# ruff: noqa: INP001 (read by scripts, not a package)
"""Which module of our package imports which, read from the source: nothing is run.

Three things rest on it: the laws of the house (tests/unit/test_house.py), the picture of the flow (scripts/flow.py) and
what the function's zip holds (lambda/build.py).
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import resolve_name
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "lambda/src"
PACKAGE = "dynamodb_opensearch"

LEVELS = (
    ("core",),
    ("settings", "aws", "telemetry"),
    ("parameter",),
    ("sources", "opensearch", "dynamodb", "failures"),
    ("jobs",),
    ("functions", "cli"),
)
"""Rooms from the innermost on: each imports from further in, never from its neighbours."""


def modules_of(source: Path = SOURCE) -> dict[str, Path]:
    """``dynamodb_opensearch.core.keys`` -> its file. A package has its own name and the file ``__init__.py``."""
    return {
        ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted((source / PACKAGE).rglob("*.py"))
    }


def graph_of(modules: Mapping[str, Path]) -> dict[str, set[str]]:
    """Module -> the modules of ours that it imports, wherever in it: also inside functions and under conditions."""
    return {name: set(_imports(name, path, modules)) for name, path in modules.items()}


def reachable(entries: Iterable[str], graph: Mapping[str, set[str]]) -> set[str]:
    """The entries, all that they import, directly or not, and the packages around each: Python runs these first."""
    reached: set[str] = set()
    ahead = list(entries)
    while ahead:
        module = ahead.pop()
        if module not in reached:
            reached.add(module)
            ahead += graph[module]
            ahead += [module.rpartition(".")[0]] if "." in module else []
    return reached


def _imports(module: str, path: Path, modules: Mapping[str, Path]) -> Iterator[str]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name in modules)
        elif isinstance(node, ast.ImportFrom):
            origin = resolve_name("." * node.level + (node.module or ""), package)
            for name in node.names:
                inner = f"{origin}.{name.name}"
                yield from [one for one in (inner, origin) if one in modules][:1]
