"""An index's definition: index mapping, settings and aliases, as ``PUT /index`` takes them. Sends nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.settings import Service

BYTES_OF_A_SHARD = 30 * 10**9
"""Bytes of the table per primary shard. AWS advises 10 to 50 GiB a shard, less where searches must be quick.

See: https://docs.aws.amazon.com/opensearch-service/latest/developerguide/bp-sharding.html
"""


@dataclass(frozen=True, slots=True)
class Definition:
    """An index's definition, as ``PUT /index`` takes it."""

    mappings: Mapping[str, Any]
    settings: Mapping[str, Any]
    """By their full names: ``index.refresh_interval``."""
    aliases: Mapping[str, Any]

    @classmethod
    def parse(cls, value: Any, source: str) -> "Definition":
        """Read JSON such as ``{"settings": {"index": {"number_of_shards": 2}}, "mappings": {"properties": {…}}}``.

        Args:
            source: where the JSON is from, for messages.

        Raises:
            ConfigurationError: it has another form.
        """
        parts = ("mappings", "settings", "aliases")
        if not isinstance(value, dict) or not value.keys() <= set(parts):
            names = ", ".join(sorted(value.keys() - set(parts))) if isinstance(value, dict) else type(value).__name__
            raise ConfigurationError(f"{source} has {names}: give an object of mappings, settings and aliases, or some")
        if odd := next((part for part in parts if not isinstance(value.get(part, {}), dict)), None):
            raise ConfigurationError(f"{source}: {odd} must be an object")
        aliases = {"properties": value.get("aliases", {})}
        if odd := _misplaced(value.get("mappings", {}), "mappings") or _misplaced(aliases, "aliases"):
            raise ConfigurationError(f"{source}: {odd} must be an object")
        return cls(value.get("mappings", {}), _flat(value.get("settings", {})), value.get("aliases", {}))

    def to_json(self) -> dict[str, Any]:
        """The inverse of ``parse``."""
        return {"settings": dict(self.settings), "mappings": dict(self.mappings), "aliases": dict(self.aliases)}

    def with_defaults(self, *, table_bytes: int, service: Service) -> "Definition":
        """The definition, completed with the settings that a synced index should have, where it doesn't mention them.

        An hour of tombstones outlasts every retry of an invocation, so a late write can't revive a deleted document.
        The depth limit is that of DynamoDB's items: OpenSearch's own 20 refuses lists nested deeper, mapped or not.
        Replicas are left to the cluster. A serverless collection manages its indices itself.
        """
        if service is Service.AOSS:
            return self
        defaults: dict[str, Any] = {
            "index.number_of_shards": max(-(-table_bytes // BYTES_OF_A_SHARD), 1),
            "index.gc_deletes": "1h",
            "index.mapping.depth.limit": 40,
        }
        if (fields := 2 * _fields(self.mappings)) > 1000:
            defaults["index.mapping.total_fields.limit"] = fields
        return replace(self, settings={**defaults, **self.settings})


def read_definition(path: Path) -> Definition:
    """The definition that a JSON file holds.

    Raises:
        ConfigurationError: the file can't be read, or holds no definition.
    """
    try:
        return Definition.parse(json.loads(path.read_text(encoding="utf-8")), str(path))
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read ({error.strerror})") from None
    except ValueError as error:
        raise ConfigurationError(f"{path} isn't JSON ({error})") from None


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by their full names, with ``index.`` in front as OpenSearch has it."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        whole = f"{prefix}{name}"
        flat |= _flat(value, f"{whole}.") if isinstance(value, dict) else {whole: value}
    return flat if prefix else {name if name.startswith("index.") else f"index.{name}": flat[name] for name in flat}


def _misplaced(mapping: Any, path: str) -> str | None:
    """The path at which an index mapping has something other than an object as a field's definition, if any."""
    if not isinstance(mapping, dict):
        return path
    for part in ("properties", "fields"):
        inner = mapping.get(part, {})
        if not isinstance(inner, dict):
            return f"{path}.{part}"
        for name, definition in inner.items():
            if found := _misplaced(definition, f"{path}.{name}"):
                return found
    return None


def _fields(mapping: Mapping[str, Any]) -> int:
    """How many fields an index mapping has, with objects and multi-fields."""
    members = [*mapping.get("properties", {}).values(), *mapping.get("fields", {}).values()]
    return len(members) + sum(_fields(member) for member in members)
