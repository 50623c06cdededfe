"""Sends writes as bulk requests and yields their outcomes, in chunks that overlap. Never retries, never acts on one.

A document occurs only once among the writes, so chunks may land in any order.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Protocol

from dynamodb_opensearch.core.answers import Answer, Kind, Outcome, Split, judge
from dynamodb_opensearch.core.changes import Write
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.documents import encode_document
from dynamodb_opensearch.core.errors import UndecodableError, UnreachableError
from dynamodb_opensearch.core.items import Item, quote
from dynamodb_opensearch.core.reasons import Reason
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.opensearch.client import quoted

# The status of each item, so that positions match the actions, but no item's content. A read of documents must not
# filter: a filtered answer changes numbers.
_PARAMETERS = {"filter_path": "errors,items.*.status,items.*.error"}


ENCODED: Item = {}
"""Replaces the item of a write that is encoded: the item isn't kept until the answer comes."""


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
    writes: list[Write] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, write: Write, lines: bytes) -> None:
        # Without the item, which takes many times the memory of its line, and is no longer needed.
        self.writes.append(write if write.image is None else Write(*write[:5], ENCODED))
        self.lines.append(lines)
        self.size += len(lines)

    def halves(self) -> "tuple[_Chunk, _Chunk]":
        middle = len(self.writes) // 2
        return (
            _Chunk(self.writes[:middle], self.lines[:middle]),
            _Chunk(self.writes[middle:], self.lines[middle:]),
        )


class Index:
    """Writes to one index or alias of OpenSearch."""

    def __init__(self, client: Poster, name: str, limits: Limits, connections: int, timeout_seconds: float) -> None:
        self._client = client
        self._path = f"/{quoted(name)}/_bulk"
        self._limits = limits
        self._connections = connections
        self._timeout_seconds = timeout_seconds
        self._pool = ThreadPoolExecutor(connections, thread_name_prefix="bulk")

    def write(
        self, writes: Iterable[Write], deadline: Deadline, tally: Tally, halvings: int = 0
    ) -> Iterator[tuple[Write, Outcome]]:
        """Send the writes; yield each with its outcome. Takes no more from ``writes`` than fits in the open requests.

        Raises:
            ConfigurationError: see ``answers.judge`` and ``client.Client.post``.
        """
        limits = self._limits.shrunk(halvings)
        open_requests: deque[tuple[_Chunk, Future[list[Outcome]]]] = deque()
        chunk = _Chunk()
        try:
            for write in writes:
                try:
                    lines = _action(write)
                except UndecodableError as error:
                    yield write, Outcome(Kind.REFUSED, Reason("undecodable", str(error)))
                    continue
                if chunk.writes and (
                    chunk.size + len(lines) > limits.chunk_bytes or len(chunk.writes) >= limits.actions
                ):
                    open_requests.append((chunk, self._pool.submit(self._send, chunk, deadline, tally)))
                    chunk = _Chunk()
                    if len(open_requests) > self._connections:
                        yield from _results(*open_requests.popleft())
                chunk.add(write, lines)
            if chunk.writes and not open_requests:  # a lone request needs no thread
                yield from zip(chunk.writes, self._send(chunk, deadline, tally), strict=True)
            elif chunk.writes:
                open_requests.append((chunk, self._pool.submit(self._send, chunk, deadline, tally)))
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
            answer = self._client.post(self._path, _PARAMETERS, body, timeout_seconds)
        except UnreachableError as error:
            return _later(chunk, Reason("unreachable", str(error)))
        finally:
            tally.add_request(len(body), time.perf_counter() - started)
        outcomes = judge(answer, len(chunk.writes))
        if isinstance(outcomes, Split):
            return [outcome for half in chunk.halves() for outcome in self._send(half, deadline, tally)]
        return list(outcomes)


def _action(write: Write) -> bytes:
    """The action line and, unless it deletes, the document's line."""
    kind = "delete" if write.image is None else "index"
    line = f'{{"{kind}":{{"_id":{quote(write.id)},"version":{write.version},"version_type":"external"}}}}\n'
    head = line.encode("utf-8", "backslashreplace")
    return head if write.image is None else b"%b%b\n" % (head, encode_document(write.image))


def _results(chunk: _Chunk, request: "Future[list[Outcome]]") -> Iterator[tuple[Write, Outcome]]:
    return zip(chunk.writes, request.result(), strict=True)


def _later(chunk: _Chunk, reason: Reason) -> list[Outcome]:
    return [Outcome(Kind.LATER, reason)] * len(chunk.writes)
