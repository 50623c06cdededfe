"""cli/running.py, cli/flags.py, cli/output.py: where a run is noted, and how the command ends."""

import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
import typer
from dynamodb_opensearch.cli.run import survey as surveys
from dynamodb_opensearch.cli.run.survey import IndexSurvey, Survey
from dynamodb_opensearch.cli.run.task import Result, Task, carried_out, checkpoint_path, how_to_resume
from dynamodb_opensearch.cli.run.worker import JobFailedError
from dynamodb_opensearch.cli.target.configuration import Configuration
from dynamodb_opensearch.cli.target.flags import RunFlags, unfolded
from dynamodb_opensearch.core.errors import ConfigurationError, OutOfTimeError
from dynamodb_opensearch.dynamodb.description import TableDescription
from dynamodb_opensearch.jobs.job import Step
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.unit import Unit, Whole
from dynamodb_opensearch.opensearch.layout import read_layout
from dynamodb_opensearch.opensearch.reader import Reader
from fakes.settings import settings
from typer.testing import CliRunner

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/products"


def surveyed(*, uuid: str = "an index", table_id: str = "a table") -> Survey:
    description = {"aliases": {}, "mappings": {}, "settings": {"index": {"uuid": uuid, "number_of_shards": "1"}}}
    layout = read_layout("products", json.dumps({"products": description}))
    configuration = Configuration(settings())
    index = IndexSurvey(configuration.settings.projections[0], layout, 6)
    return Survey(configuration, TableDescription(TABLE, None, {"pk": "S"}, table_id, 6, 0), (index,))


def test_a_checkpoint_is_of_one_command_table_and_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    other = "https://other.example.com"
    paths = [
        checkpoint_path("backfill", settings(), TABLE),
        checkpoint_path("verify", settings(), TABLE),
        checkpoint_path("backfill", settings(), TABLE.replace("eu-west-1", "eu-west-2")),
        checkpoint_path("backfill", settings(INDEX="products-2"), TABLE),
        checkpoint_path("backfill", settings(OPENSEARCH_ENDPOINT=other), TABLE),
    ]
    assert len(set(paths)) == len(paths)
    assert checkpoint_path("backfill", settings(), TABLE) == paths[0]
    assert {path.parent for path in paths} == {tmp_path / "dynamodb-opensearch"}
    assert re.fullmatch(r"backfill-products-products-[0-9a-f]{8}\.jsonl", paths[0].name)


@pytest.mark.parametrize("state", ["", "relative/folder"])
def test_without_a_state_folder_it_is_the_homes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state: str) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", state)
    monkeypatch.setenv("HOME", str(tmp_path))
    path = checkpoint_path("verify", settings(INDEX="ü" * 255), TABLE)
    assert path.parent == tmp_path / ".local/state/dynamodb-opensearch"
    assert len(path.name) < 200


def test_to_go_on_is_the_same_command_but_no_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["x", "backfill", "--restart", "--terraform", "my infra"])
    assert how_to_resume(Path("c.jsonl")) == (
        "go on with: dynamodb-opensearch backfill --terraform 'my infra'  (checkpoint c.jsonl)"
    )


def test_a_command_gets_its_groups_of_options_as_one_argument_each() -> None:
    seen: list[Any] = []
    app = typer.Typer()

    @app.command()
    @unfolded
    def command(run: RunFlags, *, own: Annotated[int, typer.Option()] = 3) -> None:
        seen.extend((run, own))

    assert CliRunner().invoke(app, ["--workers", "5", "--own", "4", "--restart"]).exit_code == 0
    assert seen == [RunFlags(workers=5, restart=True), 4]
    assert CliRunner().invoke(app, ["--workers", "0"]).exit_code == 2


@dataclass(frozen=True, slots=True)
class Flaky:
    """Three units of two steps; one of them fails as long as a file exists."""

    obstacle: Path

    def plan(self, sync: Sync) -> Sequence[Unit]:
        del sync
        return [Whole("a"), Whole("b"), Whole("c")]

    def run(self, sync: Sync, unit: Unit, position: Any) -> Iterator[Step]:
        del sync
        if position is None:
            yield Step(1, Counter(items=1))
        if str(unit) == "b" and self.obstacle.exists():
            raise ConfigurationError("the operator must clear this up")
        yield Step(None, Counter(items=1), [{"kind": "refused", "id": str(unit)}])


class Runs:
    """Runs the flaky job again and again."""

    def __init__(self, folder: Path) -> None:
        self.obstacle = folder / "obstacle"
        self.name, self.is_comparison = "flaky", False
        self.now = surveyed()
        self.checkpoint = folder / "checkpoint.jsonl"

    def run(self, *, telling: Callable[[Result], None] = lambda _: None, restart: bool = False) -> dict[str, Any]:
        flags = RunFlags(checkpoint=self.checkpoint, restart=restart, processes=1, workers=1)
        task = Task(self.name, Flaky(self.obstacle), 6, is_comparison=self.is_comparison)
        with carried_out(task, self.now, flags) as result:
            telling(result)
            return {**result.to_json(), "findings": [finding["id"] for finding in result.checkpoint.findings()]}


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Runs:
    monkeypatch.setattr("dynamodb_opensearch.cli.run.engine.open_sync", lambda *_, **__: SimpleNamespace(capacity=None))
    monkeypatch.setattr(sys, "argv", ["x", "flaky"])
    runs = Runs(tmp_path)
    monkeypatch.setattr("dynamodb_opensearch.dynamodb.wire.connect", lambda **_: None)
    monkeypatch.setattr(surveys, "describe_table", lambda *_: runs.now.table)
    monkeypatch.setattr(Reader, "resolve", lambda *_: runs.now.indices[0].layout)
    return runs


def test_a_job_that_is_done_and_reported_leaves_no_checkpoint(runs: Runs, tmp_path: Path) -> None:
    result = runs.run()
    assert (result["done"], result["counts"], result["checkpoint"]) == (True, {"items": 6}, None)
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_failed_says_how_to_go_on_and_does_only_the_rest(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    runs.obstacle.touch()
    with pytest.raises(JobFailedError, match="the operator must clear this up"):
        runs.run()
    assert capsys.readouterr().err == (
        f"finished work is kept; go on with: dynamodb-opensearch flaky  (checkpoint {runs.checkpoint})\n"
    )
    runs.obstacle.unlink()
    result = runs.run()
    assert (result["counts"], sorted(result["findings"])) == ({"items": 6}, ["a", "b", "c"])
    assert capsys.readouterr().err.startswith("resuming from the checkpoint ")


@pytest.mark.parametrize("failure", [ConfigurationError("the disk is full"), BrokenPipeError(), KeyboardInterrupt()])
def test_a_finished_job_is_never_resumed_even_if_its_result_wasnt_printed(
    runs: Runs, capsys: pytest.CaptureFixture[str], failure: BaseException
) -> None:
    def fail(_: Result) -> None:
        raise failure

    with pytest.raises(type(failure)):
        runs.run(telling=fail)
    assert not runs.checkpoint.exists()
    assert runs.run()["counts"] == {"items": 6}
    assert "going on" not in capsys.readouterr().err


def _interrupted(runs: Runs, *, age_seconds: float = 0) -> None:
    runs.obstacle.touch()
    with pytest.raises(JobFailedError):
        runs.run()
    runs.obstacle.unlink()
    then = time.time() - age_seconds
    os.utime(runs.checkpoint, (then, then))


def test_an_old_comparison_starts_again_and_says_so(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    runs.is_comparison = True
    _interrupted(runs, age_seconds=3 * 86400)
    capsys.readouterr()
    began = runs.run()["startedAt"]
    printed = capsys.readouterr().err
    assert "is 3 d old, and what it compared says nothing about now: starting again" in printed
    assert began >= datetime.now(UTC).isoformat()[:16]


@pytest.mark.parametrize(("age_seconds", "is_comparison"), [(5 * 3600, True), (3 * 86400, False)])
def test_what_may_be_gone_on_with_says_how_old_it_is(
    runs: Runs, capsys: pytest.CaptureFixture[str], age_seconds: float, *, is_comparison: bool
) -> None:
    runs.is_comparison = is_comparison
    _interrupted(runs, age_seconds=age_seconds)
    capsys.readouterr()
    runs.run()
    printed = capsys.readouterr().err
    assert re.search(r"is (5 h|3 d) old\n", printed)
    assert "resuming from the checkpoint" in printed


def test_another_runs_old_checkpoint_is_refused_and_stays(runs: Runs) -> None:
    _interrupted(runs, age_seconds=3 * 86400)
    before = runs.checkpoint.read_text()
    runs.is_comparison = True
    runs.name = "verify"
    with pytest.raises(ConfigurationError, match=r"is of another run: its command is 'flaky', not 'verify'"):
        runs.run()
    assert runs.checkpoint.read_text() == before


def test_a_result_is_printed_even_if_the_sides_couldnt_be_checked_again(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OutOfTimeError("OpenSearch is down")

    monkeypatch.setattr(surveys, "describe_table", fail)
    assert runs.run()["counts"] == {"items": 6}
    assert "warning: couldn't check whether the table or the index was recreated meanwhile: OpenSearch is down" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"uuid": "another"}, "is of another index of that name: it was recreated since, or the alias was switched"),
        ({"table_id": "another"}, "is of another table of that name: it was recreated since"),
    ],
)
def test_work_on_an_index_or_table_that_was_made_anew_is_not_gone_on_with(
    runs: Runs, changes: dict[str, str], message: str
) -> None:
    _interrupted(runs)
    runs.now = surveyed(**changes)
    with pytest.raises(ConfigurationError, match=message):
        runs.run()
    assert runs.run(restart=True)["counts"] == {"items": 6}


def test_a_result_about_an_index_that_was_made_anew_meanwhile_is_none(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Reader, "resolve", lambda *_: surveyed(uuid="another").indices[0].layout)
    with pytest.raises(
        ConfigurationError, match=r"while this ran, .* recreated, .*indexUuid was 'an index', is 'another'"
    ):
        runs.run()
    assert not runs.checkpoint.exists()


@pytest.mark.parametrize("content", ["my notes\n", "my notes", '{"format": "geojson"}\n', "\x00\x01"])
@pytest.mark.parametrize("restart", [False, True])
def test_a_file_of_the_users_is_no_checkpoint_and_is_left_alone(runs: Runs, content: str, *, restart: bool) -> None:
    runs.checkpoint.write_text(content)
    lock = runs.checkpoint.with_name(runs.checkpoint.name + ".lock")
    lock.write_text("mine, too")
    with pytest.raises(ConfigurationError, match="is another kind of file, and was left alone: give another name"):
        runs.run(restart=restart)
    assert (runs.checkpoint.read_text(), lock.read_text()) == (content, "mine, too")


def test_a_restart_forgets_what_was_done(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    runs.obstacle.touch()
    with pytest.raises(JobFailedError):
        runs.run()
    runs.obstacle.unlink()
    capsys.readouterr()
    assert runs.run(restart=True)["counts"] == {"items": 6}
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("restart", [False, True])
def test_a_folder_is_no_checkpoint(runs: Runs, *, restart: bool) -> None:
    runs.checkpoint.mkdir()
    with pytest.raises(ConfigurationError, match="is another kind of file"):
        runs.run(restart=restart)
