"""Uses the products' index over HTTP, as a shop's own code would. Every failure is a one-line OpenSearchError."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import urllib3

from demo.compare import Document, exact_json


class OpenSearchError(Exception):
    """OpenSearch gave no answer, or refused a request."""


class Index:
    """One index of an OpenSearch that needs no credentials."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.name = name
        self._http = urllib3.PoolManager(maxsize=4, retries=False, timeout=urllib3.Timeout(connect=5, read=30))

    def create(self, definition: str) -> None:
        """Create the index with the settings and mappings of a JSON text."""
        self._call("PUT", f"/{self.name}", json.loads(definition))

    def refresh(self) -> None:
        self._call("POST", f"/{self.name}/_refresh")

    def count(self, query: dict[str, Any] | None = None) -> int:
        """Count the documents that a search finds, which may be fewer than are stored."""
        answer = self._call("POST", f"/{self.name}/_count", {"query": query or {"match_all": {}}})
        return int(answer["count"])

    def get(self, id_: str) -> dict[str, Any] | None:
        """Return the stored document, even before a search finds it."""
        answer = self._call("GET", f"/{self.name}/_doc/{id_}", missing_is_fine=True)
        return dict(answer["_source"]) if answer.get("found") else None

    def stored(self, ids: Sequence[str]) -> set[str]:
        """Return which of these documents are stored, even before a search finds them."""
        if not ids:  # _mget refuses an empty list
            return set()
        answer = self._call("POST", f"/{self.name}/_mget?_source=false", {"ids": ids})
        return {document["_id"] for document in answer["docs"] if document.get("found")}

    def search(self, **body: Any) -> list[dict[str, Any]]:
        """Return the hits of a search, best first."""
        return list(self._call("POST", f"/{self.name}/_search", body)["hits"]["hits"])

    def documents(self, page: int = 500) -> Iterator[Document]:
        """Yield all documents with their whole _source: OpenSearch rounds numbers in a filtered _source."""
        answer = self._call("POST", f"/{self.name}/_search?scroll=1m", {"size": page, "sort": ["_doc"]})
        while answer["hits"]["hits"]:
            yield from (Document(hit["_id"], hit["_source"]) for hit in answer["hits"]["hits"])
            answer = self._call("POST", "/_search/scroll", {"scroll": "1m", "scroll_id": answer["_scroll_id"]})
        self._call("DELETE", "/_search/scroll", {"scroll_id": answer["_scroll_id"]})

    def _call(self, method: str, path: str, body: Any = None, *, missing_is_fine: bool = False) -> dict[str, Any]:
        what = f"{method} {self.url}{path}"
        data = None if body is None else json.dumps(body).encode()
        try:
            answer = self._http.request(
                method, self.url + path, body=data, headers={"Content-Type": "application/json"}
            )
        except urllib3.exceptions.HTTPError as error:
            raise OpenSearchError(f"{what}: no answer ({error}); is OpenSearch still running?") from error
        if answer.status >= 300 and not (missing_is_fine and answer.status == 404):
            raise OpenSearchError(f"{what}: HTTP {answer.status}: {answer.data[:500].decode(errors='replace')}")
        return dict(exact_json(answer.data))
