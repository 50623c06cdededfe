"""The index, to be read from: whole documents by id, and the ids that stand in it. Never filters a ``_source``.

OpenSearch sends a whole ``_source`` byte for byte; a filtered one passes through doubles, which changes numbers.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain, repeat
from typing import Any, NamedTuple, TypeVar

from dynamodb_opensearch.client import Client, RefusedError, UnreachableError, quoted
from dynamodb_opensearch.deadline import Deadline
from dynamodb_opensearch.errors import ConfigurationError, OutOfTimeError

HITS = 5_000
"""Ids of one search; ``index.max_result_window`` is 10,000 unless somebody changed it."""
PART = 20_000
"""Documents of a shard that are worth a part of their own."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document stands."""

    index: str
    id: str
    routing: str | None = None


class Document(NamedTuple):
    """A document as it stands in the index."""

    version: int
    source: str
    """The JSON text as it was written."""


class Hit(NamedTuple):
    """A document that a search finds, without its content."""

    place: Place
    version: int


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard, or a part of it, of one of the indices that a search of the name covers."""

    index: str
    number: int
    first: int = 0
    """Of the part's sequence numbers."""
    last: int | None = None
    """None: there is no end."""

    def __str__(self) -> str:
        end = "" if self.last is None else f" to {self.last}"
        return f"shard {self.number} of {self.index} from {self.first}{end}"

    @classmethod
    def parse(cls, unit: str) -> "Shard":
        """The inverse of ``str``."""
        _, number, _, index, _, first, *end = unit.split(" ")
        return cls(index, int(number), int(first), int(end[1]) if end else None)


class Catalogue:
    """What stands under a name: an index, or an alias of one or more."""

    def __init__(self, client: Client, name: str, timeout_seconds: float) -> None:
        self._client = client
        self._name = name
        self._timeout_seconds = timeout_seconds

    def resolve(self, deadline: Deadline) -> tuple[str, list[Shard]]:
        """The index that is written to, and the shards of all that are searched.

        Raises:
            ConfigurationError: there is no such index, or an alias without a write index.
        """
        found = json.loads(self._fetch("GET", f"/{quoted(self._name)}", {}, None, deadline))
        shards = [
            Shard(index, number)
            for index in sorted(found)
            for number in range(int(found[index]["settings"]["index"]["number_of_shards"]))
        ]
        writable = [
            index for index in found if found[index]["aliases"].get(self._name, {}).get("is_write_index", False)
        ]
        if len(found) == 1:
            writable = list(found)
        if len(writable) != 1:
            raise ConfigurationError(
                f"INDEX is {self._name!r}, an alias of {', '.join(sorted(found))}: give it a write index "
                "(is_write_index), or name one of them"
            )
        return writable[0], shards

    def get(self, places: Sequence[Place], deadline: Deadline, expected: Sequence[str] = ()) -> list[Document | None]:
        """The documents as they stand now, refreshed or not; None where there is none.

        Args:
            expected: what each is likely to hold, if that is known: it is read faster then.

        Raises:
            ConfigurationError: the index is gone, can't be read, or keeps no ``_source``.
            OutOfTimeError: see there.
        """
        if not places:
            return []
        body: dict[str, Any]
        path, body = f"/{quoted(places[0].index)}/_mget", {"ids": [place.id for place in places]}
        if any(place.routing or place.index != places[0].index for place in places):
            body = {"docs": [_coordinates(place) for place in places]}
        text = self._fetch("POST", path, {}, _encoded(body), deadline)
        documents = list(_documents(text, expected))
        if len(documents) != len(places):
            raise ConfigurationError(f"_mget of {len(places)} documents answered {len(documents)}")
        return documents

    def parts(self, shard: Shard, most: int, deadline: Deadline) -> list[Shard]:
        """The whole shard in about equal parts, for as many readers; what is written from now on is the last one's."""
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

    def hits(self, shard: Shard, after: int | None, deadline: Deadline) -> tuple[list[Hit], int | None]:
        """The shard's next documents in the order of their ``_seq_no``, and where to go on; None at the end.

        Sequence numbers are a shard's own and never given twice, so pages need no snapshot, and a reader may stop and
        go on days later. A document that changes meanwhile moves to the end.
        """
        body = {"size": HITS, "sort": _by_sequence("asc"), "version": True, "_source": False, "track_total_hits": False}
        if shard.first or shard.last is not None:
            end = {} if shard.last is None else {"lte": shard.last}
            body["query"] = {"range": {"_seq_no": {"gte": shard.first, **end}}}
        if after is not None:
            body["search_after"] = [after]
        found = self._search(shard, body, deadline)["hits"]
        hits = [Hit(Place(hit["_index"], hit["_id"], hit.get("_routing")), hit["_version"]) for hit in found]
        return hits, found[-1]["sort"][0] if len(hits) == HITS else None

    def refresh(self, deadline: Deadline) -> None:
        """Let searches see all that was written until now, if we may; else they are behind by the refresh interval."""
        try:
            self._fetch("POST", f"/{quoted(self._name)}/_refresh", {}, None, deadline)
        except RefusedError as error:
            if error.status not in {403, 404}:  # serverless collections have no _refresh
                raise

    def count(self, deadline: Deadline) -> int:
        """How many documents a search finds."""
        return int(json.loads(self._fetch("GET", f"/{quoted(self._name)}/_count", {}, None, deadline))["count"])

    def delete(self, hit: Hit, deadline: Deadline) -> None:
        """Delete a document where it stands, unless it has been written again since."""
        parameters = {"version": str(hit.version + 1), "version_type": "external"}
        if hit.place.routing:
            parameters["routing"] = hit.place.routing
        path = f"/{quoted(hit.place.index)}/_doc/{quoted(hit.place.id)}"
        try:
            self._fetch("DELETE", path, parameters, None, deadline)
        except RefusedError as error:
            if error.status not in {404, 409}:
                raise

    def _search(self, shard: Shard, body: Mapping[str, Any], deadline: Deadline) -> dict[str, Any]:
        parameters = {"preference": f"_shards:{shard.number}"}
        found = json.loads(self._fetch("POST", f"/{quoted(shard.index)}/_search", parameters, _encoded(body), deadline))
        if found["_shards"]["failed"] or found["timed_out"]:
            raise OutOfTimeError(f"shard {shard.number} of {shard.index} couldn't be searched")
        hits: dict[str, Any] = found["hits"]
        return hits

    def _fetch(
        self, method: str, path: str, parameters: Mapping[str, str], body: bytes | None, deadline: Deadline
    ) -> str:
        try:
            return patiently(
                lambda seconds: self._client.fetch(method, path, parameters, body, min(seconds, self._timeout_seconds)),
                deadline,
            )
        except RefusedError as error:
            if error.status in {401, 403} and not path.endswith("/_refresh"):
                advice = error.advice or "allow it to whoever runs this, in IAM and in OpenSearch"
                raise ConfigurationError(f"{error}; {advice}") from None
            if error.status == 404 and "_doc" not in path and not path.endswith("/_refresh"):
                raise ConfigurationError(
                    f"INDEX is {self._name!r}: it doesn't exist; create it: dynamodb-opensearch index create"
                ) from None
            raise


_Answer = TypeVar("_Answer")


def patiently(request: Callable[[float], _Answer], deadline: Deadline) -> _Answer:
    """Send a request, again while OpenSearch is busy or down, as long as the deadline allows.

    Args:
        request: takes the seconds that are left.

    Raises:
        OutOfTimeError: the time was over.
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


def exact(source: str) -> Any:
    """A ``_source`` as Python holds it; each number a tuple of one Decimal, so that ``1`` is never ``true``."""
    return json.loads(source, parse_float=_number, parse_int=_number)


def _number(text: str) -> tuple[Decimal]:
    return (Decimal(text),)


_TEXT = r'"(?:[^"\\]|\\.)*"'
_HEAD = re.compile(
    rf'\{{"_index":{_TEXT},"_id":{_TEXT}(?:,"_version":(-?\d+))?(?:,"_seq_no":-?\d+)?(?:,"_primary_term":\d+)?'
    rf'(?:,"_routing":{_TEXT})?(?:,"_ignored":\[[^\]]*\])?,"found":(true|false)(,"_source":)?'
)
_SKIP = json.JSONDecoder().raw_decode


def _documents(text: str, expected: Iterable[str]) -> Iterator[Document | None]:
    """Cut an answer to ``_mget`` into its documents, so that each ``_source`` stays as it came."""
    position = text.index("[") + 1
    for source in chain(expected, repeat(None)):
        if text[position] == "]":
            return
        head = _HEAD.match(text, position)
        if head is None:
            odd, _ = _SKIP(text, position)
            kind = odd.get("error", {}).get("type", "an unknown answer") if isinstance(odd, dict) else "no document"
            raise ConfigurationError(f"_mget answered {kind} for a document; check INDEX")
        version, found, with_source = head.groups()
        position = head.end()
        if found == "false":
            yield None
        elif with_source is None:
            raise ConfigurationError("the index keeps no _source, so nothing can be compared with it")
        elif source is not None and text.startswith(source, position):  # a JSON object ends where it ends
            yield Document(int(version), source)
            position += len(source)
        else:
            _, end = _SKIP(text, position)
            yield Document(int(version), text[position:end])
            position = end
        position = text.index("}", position) + 1
        position += text[position] == ","


def _by_sequence(order: str) -> list[dict[str, Any]]:
    return [{"_seq_no": {"order": order, "unmapped_type": "long"}}]  # unmapped before the first document


def _coordinates(place: Place) -> dict[str, str]:
    routing = {"routing": place.routing} if place.routing else {}
    return {"_index": place.index, "_id": place.id, **routing}


def _encoded(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
