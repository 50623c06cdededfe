"""Indices in memory that answer ``POST /{index}/_bulk`` as OpenSearch does, faults on demand included.

``tests/opensearch/test_fake.py`` holds them against the real one.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from dynamodb_opensearch.core.answers import Answer
from dynamodb_opensearch.core.errors import UnreachableError


@dataclass(slots=True)
class Stored:
    """A document, or the tombstone of one (``source`` is None)."""

    version: int
    source: str | None


Fault = Answer | Exception | None
"""What a request gets instead of its answer: an Answer is given, an exception is raised."""


@dataclass(slots=True)
class FakeOpenSearch:
    """One index or several. Faults are asked in turn, one per request."""

    documents: dict[str, Stored] = field(default_factory=dict)
    """The documents of the only index, whatever its name."""
    indices: dict[str, dict[str, Stored]] = field(default_factory=dict)
    """The documents of the indices that are named here; those of all others are in ``documents``."""
    faults: list[Fault] = field(default_factory=list)
    """For requests to any index."""
    faults_of: dict[str, list[Fault]] = field(default_factory=dict)
    """For requests to this index."""
    item_faults: Callable[[str], dict[str, Any] | None] = lambda _id: None
    """By document id: the error result of one action, which isn't carried out then."""
    item_faults_of: dict[str, Callable[[str], dict[str, Any] | None]] = field(default_factory=dict)
    """The same for one index."""
    maximum_bytes: int = 100 * 1024**2
    requests: list[list[str]] = field(default_factory=list)
    """The document ids of each request that came through."""
    requests_of: dict[str, list[list[str]]] = field(default_factory=dict)
    """The same for each index."""

    def post(self, path: str, parameters: Mapping[str, str], body: bytes, timeout_seconds: float, /) -> Answer:
        """See ``client.Client.post``."""
        index = unquote(path.removeprefix("/").removesuffix("/_bulk"))
        assert path.endswith("/_bulk")
        assert "/" not in index
        assert timeout_seconds > 0
        queue = self.faults_of.get(index) or self.faults
        fault = queue.pop(0) if queue else None
        if isinstance(fault, Exception):
            raise fault
        if fault is not None:
            return fault
        if len(body) > self.maximum_bytes:
            return Answer(413, "")
        assert body.endswith(b"\n")
        lines = body.decode().split("\n")[:-1]
        items, ids = [], []
        while lines:
            [(action, meta)] = json.loads(lines.pop(0)).items()
            assert meta["version_type"] == "external"
            assert len(meta["_id"].encode()) <= 512
            source = lines.pop(0) if action == "index" else None
            ids.append(meta["_id"])
            items.append({action: self._apply(index, action, meta["_id"], meta["version"], source)})
        self.requests.append(ids)
        self.requests_of.setdefault(index, []).append(ids)
        return Answer(200, {"errors": any("error" in one for item in items for one in item.values()), "items": items})

    def documents_of(self, index: str) -> dict[str, Stored]:
        """Document id -> document or tombstone, in this index."""
        return self.indices.get(index, self.documents)

    def sources(self, index: str = "products") -> dict[str, Any]:
        """Document id -> its content, numbers exact; without tombstones."""
        return {
            key: json.loads(one.source, parse_float=Decimal, parse_int=Decimal)
            for key, one in self.documents_of(index).items()
            if one.source is not None
        }

    def _apply(self, index: str, action: str, key: str, version: int, source: str | None) -> dict[str, Any]:
        if (fault := self.item_faults_of.get(index, self.item_faults)(key)) is not None:
            return fault
        documents = self.documents_of(index)
        stored = documents.get(key)
        if stored is not None and stored.version >= version:
            reason = (
                f"[{key}]: version conflict, current version [{stored.version}] "
                f"is higher or equal to the one provided [{version}]"
            )
            return {"status": 409, "error": {"type": "version_conflict_engine_exception", "reason": reason}}
        existed = stored is not None and stored.source is not None
        documents[key] = Stored(version, source)
        if action == "delete":
            return {"status": 200 if existed else 404}
        return {"status": 200 if existed else 201}


def busy() -> Answer:
    """What indexing pressure answers."""
    reason = "rejected execution of coordinating operation [coordinating_and_primary_bytes=0]"
    return Answer(429, {"error": {"type": "rejected_execution_exception", "reason": reason}, "status": 429})


def unreachable() -> UnreachableError:
    """A reset, or no answer in time."""
    return UnreachableError("http://search: ReadTimeoutError")


def refused(
    reason: str = "failed to parse field [n] of type [long] in document with id '1'. Preview: 'secret'",
) -> dict[str, Any]:
    """An item result that no retry can change."""
    return {"status": 400, "error": {"type": "mapper_parsing_exception", "reason": reason}}


def overloaded() -> dict[str, Any]:
    """An item result of a full write queue."""
    return {"status": 429, "error": {"type": "rejected_execution_exception", "reason": "rejected execution of …"}}


def missing(index: str) -> Answer:
    """The answer for an index that doesn't exist and may not be created by a write."""
    return Answer(404, {"error": {"type": "index_not_found_exception", "reason": f"no such index [{index}]"}})


def forbidden() -> Answer:
    """The answer to a role that may not write to this index."""
    return Answer(
        403, {"error": {"type": "security_exception", "reason": "no permissions for [indices:data/write/bulk]"}}
    )
