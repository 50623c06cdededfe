import json
import threading
import time
import tracemalloc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from dynamodb_opensearch.core.answers import Answer, Kind, Outcome
from dynamodb_opensearch.core.changes import Write
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError, UnreachableError
from dynamodb_opensearch.core.projections import Faulty, Projection
from dynamodb_opensearch.core.reasons import Reason
from dynamodb_opensearch.core.shapes import Shape
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.opensearch.bulk import Limits, Writer
from hypothesis import given
from hypothesis import strategies as st


def done(body: bytes) -> Answer:
    """All its actions were carried out."""
    return Answer(200, {"errors": False, "items": [{"index": {"status": 201}}] * body.count(b'"version_type"')})


class Recorder:
    """Answers every request as done, and remembers it."""

    def __init__(self) -> None:
        self._requests: list[tuple[str, bytes, float]] = []

    def post(self, path: str, parameters: Mapping[str, str], body: bytes, timeout_seconds: float, /) -> Answer:
        assert parameters == {"filter_path": "errors,items.*.status,items.*.error"}
        self._requests.append((path, body, timeout_seconds))  # at once: there are several threads
        return done(body)

    @property
    def paths(self) -> list[str]:
        return [path for path, _, _ in self._requests]

    @property
    def bodies(self) -> list[bytes]:
        return [body for _, body, _ in self._requests]

    @property
    def timeouts(self) -> list[float]:
        return [timeout_seconds for _, _, timeout_seconds in self._requests]


def writes(count: int, size: int = 10, index: str = "products") -> list[Write]:
    return [Write(index, f"k{n}", {}, n + 1, n + 1, None, {"t": {"S": "x" * size}}) for n in range(count)]


def send(
    poster: Any,
    some: Iterable[Write],
    *,
    limits: Limits | None = None,
    seconds: float = 60,
    halvings: Mapping[str, int] | None = None,
    indices: Sequence[str] = ("products",),
) -> tuple[list[tuple[Write, Outcome]], Tally]:
    writer, tally = writer_of(poster, limits or Limits(10**6, 250), indices), Tally()
    return list(writer.write(some, Deadline(lambda: int(seconds * 1000)), tally, halvings or {})), tally


def writer_of(poster: Any, limits: Limits, indices: Sequence[str] = ("products",)) -> Writer:
    return Writer(poster, map(Projection, indices), limits, connections=2, timeout_seconds=20)


def test_an_action_is_its_line_and_the_documents_line() -> None:
    recorder = Recorder()

    send(
        recorder,
        [
            Write("products", 'é"', {}, 7, 7, None, {"n": {"N": "1.50"}}),
            Write("products", "gone", {}, 8, 8, None, None),
        ],
    )

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

    send(recorder, writes(40, 100), limits=Limits(40_000, 16), halvings={"products": 2})
    assert max(body.count(b'"index"') for body in recorder.bodies) == 4

    recorder = Recorder()
    send(recorder, writes(40, 100), limits=Limits(8_000, 1000), halvings={"products": 3})
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

    outcomes = writer_of(Recorder(), Limits(10**6, 10)).write(source(), Deadline(lambda: 60_000), Tally())

    next(outcomes)
    assert taken <= 10 * 3 + 1


def test_after_an_error_no_request_is_still_under_way() -> None:
    running = threading.Event()
    finished = []

    class Slow:
        def post(self, path: str, parameters: Mapping[str, str], body: bytes, timeout_seconds: float, /) -> Answer:
            del path, parameters, timeout_seconds
            running.set()
            time.sleep(0.2)
            finished.append(body)
            return done(body)

    def unreadable() -> Iterator[Write]:
        yield from writes(3)
        running.wait(5)
        raise ConfigurationError("the table can't be read")

    with pytest.raises(ConfigurationError):
        send(Slow(), unreadable(), limits=Limits(10**6, 2))
    number = len(finished)
    time.sleep(0.3)

    assert len(finished) == number == 1


def test_requests_are_counted_with_bytes_and_time() -> None:
    recorder = Recorder()

    _, tally = send(recorder, writes(30), limits=Limits(10**6, 10))

    assert tally.bulk_requests == 3
    assert tally.bulk_bytes == sum(map(len, recorder.bodies))
    assert len(tally.bulk_seconds) == 3


@pytest.mark.parametrize(("count", "size", "number"), [(10_000, 500, 1), (60, 400_000, 1), (10_000, 500, 40)])
def test_memory_grows_with_the_chunk_and_not_with_the_batch_or_the_indices(count: int, size: int, number: int) -> None:
    class Discarding:
        def post(self, path: str, parameters: Mapping[str, str], body: bytes, timeout_seconds: float, /) -> Answer:
            del path, parameters, timeout_seconds
            return done(body)

    indices = [f"i{n}" for n in range(number)]
    some = [write._replace(index=indices[n % number]) for n, write in enumerate(writes(count, size))]
    limits = Limits(1024**2, 250)
    largest_chunk = max(limits.chunk_bytes, size)
    writer = writer_of(Discarding(), limits, indices)
    tracemalloc.start()
    try:
        for _ in writer.write(some, Deadline(lambda: 60_000), Tally()):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 8 * largest_chunk < count * size * 2


A, B, C = "orders", "customers", "lines"


def test_each_index_has_requests_of_its_own_named_in_their_paths() -> None:
    recorder = Recorder()
    some = [Write(index, f"{index}{n}", {}, 1, 1, None, None) for n in range(4) for index in (A, B, C)]

    outcomes, _ = send(recorder, some, indices=(A, B, C))

    assert sorted(recorder.paths) == ["/customers/_bulk", "/lines/_bulk", "/orders/_bulk"]
    for path, body in zip(recorder.paths, recorder.bodies, strict=True):
        index = path.split("/")[1]
        assert [json.loads(line)["delete"]["_id"] for line in body.splitlines()] == [f"{index}{n}" for n in range(4)]
    assert sorted(write.address for write, _ in outcomes) == sorted(write.address for write in some)


def test_the_name_of_an_index_is_quoted_in_the_path() -> None:
    recorder = Recorder()

    send(recorder, writes(1, index="é%"), indices=("é%",))

    assert recorder.paths == ["/%C3%A9%25/_bulk"]


@given(
    some=st.lists(st.tuples(st.sampled_from([A, B, C]), st.integers(0, 300)), max_size=60),
    limits=st.builds(Limits, st.integers(100, 1000), st.integers(1, 12)),
)
def test_every_write_gets_one_outcome_and_no_request_exceeds_its_limits(
    some: list[tuple[str, int]], limits: Limits
) -> None:
    recorder = Recorder()
    given = [Write(index, f"k{n}", {}, 1, 1, None, {"t": {"S": "x" * size}}) for n, (index, size) in enumerate(some)]

    outcomes, _ = send(recorder, given, limits=limits, indices=(A, B, C))

    assert sorted(write.address for write, _ in outcomes) == sorted(write.address for write in given)
    assert {outcome.kind for _, outcome in outcomes} <= {Kind.DONE}
    sent = [
        (path, body.count(b'"index"'), len(body)) for path, body in zip(recorder.paths, recorder.bodies, strict=True)
    ]
    assert all(count == 1 or (count <= limits.actions and size <= limits.chunk_bytes) for _, count, size in sent)
    assert sum(count for _, count, _ in sent) == len(given)


def test_the_largest_chunk_is_sent_when_all_together_exceed_the_limit() -> None:
    recorder = Recorder()
    some = [*writes(3, 200, A), *writes(2, 200, B), *writes(1, 500, C), *writes(1, 10, B)]

    writer = Writer(recorder, map(Projection, (A, B, C)), Limits(1600, 250), connections=1, timeout_seconds=20)
    list(writer.write(some, Deadline(lambda: 60_000), Tally()))

    assert recorder.paths[0] == f"/{A}/_bulk"
    assert sorted(recorder.paths[1:]) == [f"/{B}/_bulk", f"/{C}/_bulk"]


def test_many_indices_hold_back_no_more_than_one() -> None:
    """Each could fill a chunk of its own: what waits to be sent is bounded over all of them."""
    limits, size, taken, answered = Limits(10_000, 250), 900, 0, 0
    indices = [f"i{n}" for n in range(50)]

    def source() -> Iterator[Write]:
        nonlocal taken
        for n in range(2000):
            taken += 1
            yield Write(indices[n % 50], f"k{n}", {}, 1, 1, None, {"t": {"S": "x" * size}})

    most = 0
    for _ in writer_of(Recorder(), limits, indices).write(source(), Deadline(lambda: 60_000), Tally()):
        most = max(most, taken - answered)
        answered += 1

    assert answered == 2000
    assert most * size < 5 * limits.chunk_bytes  # three requests, and what isn't sent yet


def test_an_item_of_which_no_document_can_be_made_is_refused_and_never_sent() -> None:
    recorder = Recorder()
    fault = Faulty(Reason("transform_error", "KeyError"))
    one, two = Write("products", "a", {}, 1, 1, "7", fault), Write("products", "b", {}, 1, 1, None, {"n": {"X": 1}})

    outcomes, _ = send(recorder, [one, two, *writes(1)])

    (first, refused), (second, undecodable), (_, sent) = outcomes
    assert (first, refused) == (one, Outcome(Kind.REFUSED, fault.reason))
    assert (second, undecodable.kind, undecodable.reason and undecodable.reason.type) == (
        two,
        Kind.REFUSED,
        "undecodable",
    )
    assert sent.kind is Kind.DONE
    assert [body.count(b"_id") for body in recorder.bodies] == [1]


def test_a_document_that_is_ready_is_sent_as_it_is() -> None:
    recorder = Recorder()

    send(recorder, [Write("products", "a", {}, 7, 7, None, b'{"n":1.50}')])

    assert recorder.bodies[0].endswith(b'\n{"n":1.50}\n')


def test_an_item_is_sent_in_the_shape_of_its_index() -> None:
    recorder = Recorder()
    shaped = Projection(A, shape=Shape(exclude=("pk",), constants={"kind": "order"}))
    writer = Writer(recorder, [shaped, Projection(B)], Limits(10**6, 250), connections=2, timeout_seconds=20)
    item = {"pk": {"S": "1"}, "n": {"N": "2"}}

    list(writer.write([Write(index, "1", {}, 1, 1, None, item) for index in (A, B)], Deadline(lambda: 60_000), Tally()))

    found = {path: body.splitlines()[1] for path, body in zip(recorder.paths, recorder.bodies, strict=True)}
    assert found == {f"/{A}/_bulk": b'{"n":2,"kind":"order"}', f"/{B}/_bulk": b'{"pk":"1","n":2}'}


class Picky(Recorder):
    """Answers for some indices otherwise, or raises."""

    def __init__(self, **answers: Answer | Exception) -> None:
        super().__init__()
        self._answers = answers

    def post(self, path: str, parameters: Mapping[str, str], body: bytes, timeout_seconds: float, /) -> Answer:
        answer = super().post(path, parameters, body, timeout_seconds)
        other = self._answers.get(path.split("/")[1])
        if isinstance(other, Exception):
            raise other
        return other or answer


@pytest.mark.parametrize(
    "trouble", [Answer(401, "Unauthorized"), Answer(200, "?"), ConfigurationError("a certificate is missing")], ids=str
)
def test_what_must_be_changed_for_one_index_blocks_its_chunk_only(trouble: Answer | Exception) -> None:
    some = [Write(index, f"k{n}", {}, 1, 1, None, None) for n in range(3) for index in (A, B)]

    outcomes, _ = send(Picky(**{A: trouble}), some, indices=(A, B))

    kinds = {index: {outcome.kind for write, outcome in outcomes if write.index == index} for index in (A, B)}
    assert kinds == {A: {Kind.BLOCKED}, B: {Kind.DONE}}
    assert len(outcomes) == 6
    assert all(isinstance(outcome.error, ConfigurationError) for write, outcome in outcomes if write.index == A)


def test_an_outage_of_one_index_says_nothing_of_another() -> None:
    some = [Write(index, "k", {}, 1, 1, None, None) for index in (A, B)]

    outcomes, _ = send(Picky(**{A: UnreachableError("no answer")}), some, indices=(A, B))

    assert {write.index: outcome.kind for write, outcome in outcomes} == {A: Kind.LATER, B: Kind.DONE}


def test_the_half_of_a_split_request_that_is_blocked_says_nothing_of_the_other() -> None:
    class Halving(Recorder):
        def post(self, path: str, parameters: Mapping[str, str], body: bytes, timeout_seconds: float, /) -> Answer:
            super().post(path, parameters, body, timeout_seconds)
            if body.count(b"_id") > 1:
                return Answer(413, "")
            return Answer(401, "") if b'"k0"' in body else done(body)

    outcomes, _ = send(Halving(), writes(2))

    assert [outcome.kind for _, outcome in outcomes] == [Kind.BLOCKED, Kind.DONE]


def test_the_requests_of_one_index_shrink_alone() -> None:
    recorder = Recorder()
    some = [*writes(16, index=A), *writes(16, index=B)]

    send(recorder, some, limits=Limits(10**6, 16), indices=(A, B), halvings={A: 2})

    counts = [(path, body.count(b"_id")) for path, body in zip(recorder.paths, recorder.bodies, strict=True)]
    assert sorted(counts) == [(f"/{B}/_bulk", 16), *[(f"/{A}/_bulk", 4)] * 4]
