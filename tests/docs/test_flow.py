"""The picture of the flow and the map are drawn from the code: what changes there makes them stale."""

import shutil
from pathlib import Path

import pytest

from scripts import flow
from scripts.imports import PACKAGE, SOURCE

LONGEST_LINE = 120


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of the code, to be changed."""
    shutil.copytree(SOURCE, tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "src"


def write(source: Path, name: str, text: str) -> None:
    path = source / PACKAGE / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_neither_page_is_stale() -> None:
    assert {page.name: text for page, text in flow.pages(SOURCE).items() if page.read_text("utf-8") != text} == {}


def test_an_equal_copy_of_the_code_has_equal_pages(source: Path) -> None:
    assert flow.pages(source) == flow.pages(SOURCE)


def test_a_new_module_makes_both_pages_stale(source: Path) -> None:
    write(source, "core/moods.py", '"""How an index feels."""\n')
    changed = flow.pages(source)
    assert "moods" in changed[flow.PAGE]
    assert "| `moods.py` | How an index feels. |" in changed[flow.MAP]
    assert not changed.items() & flow.pages(SOURCE).items()


def test_a_new_command_makes_the_map_stale(source: Path) -> None:
    write(source, "cli/commands/remap.py", '"""``remap``: fills a new index, or an | old one."""\n')
    assert r"| `commands/remap.py` | ``remap``: fills a new index, or an \| old one. |" in flow.pages(source)[flow.MAP]


def test_a_new_room_is_refused_until_it_has_a_level(source: Path) -> None:
    write(source, "rules/__init__.py", '"""The rules."""\n')
    with pytest.raises(SystemExit, match=r"^rules: give it a level, in scripts/imports\.py$"):
        flow.pages(source)


def test_a_new_import_is_a_new_arrow(source: Path) -> None:
    assert "→ aws  core " in flow.rooms(flow.House.read(source))
    for name in ("dynamodb", "failures"):
        write(source, f"{name}/loud.py", '"""Logs."""\nfrom dynamodb_opensearch.telemetry import emit\n')
    drawn = flow.rooms(flow.House.read(source))
    assert "→ aws  core " not in drawn
    assert drawn.count("→ aws  telemetry  core") == 2


def steps_of(source: Path) -> list[str]:
    """The lines of the path that name a module."""
    house = flow.House.read(source)
    modules = [name.replace(".", "/") for name in house.files]
    lines = [line.lstrip(" ├─▶").split() for line in flow.path(house).splitlines()]
    return [" ".join(words) for words in lines if words and words[0] in modules]


def test_the_path_leads_from_records_to_letters_in_the_order_of_the_handler() -> None:
    assert steps_of(SOURCE) == [
        "sources/dynamodb_stream records_of decode refuse_as_a_whole sequence_number",
        "core/changes coalesce",
        "core/converge converge",
        "opensearch/bulk writer.write",
        "dynamodb/table table.read",
        "failures/letter DeadLetter.of",
        "failures/destination connect",
        "telemetry emit",
        "sources/dynamodb_stream answer",
    ]


def test_what_the_handler_no_longer_calls_leaves_the_path(source: Path) -> None:
    sync = source / PACKAGE / "functions/sync.py"
    text = sync.read_text(encoding="utf-8")
    changed = text.replace("destination.connect(arn).deliver(", "print(").replace("table=self._table,", "")
    sync.write_text(changed, encoding="utf-8")
    assert set(steps_of(SOURCE)) - set(steps_of(source)) == {
        "dynamodb/table table.read",
        "failures/destination connect",
    }


def test_the_pictures_lines_fit() -> None:
    house = flow.House.read(SOURCE)
    lines = f"{flow.rooms(house)}\n{flow.path(house)}".splitlines()
    assert [line for line in lines if len(line) > LONGEST_LINE] == []


def test_check_writes_nothing_and_fails_until_the_pages_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "CONTRIBUTING.md"
    page.write_text("# Mine\n<!-- BEGIN flow -->\n<!-- END flow -->\nThe end.\n", encoding="utf-8")
    monkeypatch.setattr(flow, "PAGE", page)
    monkeypatch.setattr(flow, "MAP", tmp_path / "map.md")
    before = page.read_text(encoding="utf-8")

    assert flow.main(["--check"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "CONTRIBUTING.md is stale: run `make docs`",
        "map.md is stale: run `make docs`",
    ]
    assert page.read_text(encoding="utf-8") == before
    assert not (tmp_path / "map.md").exists()

    assert flow.main([]) == 0
    assert flow.main(["--check"]) == 0
    assert "converge" in page.read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8").endswith("<!-- END flow -->\nThe end.\n")


def test_a_page_without_a_place_for_the_picture_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "PAGE", tmp_path / "CONTRIBUTING.md")
    with pytest.raises(SystemExit, match=r"has 0 pairs of markers for the flow: it must have one$"):
        flow.pages(SOURCE)
