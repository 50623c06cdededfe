import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dynamodb_opensearch.cli.run import engine, worker
from dynamodb_opensearch.cli.run.checkpoint import Checkpoint
from dynamodb_opensearch.cli.run.engine import Stop, Workers, run
from dynamodb_opensearch.cli.run.worker import JobFailedError
from dynamodb_opensearch.core.errors import OutOfTimeError
from dynamodb_opensearch.dynamodb.capacity import CapacityLimit
from dynamodb_opensearch.jobs.job import Pause, Step
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.unit import Segment, Unit, Whole
from dynamodb_opensearch.settings import read_settings

SETTINGS = read_settings(
    {
        "OPENSEARCH_ENDPOINT": "http://127.0.0.1:1",
        "OPENSEARCH_AUTH": "none",
        "TABLE_NAME": "products",
        "TABLE_KEYS": "pk",
        "INDEX": "products",
    }
)


@dataclass(frozen=True, slots=True)
class Patient:
    """Units that pause once, between their two steps."""

    units: int
    seconds: float
    order: list[str]

    def plan(self, sync: Sync) -> Sequence[Unit]:
        del sync
        return [Whole(str(number)) for number in range(self.units)]

    def run(self, sync: Sync, unit: Unit, position: Any) -> Iterator[Step | Pause]:
        del sync
        if position is None:
            self.order.append(f"{unit} begins")
            yield Step("half", Counter(items=1))
        yield Pause(time.monotonic() + self.seconds)
        self.order.append(f"{unit} ends")
        yield Step(None, Counter(items=1))


@pytest.fixture(autouse=True)
def _without_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "open_sync", lambda *_, **__: SimpleNamespace(capacity=None))


def run_all(job: Any, path: Path, *, stop: Stop | None = None, rate: float | None = None) -> tuple[bool, Checkpoint]:
    checkpoint, workers = Checkpoint(path / "checkpoint.jsonl", {}), Workers(threads=1, read_units_per_second=rate)
    try:
        done = run(job, SETTINGS, workers, checkpoint, stop=stop or Stop(), on_step=lambda _: None)
    finally:
        checkpoint.close()
    return done, checkpoint


def test_while_one_unit_pauses_the_next_is_done(tmp_path: Path) -> None:
    order: list[str] = []
    done, checkpoint = run_all(Patient(3, 0.3, order), tmp_path)
    assert order == ["0 begins", "1 begins", "2 begins", "0 ends", "1 ends", "2 ends"]
    assert done
    assert checkpoint.counts == {"items": 6}


def test_no_more_than_a_few_pause_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "PAUSED", 2)
    order: list[str] = []
    assert run_all(Patient(4, 0.1, order), tmp_path)[0]
    open_units = [sum(1 if "begins" in event else -1 for event in order[:end]) for end in range(len(order) + 1)]
    assert max(open_units) == 2
    assert len(order) == 8


def test_a_unit_whose_pause_is_over_goes_before_a_new_one(tmp_path: Path) -> None:
    order: list[str] = []
    run_all(Patient(2, 0, order), tmp_path)
    assert order == ["0 begins", "0 ends", "1 begins", "1 ends"]


def test_a_stop_doesnt_wait_for_pauses_and_the_rest_is_done_later(tmp_path: Path) -> None:
    order: list[str] = []
    stop = Stop()
    threading.Timer(0.3, stop.request).start()
    began = time.monotonic()
    done, _ = run_all(Patient(2, 60, order), tmp_path, stop=stop)
    assert not done
    assert time.monotonic() - began < 30
    done, checkpoint = run_all(Patient(2, 0, order), tmp_path)
    assert done
    assert checkpoint.counts == {"items": 4}
    assert sorted(order) == ["0 begins", "0 ends", "1 begins", "1 ends"]


@dataclass(frozen=True, slots=True)
class Throttled:
    """Two units of two pages, each begun by noting what it is about to do; a page fails so many times."""

    failures: int
    asked: Counter[tuple[Unit, Any]]

    def plan(self, sync: Sync) -> Sequence[Unit]:
        del sync
        return [Whole("a"), Whole("b")]

    def run(self, sync: Sync, unit: Unit, position: Any) -> Iterator[Step | Pause]:
        del sync
        start, begun = position or (0, [])
        if begun:
            yield Step([start, []])  # what was begun is looked up: that is no progress
        for page in range(start, 2):
            yield Step([page, ["key"]], is_intent=True)
            self.asked[unit, page] += 1
            if self.asked[unit, page] <= self.failures:
                raise OutOfTimeError("the table is throttled")
            yield Step([page + 1, []] if page == 0 else None, Counter(items=1))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit is retried after a short pause."""
    monkeypatch.setattr(worker, "_LONGEST_PAUSE_SECONDS", 0.01)


@pytest.mark.usefixtures("hasty")
def test_a_unit_that_runs_out_of_time_is_tried_again_from_its_last_step(tmp_path: Path) -> None:
    asked: Counter[tuple[Unit, Any]] = Counter()
    done, checkpoint = run_all(Throttled(5, asked), tmp_path)
    assert done
    assert checkpoint.counts == {"items": 4}
    assert set(asked.values()) == {6}


@pytest.mark.usefixtures("hasty")
def test_when_nothing_gets_on_any_more_the_run_ends_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(engine, "_QUIET_SECONDS", 0)
    monkeypatch.setattr(engine, "STUCK_SECONDS", 0.3)
    with pytest.raises(JobFailedError, match="the table is throttled; no progress for "):
        run_all(Throttled(10**9, Counter()), tmp_path)
    printed = capsys.readouterr().err.splitlines()
    assert 1 <= len(printed) <= 3
    assert all(line.startswith("waiting: the table is throttled; retrying for ") for line in printed)


@dataclass(frozen=True, slots=True)
class Costly:
    """One unit of this many pages, each of which takes ten capacity units."""

    pages: int

    def plan(self, sync: Sync) -> Sequence[Unit]:
        del sync
        return [Whole("a")]

    def run(self, sync: Sync, unit: Unit, position: Any) -> Iterator[Step]:
        del unit
        assert sync.capacity
        for page in range(position or 0, self.pages):
            sync.capacity.spend(10)
            yield Step(page + 1 if page + 1 < self.pages else None, Counter(items=1))


def test_a_step_begins_when_the_last_ones_reads_are_paid_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "open_sync", lambda *_, **options: SimpleNamespace(capacity=options["capacity"]))
    began = time.monotonic()
    done, checkpoint = run_all(Costly(4), tmp_path, rate=50)
    assert (done, checkpoint.counts) == (True, {"items": 4})
    assert time.monotonic() - began >= 0.6


def test_a_stop_doesnt_wait_until_a_debt_is_paid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = CapacityLimit(0.01)
    monkeypatch.setattr(engine, "open_sync", lambda *_, **__: SimpleNamespace(capacity=limit))
    stop = Stop()
    threading.Timer(0.3, stop.request).start()
    began = time.monotonic()
    done, checkpoint = run_all(Costly(4), tmp_path, stop=stop)
    assert (done, checkpoint.counts) == (False, {"items": 1})
    assert time.monotonic() - began < 30


def test_pauses_that_end_at_the_same_moment_need_no_order_of_their_units() -> None:
    paused = [worker._Paused(1.0, unit, worker._Run(unit, None, iter([]))) for unit in (Whole("b"), Segment(0, 1))]
    assert sorted(paused) == paused
