import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dynamodb_opensearch.cli import engine
from dynamodb_opensearch.cli.engine import Stop, Workers, run
from dynamodb_opensearch.cli.journal import Journal
from dynamodb_opensearch.jobs.pair import Pair
from dynamodb_opensearch.jobs.work import Pause, Step, Unit, steps_of
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

    def plan(self, pair: Pair) -> Sequence[Unit]:
        del pair
        return [str(number) for number in range(self.units)]

    def run(self, pair: Pair, unit: Unit, position: Any) -> Iterator[Step | Pause]:
        del pair
        if position is None:
            self.order.append(f"{unit} begins")
            yield Step("half", Counter(items=1))
        yield Pause(time.monotonic() + self.seconds)
        self.order.append(f"{unit} ends")
        yield Step(None, Counter(items=1))


@pytest.fixture(autouse=True)
def _without_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "open_pair", lambda *_, **__: None)


def run_all(job: Patient, path: Path, *, stop: Stop | None = None) -> tuple[bool, Journal]:
    journal = Journal(path / "checkpoint.jsonl", {})
    done = run(job, SETTINGS, Workers(threads=1), journal, stop=stop or Stop(), on_step=lambda _: None)
    journal.close()
    return done, journal


def test_while_one_unit_pauses_the_next_is_done(tmp_path: Path) -> None:
    order: list[str] = []
    done, journal = run_all(Patient(3, 0.3, order), tmp_path)
    assert order == ["0 begins", "1 begins", "2 begins", "0 ends", "1 ends", "2 ends"]
    assert done
    assert journal.counts == {"items": 6}


def test_no_more_than_a_few_pause_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PAUSED", 2)
    order: list[str] = []
    assert run_all(Patient(4, 0.1, order), tmp_path)[0]
    open_units = [sum(1 if "begins" in one else -1 for one in order[:end]) for end in range(len(order) + 1)]
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
    done, journal = run_all(Patient(2, 0, order), tmp_path)
    assert done
    assert journal.counts == {"items": 4}
    assert sorted(order) == ["0 begins", "0 ends", "1 begins", "1 ends"]


def test_a_unit_by_itself_waits_its_pauses_out() -> None:
    began = time.monotonic()
    pair: Any = None
    found = list(steps_of(Patient(1, 0.1, []), pair, "0", None))
    assert [step.position for step in found] == ["half", None]
    assert time.monotonic() - began >= 0.1
