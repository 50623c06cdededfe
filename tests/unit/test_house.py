"""The laws of the house: what may import what, how long a file may be, and where its test is. See CONTRIBUTING.md."""

import ast
import subprocess
import sys
from collections.abc import Collection
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from scripts.imports import LEVELS, SOURCE, graph_of, modules_of

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = SOURCE / "dynamodb_opensearch"
MODULES = modules_of(SOURCE)
GRAPH = graph_of(MODULES)
CLI = (
    {"faults"},
    {"output"},
    {"target"},
    {"run"},
    {"show", "status"},
    {"command"},
    {"commands"},
    {"app"},
    {"__main__"},
)
MOST_LINES = 400


@pytest.mark.parametrize("module", sorted(name for name in MODULES if name.startswith("dynamodb_opensearch.core.")))
def test_the_core_needs_nothing_but_python(module: str) -> None:
    """Each module alone, with every other package blocked, ours outside of core/ as well."""
    program = f"""
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        ours = name == "dynamodb_opensearch" or name.startswith("dynamodb_opensearch.core")
        if not ours and top not in sys.stdlib_module_names:
            raise ImportError(f"core/ imports {{name}}")
sys.meta_path.insert(0, Blocked())
sys.path.insert(0, {str(SOURCE)!r})
import {module}
"""
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _outward(depth: int, levels: tuple[Collection[str], ...]) -> list[str]:
    """Imports of another room that isn't further in, by the name at a depth of the modules' paths."""
    ranks = {name: rank for rank, names in enumerate(levels) for name in names}
    found = []
    for module, all_imported in GRAPH.items():
        for imported in all_imported:
            ours, theirs = (name.split(".")[depth] if name.count(".") >= depth else "" for name in (module, imported))
            same_house = module.split(".")[:depth] == imported.split(".")[:depth]
            if same_house and ours != theirs and ours in ranks and theirs in ranks and ranks[theirs] >= ranks[ours]:
                found.append(f"{module} imports {imported}")
    return found


def test_imports_lead_inwards() -> None:
    assert _outward(1, LEVELS) == []


def test_the_commands_rooms_lead_inwards_too() -> None:
    assert _outward(2, CLI) == []


def test_every_room_has_its_level() -> None:
    rooms = {module.split(".")[1] for module in MODULES if "." in module}
    assert rooms == set().union(*LEVELS)
    assert {module.split(".")[2] for module in MODULES if module.startswith("dynamodb_opensearch.cli.")} == set().union(
        *CLI
    )


def test_no_imports_go_round_in_a_circle() -> None:
    try:
        TopologicalSorter(GRAPH).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_file_is_too_long_to_read() -> None:
    folders = ("lambda", "simulation", "demo", "benchmarks", "scripts", "tests")
    files = [path for folder in folders for path in (REPOSITORY / folder).rglob("*.py")]
    assert len(files) > 250
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {str(path.relative_to(REPOSITORY)): lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def _tested(test: Path) -> bool:
    """Whether it is named by a module, or by a module and what it tests of it: ``test_client_secrets.py``."""
    words = test.stem.split("_")[1:]
    return any((PACKAGE / test.with_name("_".join(words[:end]) + ".py")).exists() for end in range(len(words), 0, -1))


def test_unit_tests_mirror_the_source() -> None:
    here = Path(__file__).parent
    tests = [path.relative_to(here) for path in here.rglob("test_*.py") if path != Path(__file__)]
    assert [str(test) for test in tests if not _tested(test)] == []


def test_every_command_has_a_file_of_its_own() -> None:
    for path in (PACKAGE / "cli/commands").glob("[!_]*.py"):
        decorated = [
            node.name
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef) and node.decorator_list
        ]
        assert decorated == [path.stem.removeprefix("index_").removeprefix("transform_")]


def test_every_file_says_first_what_it_is_for() -> None:
    for path in MODULES.values():
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        assert first.startswith('"""'), path
        assert len(first) > len('"""…"""') + 10 or path == PACKAGE / "__init__.py", path
