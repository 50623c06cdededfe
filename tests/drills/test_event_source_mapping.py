"""The drills' substitute for Lambda must not be kinder than Lambda."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from drills.event_source_mapping import EventSourceMapping
from drills.function import REPOSITORY, Function, Invocation
from drills.metrics import Metrics
from simulation.history import Record

HANDLER = """
import os, time

def handler(event, context):
    match event["do"]:
        case "return": print("returning"); return context.get_remaining_time_in_millis()
        case "raise": raise ValueError("as asked")
        case "exit": print("going"); os._exit(3)
        case "sleep": print("sleeping"); time.sleep(60)
"""


class FakeStream:
    """A stream with existing records ``r0``, ``r1``, …"""

    arn = "arn:aws:dynamodb:us-east-1:000000000000:table/products/stream/1"
    trimmed = 0

    def __init__(self, number: int) -> None:
        self.records = [Record(time.time(), f"r{i}", str(i), {"name": f"r{i}"}) for i in range(number)]

    def add(self, name: str) -> None:
        self.records.append(Record(time.time(), name, str(len(self.records)), {"name": name}))


class FakeFunction:
    """Records the batches that it is invoked with."""

    name = "sync"

    def __init__(self, answer: Callable[[list[str]], Any]) -> None:
        self.batches: list[list[str]] = []
        self._answer = answer

    def invoke(self, event: Any) -> Invocation:
        batch = [record["name"] for record in event["Records"]]
        self.batches.append(batch)
        answer = self._answer(batch)
        return Invocation(0, [], error=answer) if isinstance(answer, str) else Invocation(0, [], response=answer)

    def close(self) -> None:
        pass


Start = Callable[..., EventSourceMapping]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts event source mappings, which are ended after the test."""
    started: list[EventSourceMapping] = []

    def start(stream: Any, function: Any, metrics: Metrics | None = None, **options: Any) -> EventSourceMapping:
        metrics = metrics or Metrics()
        started.append(EventSourceMapping(stream, function, metrics, on_invoked=lambda *_: None, **options))
        return started[-1]

    yield start
    for mapping in started:
        mapping.end()


def drain(mapping: EventSourceMapping) -> None:
    deadline = time.monotonic() + 20
    while not mapping.is_drained:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_failed_batch_is_halved_until_the_rest_is_done(start: Start) -> None:
    healed: list[bool] = []
    function = FakeFunction(lambda batch: "broken" if "r2" in batch and not healed else None)
    stream, metrics = FakeStream(4), Metrics()
    mapping = start(stream, function, metrics)
    while ["r2"] not in function.batches:
        time.sleep(0.01)

    assert function.batches[:4] == [["r0", "r1", "r2", "r3"], ["r0", "r1"], ["r2", "r3"], ["r2"]]
    assert not mapping.is_drained
    assert mapping.last_result == "PROBLEM: Function call failed"

    healed.append(True)
    drain(mapping)
    assert function.batches[-1] == ["r3"]
    assert mapping.last_result == "OK"
    assert sum(metrics.values("Errors")) == len(function.batches) - 3


def test_the_rest_of_a_partly_done_batch_comes_again(start: Start) -> None:
    answers = [{"batchItemFailures": [{"itemIdentifier": "1"}]}, None]
    function = FakeFunction(lambda _: answers.pop(0))
    metrics = Metrics()
    drain(start(FakeStream(3), function, metrics))
    assert function.batches == [["r0", "r1", "r2"], ["r1", "r2"]]
    assert metrics.values("FailedInvokeEventCount") == [2, 0]
    assert metrics.values("Errors") == [0, 0]


def test_a_disabled_mapping_is_silent_and_never_gets_dropped_records(start: Start) -> None:
    function = FakeFunction(lambda _: None)
    stream, metrics = FakeStream(2), Metrics()
    mapping = start(stream, function, metrics)
    drain(mapping)

    mapping.disable()
    since = time.monotonic()
    stream.add("lost")
    time.sleep(0.2)
    assert metrics.values("PolledEventCount", since) == []
    stream.trimmed = 3
    stream.add("new")
    mapping.enable()
    drain(mapping)

    assert function.batches == [["r0", "r1"], ["new"]]


def test_the_latest_position_skips_existing_records(start: Start) -> None:
    function = FakeFunction(lambda _: None)
    stream = FakeStream(2)
    mapping = start(stream, function, latest=True)
    stream.add("new")
    drain(mapping)
    assert function.batches == [["new"]]


@pytest.fixture
def function(tmp_path: Path) -> Iterator[Function]:
    (tmp_path / "app.py").write_text(HANDLER, encoding="utf-8")
    path = {"PYTHONPATH": f"{tmp_path}:{REPOSITORY / 'tests'}"}
    function = Function("sync", {}, path, timeout_seconds=1.0, handler="app.handler")
    yield function
    function.close()


@pytest.mark.parametrize(
    ("what", "error", "lines"),
    [
        ("raise", "ValueError: as asked", ["ValueError: as asked"]),
        ("exit", "Runtime exited", ["going"]),
        ("sleep", "Task timed out after 1.00 seconds", ["sleeping"]),
    ],
)
def test_a_failed_invocation_has_its_output_and_the_function_runs_again(
    function: Function, what: str, error: str, lines: Sequence[str]
) -> None:
    failed = function.invoke({"do": what})
    assert failed.error == error
    assert failed.lines[-1:] == lines
    good = function.invoke({"do": "return"})
    assert (good.error, good.lines) == (None, ["returning"])
    assert 0 < good.response <= 1000
