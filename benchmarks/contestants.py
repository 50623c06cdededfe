"""The contestants: the function, and other ways to write the same records into an index.

Each gets the same records before the clock starts, and must raise if anything wasn't written.
"""

import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from boto3.dynamodb.types import TypeDeserializer
from dynamodb_opensearch.core.versions import own_version
from dynamodb_opensearch.settings import read_settings
from opensearchpy import OpenSearch
from opensearchpy.helpers import bulk
from opensearchpy.serializer import JSONSerializer

from benchmarks.bodies import bodies_of
from benchmarks.lambda_context import Context
from benchmarks.workloads import COUNTERS, KEY, KINDS, Record

OURS, RAW, BULK, SINGLE = "ours", "raw", "helpers.bulk", "one by one"
THREE, WRITTEN, SKIPPED = "three indices", "no-ops written", "no-ops skipped"


class Contestant(Protocol):
    """One way to write a batch of stream records into indices of its own."""

    name: str
    indices: Mapping[str, str | None]
    """Index -> the kind of the items that it holds; None: it holds all."""

    def prepare(self, records: Sequence[Record]) -> None:
        """Take the batch. This isn't timed."""

    def run(self) -> None:
        """Write the whole batch."""


class BenchmarkError(Exception):
    """The benchmark itself failed; the message is for the user."""


class Ours:
    """The function's handler, as Lambda calls it."""

    index = "bench-ours"

    def __init__(
        self,
        url: str,
        name: str = OURS,
        projections: Mapping[str, Any] | None = None,
        *,
        skip_unchanged: bool = False,
    ) -> None:
        """Make a function with settings of its own.

        Args:
            projections: what each index holds, as in INDICES; without it, there is one index of whole items.
        """
        os.environ |= function_environment(url, self.index)
        from dynamodb_opensearch.functions.sync import SyncFunction  # noqa: PLC0415 (the module reads settings when it is imported)

        environment = dict(os.environ)
        if projections is not None:
            environment |= {"INDEX": "", "INDICES": json.dumps(projections)}
        environment["SKIP_UNCHANGED"] = str(skip_unchanged).lower()
        self.name = name
        self.indices: Mapping[str, str | None] = dict.fromkeys(projections or [self.index])
        self._handler = SyncFunction(read_settings(environment)).handle
        self._event: dict[str, Any] = {}
        self._log = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (Lambda's log, open until the process ends)

    def prepare(self, records: Sequence[Record]) -> None:
        self._event = {"Records": records}

    def run(self) -> None:
        with redirect_stdout(self._log):
            answer = self._handler(self._event, Context())
        if answer != {"batchItemFailures": []}:
            raise BenchmarkError(f"the function left records undone: {answer}")


def three_indices(url: str) -> Ours:
    """Return the function with an index for each kind of item."""
    indices: dict[str, str | None] = {f"bench-{kind}": kind for kind in KINDS}
    when = {index: {"when": [{"attribute": "kind", "equals": [kind]}]} for index, kind in indices.items()}
    contestant = Ours(url, THREE, when)
    contestant.indices = indices
    return contestant


def without_counters(url: str, name: str, index: str, *, skip_unchanged: bool) -> Ours:
    """Return the function with an index that leaves out what changes often."""
    return Ours(url, name, {index: {"exclude": list(COUNTERS)}}, skip_unchanged=skip_unchanged)


class Raw:
    """Ready-made requests on one kept-alive socket: only the time that OpenSearch and the loopback take."""

    name, index = RAW, "bench-raw"
    indices: Mapping[str, str | None] = {index: None}

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "localhost", parts.port or 80)
        self._socket = socket.create_connection(self._address, timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._requests: list[bytes] = []

    def prepare(self, records: Sequence[Record]) -> None:
        self.prepare_bodies(bodies_of(records), self.index)

    def prepare_bodies(self, bodies: Iterable[bytes], index: str) -> None:
        """Take complete bodies for an index."""
        self._requests = [self._request(index, body) for body in bodies]

    def run(self) -> None:
        for request in self._requests:
            self._send(request)

    def seed(self, index: str, records: Sequence[Record]) -> None:
        """Put documents into any index. This isn't timed."""
        for body in bodies_of(records):
            self._send(self._request(index, body))

    def _request(self, index: str, body: bytes) -> bytes:
        head = (
            f"POST /{index}/_bulk?filter_path=errors,items.*.status,items.*.error HTTP/1.1\r\n"
            f"Host: {self._address[0]}:{self._address[1]}\r\n"
            f"Content-Type: application/x-ndjson\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def _send(self, request: bytes) -> None:
        self._socket.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._received()
        head, _, body = answer.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        parts, missing = [body], length - len(body)
        while missing > 0:
            parts.append(self._received())
            missing -= len(parts[-1])
        if not head.startswith(b"HTTP/1.1 200") or b'"errors":false' not in parts[0]:
            raise BenchmarkError(f"OpenSearch refused a ready-made request: {(head + parts[0])[:500]!r}")

    def _received(self) -> bytes:
        data = self._socket.recv(1 << 16)
        if not data:
            raise BenchmarkError("OpenSearch closed the connection of the ready-made requests")
        return data


class Bulk:
    """A careful user's code: opensearch-py's ``helpers.bulk`` over boto3's ``TypeDeserializer``, with versions."""

    name, index = BULK, "bench-helpers"
    indices: Mapping[str, str | None] = {index: None}

    def __init__(self, url: str) -> None:
        self._client = OpenSearch([url], serializer=_Serializer())
        self._deserialize = TypeDeserializer().deserialize
        self._records: Sequence[Record] = []

    def prepare(self, records: Sequence[Record]) -> None:
        self._records = records

    def run(self) -> None:
        # Here every deleted document exists, so any error is a real error.
        bulk(self._client, self._actions(), index=self.index)

    def _actions(self) -> Iterator[dict[str, Any]]:
        for record in self._records:
            data = record["dynamodb"]
            action = {
                "_id": data["Keys"][KEY]["S"],
                "version": own_version(data["ApproximateCreationDateTime"], data["SequenceNumber"]),
                "version_type": "external",
            }
            if record["eventName"] == "REMOVE":
                yield {**action, "_op_type": "delete"}
            else:
                source = {name: self._deserialize(value) for name, value in data["NewImage"].items()}
                yield {**action, "_source": source}


class Single:
    """The guide's way: one request per record, one after another."""

    name, index = SINGLE, "bench-single"
    indices: Mapping[str, str | None] = {index: None}

    def __init__(self, url: str) -> None:
        self._client = OpenSearch([url], serializer=_Serializer())
        self._deserialize = TypeDeserializer().deserialize
        self._records: Sequence[Record] = []

    def prepare(self, records: Sequence[Record]) -> None:
        self._records = records

    def run(self) -> None:
        for record in self._records:
            data = record["dynamodb"]
            document_id = data["Keys"][KEY]["S"]
            if record["eventName"] == "REMOVE":
                self._client.delete(index=self.index, id=document_id)
            else:
                source = {name: self._deserialize(value) for name, value in data["NewImage"].items()}
                self._client.index(index=self.index, id=document_id, body=source)


class _Serializer(JSONSerializer):
    """Serializes sets, which opensearch-py's serializer doesn't; like it, turns Decimals into floats."""

    def default(self, data: Any) -> Any:
        return sorted(data) if isinstance(data, set) else super().default(data)


def function_environment(url: str, index: str) -> dict[str, str]:
    """Return the function's settings: defaults, except for the names and addresses."""
    return {
        "OPENSEARCH_ENDPOINT": url,
        "OPENSEARCH_AUTH": "none",
        "TABLE_NAME": "products",
        "TABLE_KEYS": KEY,
        "INDEX": index,
        "AWS_REGION": "eu-west-1",
    }
