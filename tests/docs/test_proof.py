"""docs/why/proof.md and the README claim what the searches do: their numbers are those of the code."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs/why/proof.md").read_text(encoding="utf-8")
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
TESTS = "".join(
    path.read_text(encoding="utf-8")
    for folder in ("tests/convergence", "tests/opensearch", "tests/simulation", "simulation")
    for path in sorted((REPOSITORY / folder).rglob("*.py"))
)
SEARCHES = {
    "PROVE_HISTORIES": "random histories",
    "PROVE_SCHEDULES": "random schedules",
    "PROVE_BACKFILLS": "backfills",
}


def _numbers(variable: str) -> tuple[int, int]:
    """How many ``make prove`` searches, and how many ``make test``."""
    [proved] = re.findall(rf"\$\${{{variable}:-(\d+)}}", MAKEFILE)
    [tested] = set(re.findall(rf'"{variable}", "(\d+)"', TESTS))
    return int(proved), int(tested)


@pytest.mark.parametrize("variable", SEARCHES)
def test_the_page_says_how_much_each_search_covers(variable: str) -> None:
    proved, tested = _numbers(variable)
    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| [{SEARCHES[variable]}]")]
    assert f"| {proved:,} by `make prove`; {tested:,} by each `make test` |" in row


def test_the_readme_names_the_numbers_of_make_prove() -> None:
    assert f"{_numbers('PROVE_HISTORIES')[0]:,} random histories" in README
    assert f"{_numbers('PROVE_SCHEDULES')[0]:,} hostile schedules" in README


def test_the_page_lists_as_many_rules_as_are_taken_away() -> None:
    blocks = re.findall(r"^BROKEN_(?:RULES|WORLDS).*?^}$", TESTS, re.DOTALL | re.MULTILINE)
    taken_away = sum(len(re.findall(r'^    "', block, re.MULTILINE)) for block in blocks)
    listed = PAGE.partition("| without it, some history diverges |\n|---|\n")[2].partition("\n\n")[0].splitlines()
    assert len(listed) == taken_away > 0


def test_the_page_names_as_many_kinds_of_fault_as_there_are() -> None:
    [faults] = re.findall(r"^class Fault\(StrEnum\):\n(.*?)(?=^\S)", TESTS, re.DOTALL | re.MULTILINE)
    words = {15: "fifteen", 16: "sixteen", 17: "seventeen", 18: "eighteen"}
    assert f"{words[len(re.findall(r'^    [A-Z_]+ = ', faults, re.MULTILINE))]} kinds of fault" in PAGE
