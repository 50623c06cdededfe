"""A client of the real OpenSearch index that all schedules of a run share; each schedule has its own key prefix."""

import http.client
import json
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simulation.items import POISONABLE_ATTRIBUTE, read_exactly

# Unmapped fields are stored but not indexed, so that only the poison is refused. Tombstones outlive any run.
_INDEX = {
    "settings": {
        "number_of_shards": 1,
        "number_of_replicas": 0,
        "refresh_interval": "-1",
        "index.gc_deletes": "1h",
        "index.translog.durability": "async",
    },
    "mappings": {"dynamic": False, "properties": {POISONABLE_ATTRIBUTE: {"type": "long"}}},
}


@dataclass(frozen=True, slots=True)
class Document:
    document_id: str
    version: int
    source: Any


class Index:
    """A client of the index. Each thread needs its own, since it keeps one connection alive."""

    def __init__(self, url: str, name: str) -> None:
        address = urllib.parse.urlsplit(url)
        self.name = name
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)

    def create(self) -> None:
        self._expect_ok(self._send("PUT", f"/{self.name}", json.dumps(_INDEX).encode()))

    def delete(self) -> None:
        self._expect_ok(self._send("DELETE", f"/{self.name}"))

    def bulk(self, body: bytes, query: str = "") -> tuple[int, bytes]:
        """Send a bulk request; return the status and the body of the real answer."""
        return self._send("POST", f"/{self.name}/_bulk" + (f"?{query}" if query else ""), body)

    def documents(self, ids: Iterable[str]) -> list[Document]:
        """Return those of these documents that exist, in real time: a search would have to wait for a refresh."""
        wanted = {"docs": [{"_id": i} for i in ids]}
        if not wanted["docs"]:
            return []
        answer = self._expect_ok(self._send("POST", f"/{self.name}/_mget", json.dumps(wanted).encode()))
        return [Document(d["_id"], int(d["_version"]), d["_source"]) for d in answer["docs"] if d["found"]]

    def close(self) -> None:
        self._connection.close()

    def _send(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        self._connection.request(method, path, body, {"content-type": "application/x-ndjson"})
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def _expect_ok(self, answer: tuple[int, bytes]) -> Mapping[str, Any]:
        status, body = answer
        if status != 200:
            raise RuntimeError(f"OpenSearch answered {status} about {self.name}: {body.decode(errors='replace')[:500]}")
        found: Mapping[str, Any] = read_exactly(body)
        return found
