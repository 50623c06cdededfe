"""An OpenSearch in memory that jobs can read, too: what verify and repair need of it, in one shard per index."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from dynamodb_opensearch.core.answers import Answer
from dynamodb_opensearch.core.errors import RefusedError
from dynamodb_opensearch.dynamodb.scan import Page

from fakes.dynamodb import START, FakeDynamoDB
from fakes.opensearch import FakeOpenSearch, Stored


@dataclass
class ReadableOpenSearch:
    """What ``client.Client`` answers, with bulk requests carried out by the fake of these."""

    store: FakeOpenSearch
    aliases: dict[str, str] = field(default_factory=dict)
    """Alias -> the index behind it."""
    deleted: list[tuple[str, str]] = field(default_factory=list)
    """Index and id of the documents that a repair deleted where they are."""

    def post(self, path: str, parameters: Mapping[str, str], body: bytes, timeout_seconds: float, /) -> Answer:
        """See ``client.Client.post``."""
        index = self._home(path)
        return self.store.post(f"/{index}/_bulk", parameters, body, timeout_seconds)

    def fetch(self, method: str, path: str, parameters: Mapping[str, str], body: bytes | None, _: float, /) -> str:
        """See ``client.Client.fetch``."""
        index = self._home(path)
        documents = {key: one for key, one in self.store.documents_of(index).items() if one.source is not None}
        sent = json.loads(body) if body and not path.endswith("/_bulk") else {}
        match path.strip("/").split("/")[1:]:
            case []:
                return self._described(method, index)
            case ["_refresh"]:
                return "{}"
            case ["_mget"]:
                ids = sent.get("ids") or [document["_id"] for document in sent["docs"]]
                is_whole = parameters.get("_source") != "false"
                return f'{{"docs":[{",".join(_document(index, key, documents.get(key), is_whole) for key in ids)}]}}'
            case ["_count"]:
                return json.dumps({"count": len(documents), "_shards": {"failed": 0}})
            case ["_search"]:
                hits = [
                    {"_index": index, "_id": key, "_version": one.version, "sort": [number]}
                    for number, (key, one) in enumerate(sorted(documents.items()))
                ]
                found = {"total": {"value": len(hits)}, "hits": hits}
                return json.dumps({"timed_out": False, "_shards": {"failed": 0}, "hits": found})
            case ["_bulk"]:
                deletes = [json.loads(line)["delete"] for line in (body or b"").decode().splitlines()]
                self.deleted += [(index, delete["_id"]) for delete in deletes]
                results = [self.store._apply(index, "delete", one["_id"], one["version"], None) for one in deletes]
                return json.dumps({"errors": False, "items": [{"delete": result} for result in results]})
        raise AssertionError(path)

    def _home(self, path: str) -> str:
        name = unquote(path.strip("/").split("/")[0])
        return self.aliases.get(name, name)

    def _described(self, method: str, index: str) -> str:
        if index not in self.store.indices:
            raise RefusedError(method, 404, {})
        aliases: dict[str, Any] = {alias: {} for alias, home in self.aliases.items() if home == index}
        settings = {"index": {"uuid": f"the uuid of {index}", "number_of_shards": "1"}}
        return json.dumps({index: {"aliases": aliases, "mappings": {}, "settings": settings}})


def _document(index: str, key: str, found: Stored | None, is_whole: bool) -> str:
    place: dict[str, Any] = {"_index": index, "_id": key}
    if found is None:
        return json.dumps({**place, "found": False}, separators=(",", ":"))
    head = {**place, "_version": found.version, "_seq_no": 1, "_primary_term": 1, "found": True}
    text = json.dumps(head, separators=(",", ":"))
    return f'{text[:-1]},"_source":{found.source}}}' if is_whole else text


@dataclass
class Scanned:
    """A scan of a table in memory: all of it is in the first segment's only page."""

    table: FakeDynamoDB
    page_items: int | None = None

    def pages(self, segment: int, *_: Any) -> list[Page]:
        """See ``scan.Scan.pages``."""
        return [Page(list(self.table.items.values()), None, START)] if segment == 0 else []

    def page(self, *_: Any, **__: Any) -> Page:
        """See ``scan.Scan.page``."""
        return Page(list(self.table.items.values()), None, START)
