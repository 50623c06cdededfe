"""Runs every drill in its short form, on the test run's engines where the drill leaves them unchanged."""

import io
import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from engines import DynamoDBLocal, LocalStackNode, OpenSearchNode, opensearch
from rich.console import Console

from demo.steps import Steps
from drills import __main__
from drills.alarms import ALARMS, MODULE
from drills.capture import Recording, as_text
from drills.catalogue import DRILLS
from drills.drill import OPTIONS, Drill, Node
from drills.function import REPOSITORY
from drills.narration import WIDTH, Narration
from drills.stack import Engines
from drills.stage import SHORT, Stage


@pytest.fixture(scope="module")
def frail_node() -> Iterator[OpenSearchNode]:
    with opensearch(**OPTIONS[Node.FRAIL]) as node:
        yield node


@pytest.fixture(scope="module")
def secured_node() -> Iterator[OpenSearchNode]:
    with opensearch(**OPTIONS[Node.SECURED]) as node:
        yield node


@pytest.fixture
def engines(opensearch_node: OpenSearchNode, dynamodb_node: DynamoDBLocal, aws: LocalStackNode) -> Engines:
    return Engines(opensearch_node, dynamodb_node, aws)


@pytest.fixture
def stage(request: pytest.FixtureRequest, engines: Engines, tmp_path: Path) -> Iterator[Stage]:
    """The stage for the drill that the test's parameter names; its output is printed, and fits a terminal."""
    fixtures = {Node.PLAIN: "opensearch_node", Node.FRAIL: "frail_node", Node.SECURED: "secured_node"}
    drill = DRILLS[request.node.callspec.params["name"]]
    engines = replace(engines, opensearch=request.getfixturevalue(fixtures[drill.node]))
    output = io.StringIO()
    with Steps(Console(file=output, width=WIDTH, highlight=False)) as steps:
        yield Stage(engines, Narration(steps), SHORT, tmp_path, name="drill-products")
    print(output.getvalue())
    assert [line for line in output.getvalue().splitlines() if len(line) > WIDTH] == []


@pytest.mark.parametrize("name", DRILLS)
def test_it_ends_with_no_difference(stage: Stage, name: str) -> None:
    DRILLS[name].run(stage)


def test_a_drill_that_leaves_a_difference_does_not_end_well(
    engines: Engines, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def spoil(stage: Stage) -> None:
        with stage.healthy() as stack:
            stack.index.call("DELETE", f"/{stage.name}/_doc/P-0003")
            stage.prove(stack)

    drill = Drill("spoiled", "a document is deleted by hand", (), "none", spoil)
    monkeypatch.setitem(DRILLS, "spoiled", drill)
    monkeypatch.setattr(__main__, "opensearch", lambda **_: nullcontext(engines.opensearch))
    monkeypatch.setattr(__main__, "dynamodb_local", lambda **_: nullcontext(engines.dynamodb))
    monkeypatch.setattr(__main__, "localstack", lambda **_: nullcontext(engines.aws))
    monkeypatch.setattr(__main__, "unwind_on_termination", lambda: None)
    monkeypatch.setattr("sys.argv", ["drills", "spoiled", "--short"])

    assert __main__.main() == 1

    output, errors = capsys.readouterr()
    assert "missing        P-0003" in output
    assert errors == "drills: dynamodb-opensearch verify ended with 1, expected 0\n"


def test_without_a_name_all_are_listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["drills"])
    assert __main__.main() == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:] if line and line[0] != " "]
    assert listed[:10] == list(DRILLS)


def test_the_runbooks_table_says_which_drill_moves_which_alarm() -> None:
    text = (REPOSITORY / "docs/runbooks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \|.*\| ([^|]*) \|$", text, re.MULTILINE)
    named = {(alarm, drill) for alarm, drills in rows for drill in re.findall(r"`([a-z-]+)`", drills)}
    assert named == {(alarm, drill.name) for drill in DRILLS.values() for alarm in drill.alarms}


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_is_one_of_the_modules_with_its_metric_statistic_and_threshold(name: str) -> None:
    text = (MODULE / "alarms.tf").read_text(encoding="utf-8")
    [block] = re.findall(rf"^    {name} = {{(.*?)^    }}", text, re.MULTILINE | re.DOTALL)
    alarm = ALARMS[name]
    assert f'"{alarm.metric}"' in block
    assert f'"{alarm.statistic.value}"' in block
    assert f"var.{alarm.variable}" in block
    assert alarm.threshold > 0


@pytest.mark.parametrize("name", DRILLS)
def test_the_docs_describe_each_drills_alarms_and_its_output(name: str) -> None:
    drill = DRILLS[name]
    text = (REPOSITORY / "docs/guides/drills.md").read_text(encoding="utf-8")
    [section] = re.findall(rf"^## {name}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert all(f"`{alarm}`" in section for alarm in drill.alarms)
    output = re.search(r"```\n(.*?)```", section, re.DOTALL)
    assert output
    assert all(len(line) <= WIDTH for line in output[1].splitlines())
    assert "The index equals the table." in output[1]


def test_each_chapter_of_a_recording_shows_its_middle_and_its_last_frame() -> None:
    recorded = Recording([(at, f"screen {at}") for at in range(10)], [(0, "well"), (4, "broken"), (9, "mended")])
    assert list(recorded.chosen()) == [
        (2, "well", "screen 2"),
        (3, "well", "screen 3"),
        (6, "broken", "screen 6"),
        (8, "broken", "screen 8"),
        (9, "mended", "screen 9"),
    ]


def test_a_frame_is_its_text_without_colours_and_empty_rest() -> None:
    frame = "\x1b[1mproducts\x1b[0m   \r\n\x1b[2mlag\x1b[0m  3 s  \r\n   \r\n \x1b[?25l"
    assert as_text(frame) == "products\nlag  3 s"
