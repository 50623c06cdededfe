"""The index as jobs see it: reads documents by id, lists the ids in it, and deletes documents that are proven wrong.

OpenSearch returns a whole ``_source`` byte for byte, but a filtered one passes through doubles, which changes numbers.
So a document is read whole, or without its content.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.documents import Document, Place
from dynamodb_opensearch.core.errors import ConfigurationError, OutOfTimeError, RefusedError, UnreachableError
from dynamodb_opensearch.opensearch.client import Client, quoted
from dynamodb_opensearch.opensearch.layout import Layout, read_layout
from dynamodb_opensearch.opensearch.mget import documents

PART = 20_000
"""How many documents of a shard are worth a part of their own."""
_RECOUNTS = 5


class Hit(NamedTuple):
    """A document that a search found, without its content."""

    place: Place
    version: int


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard, or a part of it, of an index."""

    index: str
    number: int
    first: int = 0
    """The first sequence number of the part."""
    last: int | None = None
    """The last one; None for no end."""

    def __str__(self) -> str:
        end = "" if self.last is None else f" to {self.last}"
        return f"shard {self.number} of {self.index} from {self.first}{end}"


class Listing(NamedTuple):
    """A page of a shard's documents."""

    hits: Sequence[Hit]
    position: Any
    """Where to continue, in a form that JSON holds; None at the end."""
    unlisted: int
    """How many documents are in the page's range but not on it."""


class Reader:
    """Reads and deletes documents under a name: an index, or an alias of one or more."""

    def __init__(self, client: Client, name: str, timeout_seconds: float) -> None:
        self._client = client
        self.name = name
        self._timeout_seconds = timeout_seconds

    def resolve(self, deadline: Deadline) -> Layout:
        """The layout of the index or alias that the name leads to now.

        Raises:
            ConfigurationError: there is no such index, or a sync can't write to it.
        """
        return read_layout(self.name, self._fetch("GET", f"/{quoted(self.name)}", {}, None, deadline))

    def get(
        self, places: Sequence[Place], deadline: Deadline, expected: Sequence[str] = (), *, sources: bool = True
    ) -> list[Document | None]:
        """The documents as they are now, refreshed or not; None for each that doesn't exist.

        Args:
            places: all in one index.
            expected: what each is likely to hold, if that is known; it makes the reading faster.
            sources: whether their content is wanted; without it memory doesn't matter.

        Raises:
            ConfigurationError: the index is gone, can't be read, or keeps no ``_source``.
            OutOfTimeError: it was busy or down until the deadline.
        """
        if not places:
            return []
        body: dict[str, Any] = {"ids": [place.id for place in places]}
        if any(place.routing for place in places):
            body = {"docs": [_coordinates(place) for place in places]}
        path = f"/{quoted(places[0].index)}/_mget"
        parameters = {} if sources else {"_source": "false", "stored_fields": "_routing"}

        def read(seconds: float) -> list[Document | None]:
            text = self._client.fetch("POST", path, parameters, _encoded(body), min(seconds, self._timeout_seconds))
            return list(documents(text, expected, sources=sources))

        found = self._patiently(read, path, deadline)
        if len(found) != len(places):
            raise ConfigurationError(f"_mget of {len(places)} documents answered {len(found)}")
        return found

    def parts(self, shard: Shard, most: int, deadline: Deadline) -> list[Shard]:
        """The whole shard in ``most`` about equal parts or fewer; what is written from now on is in the last one."""
        if most < 2:
            return [shard]
        body = {"size": 1, "sort": _by_sequence("desc"), "_source": False, "track_total_hits": True}
        hits = self._search(shard, body, deadline)
        count = min(hits["total"]["value"] // PART, most)
        if count < 2:
            return [shard]
        end = hits["hits"][0]["sort"][0] + 1
        firsts = [end * number // count for number in range(count)]
        lasts = [*(first - 1 for first in firsts[1:]), None]
        return [replace(shard, first=first, last=last) for first, last in zip(firsts, lasts, strict=True)]

    def hits(self, shard: Shard, position: Any, size: int, deadline: Deadline) -> Listing:
        """The shard's next documents in the order of their ``_seq_no``.

        A document that changes meanwhile moves to the end, so pages need no snapshot, and a reader may stop and
        continue later. After ``_shrink`` several documents of a shard have the same number, so a page begins with the
        last number of the page before, without the documents that the page before showed. Then ``_count`` says how many
        documents are in the page's range: one can leave it and none can enter, so there are never more than were shown.

        Args:
            size: most hits of a page; see ``Layout.page_hits``.

        Raises:
            ConfigurationError: pages of this size are too small to continue.
        """
        last, shown = position or (None, [])
        for attempt in range(1, _RECOUNTS + 1):
            hits, numbers = self._page(shard, last, size, deadline)
            is_full = len(hits) == size
            end = numbers[-1] - 1 if is_full else shard.last if shard.last is not None else max([*numbers, last or 0])
            start = shard.first if last is None else last
            unlisted = 0
            if start <= end:
                unlisted = self._count(shard, start, end, deadline) - sum(number <= end for number in numbers)
            # A document that was being written just now may be visible by now: the page is read again.
            if unlisted <= 0 or not deadline.back_off(attempt):
                break
        known = {(document_id, routing) for document_id, routing in shown}
        fresh = [
            hit
            for hit, number in zip(hits, numbers, strict=True)
            if number != last or (hit.place.id, hit.place.routing) not in known
        ]
        if is_full and not fresh:
            raise ConfigurationError(
                f"index.max_result_window of {shard.index} is {size}, too small to list its documents: set it higher"
            )
        return Listing(fresh, [numbers[-1], _shown(hits, numbers)] if is_full else None, max(unlisted, 0))

    def refresh(self, index: str, deadline: Deadline) -> None:
        """Let searches see everything written so far, if we may; otherwise they lag by the refresh interval."""
        try:
            self._fetch("POST", f"/{quoted(index)}/_refresh", {}, None, deadline)
        except RefusedError as error:
            if error.status not in {403, 404}:  # serverless collections have no _refresh
                raise

    def count(self, index: str, deadline: Deadline) -> int:
        """How many documents a search of an index finds."""
        return int(json.loads(self._fetch("POST", f"/{quoted(index)}/_count", {}, None, deadline))["count"])

    def delete(self, hits: Sequence[Hit], deadline: Deadline) -> None:
        """Delete documents where they are, but none that has been written again since.

        The ids go into the body: in a path, ``..`` would name the index.

        Args:
            hits: all in one index.

        Raises:
            ConfigurationError: OpenSearch refuses.
        """
        if not hits:
            return
        body = "".join(
            json.dumps({"delete": {**_coordinates(hit.place), "version": hit.version + 1, "version_type": "external"}})
            + "\n"
            for hit in hits
        )
        path = f"/{quoted(hits[0].place.index)}/_bulk"
        parameters = {"filter_path": "errors,items.*.status,items.*.error.type"}

        def send(seconds: float) -> list[Any]:
            text = self._client.fetch("POST", path, parameters, body.encode(), min(seconds, self._timeout_seconds))
            results = [item["delete"] for item in json.loads(text)["items"]]
            if any(result["status"] == 429 or result["status"] >= 500 for result in results):
                raise UnreachableError(
                    "OpenSearch was too busy to delete a document"
                )  # sent again: what is already deleted is a 409 then
            return results

        for hit, result in zip(hits, self._patiently(send, path, deadline), strict=True):
            if result["status"] not in {200, 404, 409}:
                kind = result.get("error", {}).get("type", result["status"])
                raise ConfigurationError(f"OpenSearch refused to delete the document {hit.place.id!r} ({kind})")

    def _page(self, shard: Shard, last: int | None, size: int, deadline: Deadline) -> tuple[list[Hit], list[int]]:
        body: dict[str, Any] = {"size": size, "sort": _by_sequence("asc"), "version": True, "_source": False}
        body |= {"track_total_hits": False, "query": _range(shard.first, shard.last)}
        if last is not None:
            body["search_after"] = [last - 1]
        found = self._search(shard, body, deadline)["hits"]
        hits = [Hit(Place(hit["_index"], hit["_id"], hit.get("_routing")), hit["_version"]) for hit in found]
        return hits, [hit["sort"][0] for hit in found]

    def _count(self, shard: Shard, start: int, end: int, deadline: Deadline) -> int:
        """How many documents of a shard have sequence numbers in a range."""
        return int(self._ask(shard, "_count", {"query": _range(start, end)}, deadline)["count"])

    def _search(self, shard: Shard, body: Mapping[str, Any], deadline: Deadline) -> dict[str, Any]:
        found = self._ask(shard, "_search", body, deadline)
        if found["timed_out"]:
            raise OutOfTimeError(f"shard {shard.number} of {shard.index} couldn't be searched in time")
        hits: dict[str, Any] = found["hits"]
        return hits

    def _ask(self, shard: Shard, what: str, body: Mapping[str, Any], deadline: Deadline) -> dict[str, Any]:
        parameters = {"preference": f"_shards:{shard.number}"}
        text = self._fetch("POST", f"/{quoted(shard.index)}/{what}", parameters, _encoded(body), deadline)
        found: dict[str, Any] = json.loads(text)
        if "_shards" not in found:
            raise ConfigurationError(f"{what} answered something that isn't OpenSearch's; check OPENSEARCH_ENDPOINT")
        if found["_shards"]["failed"]:
            raise OutOfTimeError(f"shard {shard.number} of {shard.index} couldn't be searched")
        return found

    def _fetch(
        self, method: str, path: str, parameters: Mapping[str, str], body: bytes | None, deadline: Deadline
    ) -> str:
        return self._patiently(
            lambda seconds: self._client.fetch(method, path, parameters, body, min(seconds, self._timeout_seconds)),
            path,
            deadline,
        )

    def _patiently(self, request: "Callable[[float], _Answer]", path: str, deadline: Deadline) -> "_Answer":
        try:
            return patiently(request, deadline)
        except RefusedError as error:
            if path.endswith("/_refresh"):
                raise
            if error.status in {401, 403}:
                advice = error.advice or "allow it in IAM and in OpenSearch for the identity that runs this"
                raise ConfigurationError(f"{error}; {advice}") from None
            if error.status == 404:
                raise ConfigurationError(
                    f"INDEX is {self.name!r}: it doesn't exist; create it: dynamodb-opensearch index create"
                ) from None
            raise


_Answer = TypeVar("_Answer")


def patiently(request: Callable[[float], _Answer], deadline: Deadline) -> _Answer:
    """Send a request, again while OpenSearch is busy or down, as long as the deadline allows.

    Args:
        request: takes the seconds that are left.

    Raises:
        OutOfTimeError: the time is over.
    """
    attempt = 0
    while True:
        try:
            return request(max(deadline.remaining_seconds(), 0.1))
        except (UnreachableError, RefusedError) as error:
            if isinstance(error, RefusedError) and not error.heals:
                raise
            attempt += 1
            if not deadline.back_off(attempt):
                raise OutOfTimeError(str(error)) from None


def _shown(hits: Sequence[Hit], numbers: Sequence[int]) -> list[list[str | None]]:
    """The ids and routings of the hits that have the last number."""
    return [
        [hit.place.id, hit.place.routing] for hit, number in zip(hits, numbers, strict=True) if number == numbers[-1]
    ]


def _by_sequence(order: str) -> list[dict[str, Any]]:
    return [{"_seq_no": {"order": order, "unmapped_type": "long"}}]  # unmapped before the first document


def _range(start: int, end: int | None) -> dict[str, Any]:
    if not start and end is None:
        return {"match_all": {}}
    return {"range": {"_seq_no": {"gte": start, **({} if end is None else {"lte": end})}}}


def _coordinates(place: Place) -> dict[str, Any]:
    return {"_id": place.id, **({"routing": place.routing} if place.routing else {})}


def _encoded(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
