"""Sends writes as bulk requests and yields their outcomes, in chunks that overlap. Never retries, never acts on one.

A document occurs only once among the writes for its index, so chunks may land in any order. A request holds writes for
one index only, and names it in its path: the role may write to these indices and no others, and IAM sees only the path.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from dynamodb_opensearch.core.answers import Answer, Kind, Outcome, Split, judge
from dynamodb_opensearch.core.changes import Write
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError, UnreachableError
from dynamodb_opensearch.core.items import Item, quote
from dynamodb_opensearch.core.projections import Faulty, Projection
from dynamodb_opensearch.core.reasons import Reason
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.opensearch.client import quoted

# The status of each item, so that positions match the actions, but no item's content. A read of documents must not
# filter: a filtered answer changes numbers.
_PARAMETERS = {"filter_path": "errors,items.*.status,items.*.error"}


ENCODED: Item = {}
"""Replaces the content of a write that is encoded: the item isn't kept until the answer comes."""


class Poster(Protocol):
    """What sends a body to OpenSearch: ``client.Client``, or a test's stand-in."""

    def post(self, path: str, parameters: Mapping[str, str], body: bytes, timeout_seconds: float, /) -> Answer:
        """POST newline-delimited JSON; see ``client.Client.post``."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one request. ``actions`` is small so that a chunk is encoded while earlier ones are on the wire."""

    chunk_bytes: int
    actions: int

    def shrunk(self, halvings: int) -> "Limits":
        """The limits after failures: a request that was too large or too slow gets smaller with every round."""
        return Limits(self.chunk_bytes >> min(halvings, 10), max(self.actions >> min(halvings, 10), 1))


@dataclass(slots=True)
class _Chunk:
    index: str
    writes: list[Write] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, write: Write, lines: bytes) -> None:
        # Without the item, which takes many times the memory of its line, and is no longer needed.
        self.writes.append(write if write.content is None else Write(*write[:6], ENCODED))
        self.lines.append(lines)
        self.size += len(lines)

    def is_full(self, lines: bytes, limits: Limits) -> bool:
        """Whether these lines belong into the next request."""
        return self.size + len(lines) > limits.chunk_bytes or len(self.writes) >= limits.actions

    def halves(self) -> "tuple[_Chunk, _Chunk]":
        middle = len(self.writes) // 2
        return (
            _Chunk(self.index, self.writes[:middle], self.lines[:middle]),
            _Chunk(self.index, self.writes[middle:], self.lines[middle:]),
        )


class _Chunks:
    """The requests that are being filled: one for each index, all together about as large as one may be."""

    def __init__(self, limits: Limits, halvings: Mapping[str, int]) -> None:
        self._limits, self._halvings = limits, halvings
        self._chunks: dict[str, _Chunk] = {}
        self._limits_of: dict[str, Limits] = {}
        self._size = 0

    def add(self, write: Write, lines: bytes) -> _Chunk | None:
        """Add a write. Return a request that had to make room for it, and is to be sent."""
        ready, index = None, write.index
        chunk = self._chunks.get(index)
        if chunk and chunk.is_full(lines, self._limits_of[index]):
            ready = self._take(chunk)
        elif len(self._chunks) > 1 and self._size + len(lines) > self._limits.chunk_bytes:
            ready = self._take(max(self._chunks.values(), key=lambda chunk: chunk.size))
        if index not in self._chunks:
            self._chunks[index] = _Chunk(index)
            self._limits_of[index] = self._limits.shrunk(self._halvings.get(index, 0))
        self._chunks[index].add(write, lines)
        self._size += len(lines)
        return ready

    def rest(self) -> list[_Chunk]:
        """The requests that have room left."""
        return list(self._chunks.values())

    def _take(self, chunk: _Chunk) -> _Chunk:
        del self._chunks[chunk.index]
        self._size -= chunk.size
        return chunk


class Writer:
    """Writes to the indices or aliases of a sync."""

    def __init__(
        self,
        client: Poster,
        projections: Iterable[Projection],
        limits: Limits,
        connections: int,
        timeout_seconds: float,
    ) -> None:
        self._client = client
        self._projections = {projection.index: projection for projection in projections}
        self._limits = limits
        self._connections = connections
        self._timeout_seconds = timeout_seconds
        self._pool = ThreadPoolExecutor(connections, thread_name_prefix="bulk")

    def write(
        self,
        writes: Iterable[Write],
        deadline: Deadline,
        tally: Tally,
        halvings: Mapping[str, int] = MappingProxyType({}),
    ) -> Iterator[tuple[Write, Outcome]]:
        """Send the writes; yield each with its outcome. Takes no more from ``writes`` than fits in the open requests.

        Args:
            halvings: how often the limits are halved, by index.
        """
        chunks = _Chunks(self._limits, halvings)
        open_requests: deque[tuple[_Chunk, Future[list[Outcome]]]] = deque()

        def send(chunk: _Chunk) -> Iterator[tuple[Write, Outcome]]:
            open_requests.append((chunk, self._pool.submit(self._send, chunk, deadline, tally)))
            if len(open_requests) > self._connections:
                yield from _results(*open_requests.popleft())

        try:
            for write in writes:
                lines = _action(write, self._projections[write.index])
                if isinstance(lines, Faulty):
                    yield write, Outcome(Kind.REFUSED, lines.reason)
                elif chunk := chunks.add(write, lines):
                    yield from send(chunk)
            rest = chunks.rest()
            if len(rest) == 1 and not open_requests:  # a lone request needs no thread
                yield from zip(rest[0].writes, self._send(rest[0], deadline, tally), strict=True)
            else:
                for chunk in rest:
                    yield from send(chunk)
            while open_requests:
                yield from _results(*open_requests.popleft())
        finally:
            # Nothing may continue after an invocation's end: Lambda would freeze it half-way.
            for _, request in open_requests:
                request.cancel()
            wait([request for _, request in open_requests])

    def _send(self, chunk: _Chunk, deadline: Deadline, tally: Tally) -> list[Outcome]:
        timeout_seconds = min(self._timeout_seconds, deadline.remaining_seconds())
        if timeout_seconds <= 0:
            return _later(chunk, Reason("deadline", "no time was left to send it"))
        body = b"".join(chunk.lines)
        started = time.perf_counter()
        try:
            answer = self._client.post(f"/{quoted(chunk.index)}/_bulk", _PARAMETERS, body, timeout_seconds)
            outcomes = judge(answer, len(chunk.writes))
        except UnreachableError as error:
            return _later(chunk, Reason("unreachable", str(error)))
        except ConfigurationError as error:  # says nothing of the other indices
            return [Outcome(Kind.BLOCKED, error=error)] * len(chunk.writes)
        finally:
            tally.add_request(len(body), time.perf_counter() - started)
        if isinstance(outcomes, Split):
            return [outcome for half in chunk.halves() for outcome in self._send(half, deadline, tally)]
        return list(outcomes)


def _action(write: Write, projection: Projection) -> bytes | Faulty:
    """The action line and, unless it deletes, the document's line."""
    kind = "delete" if write.content is None else "index"
    line = f'{{"{kind}":{{"_id":{quote(write.id)},"version":{write.version},"version_type":"external"}}}}\n'
    head = line.encode("utf-8", "backslashreplace")
    if write.content is None:
        return head
    document = projection.encode(write.content)
    return document if isinstance(document, Faulty) else b"%b%b\n" % (head, document)


def _results(chunk: _Chunk, request: "Future[list[Outcome]]") -> Iterator[tuple[Write, Outcome]]:
    return zip(chunk.writes, request.result(), strict=True)


def _later(chunk: _Chunk, reason: Reason) -> list[Outcome]:
    return [Outcome(Kind.LATER, reason)] * len(chunk.writes)
