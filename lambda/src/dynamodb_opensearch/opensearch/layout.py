"""What INDEX names: which index is written to, how documents are found in it, and what it keeps of them. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from dynamodb_opensearch.core.documents import Place
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.kept import WHOLE, Kept

PAGE_HITS = 5_000
"""Most ids of one search; ``index.max_result_window`` is 10,000 by default."""


@dataclass(frozen=True)
class Layout:
    """An index, or an alias of one or more, as OpenSearch describes it at one moment."""

    name: str
    """INDEX: the index's own name, or the alias."""
    index: str
    """The index that is written to."""
    found: Mapping[str, Any]
    """The answer to ``GET /name``: a description of each index."""

    @property
    def uuid(self) -> str:
        """The identity of the index that is written to: a recreated index of the same name has another."""
        return str(self._settings(self.index).get("uuid", ""))

    @cached_property  # asked for each document
    def routing(self) -> str | None:
        """The routing under which the alias writes every document; None if there is none."""
        routing: str | None = self._alias.get("index_routing")
        return routing

    @property
    def others(self) -> tuple[str, ...]:
        """Other indices behind the alias, which this sync doesn't write to."""
        return tuple(sorted(self.found.keys() - {self.index}))

    @property
    def closed_others(self) -> tuple[str, ...]:
        """Those of ``others`` that are closed."""
        return tuple(index for index in self.others if _is_closed(self._settings(index)))

    @property
    def is_filtered(self) -> bool:
        """Whether a filter limits what searches through the alias see."""
        return bool(self._alias.get("filter"))

    @cached_property  # its patterns are compiled once
    def kept(self) -> Kept:
        """Which parts of a document the index keeps."""
        source = self._mappings.get("_source", {})
        return Kept(tuple(source.get("includes", ())), tuple(source.get("excludes", ()))) if source else WHOLE

    @property
    def pipelines(self) -> tuple[str, ...]:
        """Ingest pipelines that every document passes through, and that may change it."""
        settings = self._settings(self.index)
        named = (settings.get(setting) for setting in ("default_pipeline", "final_pipeline"))
        return tuple(pipeline for pipeline in named if pipeline and pipeline != "_none")

    def home(self, document_id: str) -> Place:
        """Where the document with this id belongs."""
        return Place(self.index, document_id, self.routing)

    def is_home(self, place: Place) -> bool:
        """Whether the sync itself writes to this place."""
        return place == self.home(place.id)

    def is_same(self, other: "Layout") -> bool:
        """Whether the sync writes to the very same index, in the same way, under both layouts."""
        return (self.index, self.uuid, self.routing) == (other.index, other.uuid, other.routing)

    def digest(self, others: Sequence[str] = ()) -> str:
        """A short text that changes as soon as the name leads to another index, or to one that was recreated.

        Args:
            others: further indices that it depends on.
        """
        uuids = [index in self.found and self._settings(index).get("uuid") for index in others]
        parts = [self.index, self.uuid, self.routing, *others, *uuids]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]

    def check_comparable(self) -> None:
        """Refuse an index whose documents can't be compared with items.

        Raises:
            ConfigurationError: the index doesn't keep documents as they were written.
        """
        if self._settings(self.index).get("derived_source", {}).get("enabled") == "true":
            raise ConfigurationError(
                f"INDEX is {self.name!r}: {self.index} has index.derived_source.enabled, so OpenSearch makes up "
                "each document from its fields, with numbers rounded and lists sorted: nothing can be compared; create "
                "the index without it"
            )
        if self._mappings.get("_source", {}).get("enabled") in {False, "false"}:
            raise ConfigurationError(
                f"INDEX is {self.name!r}: {self.index} keeps no _source, so nothing can be compared with it"
            )

    def keeps(self, fields: Iterable[str]) -> bool:
        """Whether the index keeps all of these top-level fields."""
        return all(self.kept.of({field: True}) for field in fields)

    def shards(self, index: str) -> int:
        """How many primary shards an index has."""
        return int(self._settings(index)["number_of_shards"])

    def page_hits(self, index: str) -> int:
        """Most hits that a search of an index may ask for."""
        return min(PAGE_HITS, int(self._settings(index).get("max_result_window", PAGE_HITS)))

    @cached_property
    def indexes(self) -> Any:
        """Whether a top-level field of this name is indexed, so that a search can find documents by it."""

        @lru_cache(maxsize=4096)
        def indexes(field: str) -> bool:
            return _indexes(self._mappings, field)

        return indexes

    @property
    def _alias(self) -> Mapping[str, Any]:
        alias: Mapping[str, Any] = self.found[self.index]["aliases"].get(self.name, {})
        return alias

    @property
    def _mappings(self) -> Mapping[str, Any]:
        mappings: Mapping[str, Any] = self.found[self.index].get("mappings", {})
        return mappings

    def _settings(self, index: str) -> Mapping[str, Any]:
        settings: Mapping[str, Any] = self.found[index]["settings"]["index"]
        return settings


def read_layout(name: str, text: str) -> Layout:
    """Read what OpenSearch says about an index or alias.

    Args:
        text: the answer to ``GET /name``.

    Raises:
        ConfigurationError: it isn't an index or alias that a sync can write to.
    """
    found = json.loads(text)
    if not (isinstance(found, dict) and found and all(_is_index(description) for description in found.values())):
        raise ConfigurationError(f"INDEX is {name!r}: what answers isn't OpenSearch; check OPENSEARCH_ENDPOINT")
    if any("data_stream" in description for description in found.values()):
        raise ConfigurationError(f"INDEX is {name!r}, a data stream: it takes no updates and deletes; give an index")
    layout = Layout(name, write_index(name, found), found)
    if _is_closed(layout._settings(layout.index)):  # noqa: SLF001 (our own)
        raise ConfigurationError(
            f"INDEX is {name!r}: the index {layout.index} is closed; open it: POST /{layout.index}/_open"
        )
    return layout


def _is_index(description: Any) -> bool:
    return isinstance(description, dict) and "aliases" in description and "index" in description.get("settings", {})


def write_index(name: str, found: Mapping[str, Any]) -> str:
    """The index that writes to a name go to: the only one behind it, or the alias's write index.

    OpenSearch lets an alias have one write index at most.

    Args:
        found: a description of each index behind the name, as ``GET /name`` answers; at least one.

    Raises:
        ConfigurationError: an alias of several indices has no write index.
    """
    if len(found) == 1:
        return next(iter(found))
    writable = [index for index in found if found[index]["aliases"].get(name, {}).get("is_write_index", False)]
    if len(writable) != 1:
        raise ConfigurationError(
            f"INDEX is {name!r}, an alias of {', '.join(sorted(found))}: it needs a write index; set "
            "is_write_index on one of them (POST /_aliases), or name one of them"
        )
    return writable[0]


def _is_closed(settings: Mapping[str, Any]) -> bool:
    # See: https://docs.opensearch.org/latest/api-reference/index-apis/close-index/
    return settings.get("verified_before_close") == "true"


def _indexes(mapping: Mapping[str, Any], field: str) -> bool:
    """Whether a field is indexed. A dot makes a path; an unmapped field will be indexed, unless ``dynamic`` is off."""
    dynamic = True
    for part in field.split("."):
        if mapping.get("enabled") in {False, "false"}:
            return False
        dynamic = mapping.get("dynamic", dynamic) not in {False, "false"}
        properties = mapping.get("properties", {})
        if part not in properties:
            return dynamic
        mapping = properties[part]
    return mapping.get("enabled") not in {False, "false"} and mapping.get("index") not in {False, "false"}
