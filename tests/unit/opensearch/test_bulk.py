import threading
import time
import tracemalloc
from collections.abc import Mapping
from typing import Any

import pytest
from dynamodb_opensearch.core.answers import Answer, Kind
from dynamodb_opensearch.core.changes import Write
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.opensearch.bulk import Index, Limits


def done(body: bytes) -> Answer:
    """All its actions were carried out."""
    return Answer(200, {"errors": False, "items": [{"index": {"status": 201}}] * body.count(b'"version_type"')})


class Recorder:
    """Answers every request as done, and remembers it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.timeouts: list[float] = []

    def post(self, path: str, parameters: Mapping[str, str], body: bytes, timeout_seconds: float, /) -> Answer:
        assert parameters == {"filter_path": "errors,items.*.status,items.*.error"}
        self.paths.append(path)
        self.bodies.append(body)
        self.timeouts.append(timeout_seconds)
        return done(body)


def writes(count: int, size: int = 10) -> list[Write]:
    return [Write(f"k{n}", {}, n + 1, n + 1, None, {"t": {"S": "x" * size}}) for n in range(count)]


def send(
    poster: Any, some: list[Write], *, limits: Limits | None = None, seconds: float = 60, halvings: int = 0
) -> tuple[list[tuple[Write, Any]], Tally]:
    index = Index(poster, "products", limits or Limits(10**6, 250), connections=2, timeout_seconds=20)
    tally = Tally()
    return list(index.write(some, Deadline(lambda: int(seconds * 1000)), tally, halvings)), tally


def test_an_action_is_its_line_and_the_documents_line() -> None:
    recorder = Recorder()

    send(recorder, [Write('é"', {}, 7, 7, None, {"n": {"N": "1.50"}}), Write("gone", {}, 8, 8, None, None)])

    assert recorder.bodies == [
        '{"index":{"_id":"é\\"","version":7,"version_type":"external"}}\n'
        '{"n":1.50}\n'
        '{"delete":{"_id":"gone","version":8,"version_type":"external"}}\n'.encode()
    ]
    assert recorder.paths == ["/products/_bulk"]


def test_a_request_waits_no_longer_than_the_invocation_lasts() -> None:
    patient, hurried = Recorder(), Recorder()

    send(patient, writes(1), seconds=1000)
    send(hurried, writes(1), seconds=10)

    assert patient.timeouts == [20]
    assert hurried.timeouts == [9]  # a tenth is kept for the answer


def test_nothing_is_sent_when_no_time_is_left() -> None:
    recorder = Recorder()

    outcomes, _ = send(recorder, writes(3), seconds=0)

    assert recorder.bodies == []
    assert [outcome.kind for _, outcome in outcomes] == [Kind.LATER] * 3


def test_each_failed_round_halves_bytes_and_actions() -> None:
    recorder = Recorder()

    send(recorder, writes(40, 100), limits=Limits(40_000, 16), halvings=2)
    assert max(body.count(b'"index"') for body in recorder.bodies) == 4

    recorder.bodies.clear()
    send(recorder, writes(40, 100), limits=Limits(8_000, 1000), halvings=3)
    assert max(map(len, recorder.bodies)) <= 1000


def test_a_document_larger_than_a_chunk_goes_alone() -> None:
    recorder = Recorder()

    send(recorder, writes(3, 2000), limits=Limits(1000, 250))

    assert [body.count(b'"index"') for body in recorder.bodies] == [1, 1, 1]


def test_no_more_is_taken_than_fits_in_the_open_requests() -> None:
    taken = 0

    def source() -> Any:
        nonlocal taken
        for write in writes(100):
            taken += 1
            yield write

    index = Index(Recorder(), "products", Limits(10**6, 10), connections=2, timeout_seconds=20)
    outcomes = index.write(source(), Deadline(lambda: 60_000), Tally())

    next(outcomes)
    assert taken <= 10 * 3 + 1


def test_after_an_error_no_request_is_still_under_way() -> None:
    running = threading.Event()
    finished = []

    class OneFails:
        def post(self, path: str, parameters: Mapping[str, str], body: bytes, timeout_seconds: float, /) -> Answer:
            del path, parameters, timeout_seconds
            if b'"k0"' in body:
                running.wait(5)  # until the second request is on its way
                return Answer(401, "Unauthorized")
            running.set()
            time.sleep(0.2)
            finished.append(body)
            return done(body)

    with pytest.raises(ConfigurationError):
        send(OneFails(), writes(6), limits=Limits(10**6, 2))
    done = len(finished)
    time.sleep(0.3)

    assert len(finished) == done >= 1


def test_requests_are_counted_with_bytes_and_time() -> None:
    recorder = Recorder()

    _, tally = send(recorder, writes(30), limits=Limits(10**6, 10))

    assert tally.bulk_requests == 3
    assert tally.bulk_bytes == sum(map(len, recorder.bodies))
    assert len(tally.bulk_seconds) == 3


@pytest.mark.parametrize(("count", "size"), [(10_000, 500), (60, 400_000)])
def test_memory_grows_with_the_chunk_and_not_with_the_batch(count: int, size: int) -> None:
    class Discarding:
        def post(self, path: str, parameters: Mapping[str, str], body: bytes, timeout_seconds: float, /) -> Answer:
            del path, parameters, timeout_seconds
            return done(body)

    some = writes(count, size)
    limits = Limits(1024**2, 250)
    largest_chunk = max(limits.chunk_bytes, size)
    index = Index(Discarding(), "products", limits, connections=2, timeout_seconds=20)
    tracemalloc.start()
    try:
        for _ in index.write(some, Deadline(lambda: 60_000), Tally()):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 8 * largest_chunk < count * size * 2
