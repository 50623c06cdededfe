"""``recover``: exports that cost money are asked for once, and never those of another incident."""

import json
import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dynamodb_opensearch.cli.commands import recover as recovering
from dynamodb_opensearch.cli.commands.recover import parse_moment
from dynamodb_opensearch.cli.run import exports
from dynamodb_opensearch.cli.run import survey as surveys
from dynamodb_opensearch.cli.run.exports import Asked, Exports
from dynamodb_opensearch.cli.run.survey import IndexSurvey, Survey
from dynamodb_opensearch.cli.run.task import alone
from dynamodb_opensearch.cli.run.worker import JobFailedError
from dynamodb_opensearch.cli.target.configuration import Configuration
from dynamodb_opensearch.cli.target.flags import RunFlags, TargetFlags
from dynamodb_opensearch.core.errors import ConfigurationError, OutOfTimeError
from dynamodb_opensearch.dynamodb.description import TableDescription
from dynamodb_opensearch.jobs.job import Step
from dynamodb_opensearch.jobs.unit import Unit, Whole
from dynamodb_opensearch.opensearch.layout import read_layout
from dynamodb_opensearch.opensearch.reader import Reader
from fakes.dynamodb import FakeDynamoDB
from fakes.opensearch import FakeOpenSearch
from fakes.sync import TABLE_ARN, make_sync

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class DynamoDB:
    """A table with point-in-time recovery up to five minutes ago, and its exports."""

    now: datetime = NOW
    exports: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By token."""
    asked_for: int = 0
    status: str = "COMPLETED"
    failing: Callable[[int], Exception | None] = lambda _: None
    """What the so manieth request for an export raises, after the export was begun."""

    def describe_continuous_backups(self, **_: Any) -> dict[str, Any]:
        description = {
            "PointInTimeRecoveryStatus": "ENABLED",
            "EarliestRestorableDateTime": (self.now - timedelta(days=35)).timestamp(),
            "LatestRestorableDateTime": (self.now - timedelta(minutes=5)).timestamp(),
        }
        return {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": description}}

    def export_table_to_point_in_time(self, *, ClientToken: str, **request: Any) -> dict[str, Any]:  # noqa: N803
        self.asked_for += 1
        arn = f"arn:{len(self.exports) + 1}"
        export = self.exports.setdefault(ClientToken, {**request, "ExportArn": arn, "ExportStatus": self.status})
        if fault := self.failing(self.asked_for):
            raise fault
        return {"ExportDescription": export}

    def describe_export(self, *, ExportArn: str) -> dict[str, Any]:  # noqa: N803
        [export] = [export for export in self.exports.values() if export["ExportArn"] == ExportArn]
        folder = f"p/AWSDynamoDB/{ExportArn[4:]}"
        return {"ExportDescription": {**export, "ExportManifest": f"{folder}/manifest-summary.json"}}

    def finish(self, status: str) -> None:
        self.status = status
        for export in self.exports.values():
            export["ExportStatus"] = status


@dataclass
class World:
    """Runs of the command, at different times."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    dynamodb: DynamoDB = field(default_factory=DynamoDB)
    asked: Asked = field(default_factory=lambda: Asked(TABLE_ARN, "table-1", NOW - 30 * HOUR, "bucket", "prefix"))

    @property
    def checkpoint(self) -> Path:
        return self.folder / "state/recover.jsonl"

    def exports(self, after: timedelta = timedelta(), *, restart: bool = False, **changes: Any) -> Exports:
        self.dynamodb.now = NOW + after

        class Clock(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                del tz
                return NOW + after

        self.monkeypatch.setattr(exports, "datetime", Clock)
        sync = make_sync(FakeDynamoDB(), FakeOpenSearch(), dynamodb=self.dynamodb)
        return Exports(self.checkpoint, replace(self.asked, **changes), sync, restart=restart)

    def run(self, after: timedelta = timedelta(), **options: Any) -> Any:
        return self.exports(after, **options).complete()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    monkeypatch.setattr(exports, "_POLL_SECONDS", 0.2)
    return World(tmp_path, monkeypatch)


def interrupt_soon() -> None:
    threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT]).start()


def test_exports_cover_all_since_then_and_say_up_to_when(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world.run() == ["s3://bucket/p/AWSDynamoDB/1", "s3://bucket/p/AWSDynamoDB/2"]
    first, second = (export["IncrementalExportSpecification"] for export in world.dynamodb.exports.values())
    assert first["ExportFromTime"] == NOW - 30 * HOUR
    assert first["ExportToTime"] == second["ExportFromTime"]
    assert second["ExportToTime"] == NOW - timedelta(minutes=5)
    printed = capsys.readouterr().err
    assert (
        "from 2026-11-23T06:00:00Z to 2026-11-24T11:55:00Z comes from 2 exports, and what changed after that" in printed
    )


def test_an_interrupted_wait_goes_on_with_the_same_exports(world: World) -> None:
    world.dynamodb.status = "IN_PROGRESS"
    interrupt_soon()
    assert world.run() is None
    world.dynamodb.finish("COMPLETED")
    exports = world.exports(HOUR)
    assert exports.complete() == ["s3://bucket/p/AWSDynamoDB/1", "s3://bucket/p/AWSDynamoDB/2"]
    assert (world.dynamodb.asked_for, exports.are_new) == (2, False)


@pytest.mark.parametrize("later", [timedelta(), HOUR])
def test_so_long_ago_is_later_when_the_run_goes_on_and_the_same_exports_do(world: World, later: timedelta) -> None:
    world.run()
    assert not world.exports(later, since=NOW - 30 * HOUR + later).are_new


@pytest.mark.parametrize(
    ("after", "changes"),
    [
        (timedelta(days=7), {}),
        (timedelta(days=7), {"since": NOW + timedelta(days=6)}),
        (25 * HOUR, {}),
        (HOUR, {"since": NOW}),  # after all that they cover
        (HOUR, {"since": NOW - 31 * HOUR}),
        (HOUR, {"bucket": "another"}),
        (HOUR, {"prefix": "another"}),
        (HOUR, {"table_id": "recreated"}),
        (-HOUR, {}),
    ],
)
def test_exports_of_another_incident_are_never_taken(
    world: World, after: timedelta, changes: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    world.run()
    before = world.dynamodb.asked_for
    capsys.readouterr()
    exports = world.exports(after, **changes)
    urls = exports.complete()
    assert exports.are_new
    assert world.dynamodb.asked_for > before
    assert urls
    assert {"s3://bucket/p/AWSDynamoDB/1", "s3://bucket/p/AWSDynamoDB/2"}.isdisjoint(urls)
    printed = capsys.readouterr().err
    assert "not resumed: a recovery begun at 2026-11-24T12:00:00Z, of what changed from 2026-11-23T06:00:00Z" in printed
    is_later = changes.get("since", world.asked.since) > world.asked.since
    assert ("If the earlier changes are still missing: --since 2026-11-23T06:00:00Z" in printed) == is_later


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), OutOfTimeError("DynamoDB is down")])
@pytest.mark.parametrize("request_number", [1, 2])
def test_a_run_that_dies_after_it_asked_doesnt_pay_twice(world: World, fault: Any, request_number: int) -> None:
    world.dynamodb.failing = lambda number: fault if number == request_number else None
    with pytest.raises(type(fault)):
        world.run()
    assert len(world.run(HOUR)) == 2
    assert len(world.dynamodb.exports) == 2


def test_an_export_that_failed_is_asked_for_again_and_the_others_arent(world: World) -> None:
    world.dynamodb.status = "IN_PROGRESS"
    interrupt_soon()
    world.run()
    world.dynamodb.finish("COMPLETED")
    first, *_ = world.dynamodb.exports.values()
    first |= {"ExportStatus": "FAILED", "FailureMessage": "the bucket is gone"}
    with pytest.raises(ConfigurationError, match="the export arn:1 is FAILED: the bucket is gone"):
        world.run()
    assert world.run() == ["s3://bucket/p/AWSDynamoDB/3", "s3://bucket/p/AWSDynamoDB/2"]
    assert world.dynamodb.asked_for == 3


def test_an_export_that_is_refused_leaves_nothing_to_go_on_with(world: World) -> None:
    denied = ConfigurationError("ExportTableToPointInTime answered AccessDenied")
    world.dynamodb.failing = lambda _: denied
    with pytest.raises(ConfigurationError, match="AccessDenied"):
        world.run()
    assert list(world.checkpoint.parent.iterdir()) == []


def test_an_unknown_file_is_not_overwritten_and_nothing_is_paid_for(world: World) -> None:
    world.checkpoint.parent.mkdir()
    world.checkpoint.write_text("my notes")
    with pytest.raises(ConfigurationError, match="is of another run, or isn't a checkpoint: give another"):
        world.run()
    assert (world.checkpoint.read_text(), world.dynamodb.asked_for) == ("my notes", 0)
    assert world.exports(restart=True).are_new


@pytest.mark.parametrize("text", ["{", "[]", "{}", "[" * 100_000, '{"asked": {"since": 3}}'])
def test_a_broken_memo_is_one_line(world: World, text: str) -> None:
    world.checkpoint.parent.mkdir()
    world.checkpoint.with_name("recover.jsonl.exports").write_text(text)
    with pytest.raises(ConfigurationError, match="is broken: start again with --restart"):
        world.run()
    assert len(world.run(restart=True)) == 2


def test_only_the_owner_may_read_the_memo(world: World) -> None:
    exports = world.exports()
    exports.complete()
    assert exports.path.stat().st_mode & 0o777 == 0o600
    exports.forget()
    assert list(world.checkpoint.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-24T09:00Z", NOW - timedelta(hours=3)),
        ("2026-11-24T09:00", NOW - timedelta(hours=3)),
        ("2026-11-24T10:00+01:00", NOW - timedelta(hours=3)),
        ("2026-11-23", NOW - timedelta(hours=36)),
        ("90m", NOW - timedelta(minutes=90)),
        ("36h", NOW - timedelta(hours=36)),
        ("3d", NOW - timedelta(days=3)),
    ],
)
def test_moments(text: str, expected: datetime) -> None:
    assert parse_moment(text, NOW) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *((text, "give a time such as") for text in ("yesterday", "", "3w", "-3h", "2026-13-01")),
        ("2026-11-25", "it is in the future"),
        ("999999d", "that is outside the years 1 to 9999"),
        ("0001-01-01T00:00+14:00", "that is outside the years 1 to 9999"),
    ],
)
def test_invalid_and_future_times_are_refused(text: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=f"--since {re.escape(text)}: {reason}"):
        parse_moment(text, NOW)


@dataclass(frozen=True, slots=True)
class Loading:
    """Replaces the load: one unit of two steps, which fails between them as long as a file exists."""

    exports: tuple[str, ...]

    def plan(self, sync: Any) -> list[Unit]:
        del sync
        return [Whole("file")]

    def run(self, sync: Any, unit: Unit, position: Any) -> Iterator[Step]:
        del sync, unit
        if position is None:
            yield Step(1, Counter(items=1))
        if Path("obstacle").exists():
            raise ConfigurationError("the operator must clear this up")
        yield Step(None, Counter(items=1))


@pytest.fixture
def recover(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], int]:
    """The command, with both sides in memory."""
    monkeypatch.chdir(world.folder)
    sync = make_sync(FakeDynamoDB(), FakeOpenSearch(), dynamodb=world.dynamodb)
    described = {"aliases": {}, "settings": {"index": {"uuid": "index-1", "number_of_shards": "1"}}}
    layout = read_layout("products", json.dumps({"products": described}))
    configuration = Configuration(sync.settings)
    index = IndexSurvey(sync.settings.projections[0], layout, 0)
    found = Survey(configuration, TableDescription(TABLE_ARN, None, {"pk": "S"}, "table-1", 6, 0), (index,))
    monkeypatch.setattr(recovering, "configure", lambda _: configuration)
    monkeypatch.setattr(recovering, "open_sync", lambda _: sync)
    monkeypatch.setattr(recovering, "survey", lambda _: found)
    monkeypatch.setattr("dynamodb_opensearch.dynamodb.wire.connect", lambda **_: None)
    monkeypatch.setattr(surveys, "describe_table", lambda *_: found.table)
    monkeypatch.setattr(Reader, "resolve", lambda *_: layout)
    monkeypatch.setattr(recovering, "Load", Loading)
    monkeypatch.setattr("dynamodb_opensearch.cli.run.engine.open_sync", lambda *_, **__: sync)
    world.dynamodb.now = datetime.now(UTC)

    def run(since: str) -> int:
        flags = RunFlags(checkpoint=world.checkpoint, processes=1, workers=1)
        options: Any = {"bucket": "bucket", "prefix": "prefix", "patience": 0, "rcu": None}
        return recovering.recover.function(TargetFlags(), flags, since=since, **options)

    return run


def test_a_recovery_that_is_interrupted_while_it_loads_goes_on_with_what_is_paid_for(
    world: World, recover: Callable[[str], int], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("obstacle").touch()
    with pytest.raises(JobFailedError):
        recover("30h")
    Path("obstacle").unlink()
    assert recover("30h") == 0
    assert world.dynamodb.asked_for == 2
    assert "resuming from the checkpoint" in capsys.readouterr().err
    assert list(world.checkpoint.parent.iterdir()) == []


def test_two_recoveries_at_a_time_dont_pay_for_the_same_exports(world: World, recover: Callable[[str], int]) -> None:
    with alone(world.checkpoint), pytest.raises(ConfigurationError, match="another run uses the checkpoint"):
        recover("30h")
    assert world.dynamodb.asked_for == 0
