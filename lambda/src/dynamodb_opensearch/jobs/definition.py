"""What an index is made of, mapping, settings and aliases: creates it, changes what can be changed in place, shows it.

A change that needs another index is refused before anything is changed: fill that one, then switch the alias to it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dynamodb_opensearch.client import RefusedError, quoted
from dynamodb_opensearch.errors import ConfigurationError
from dynamodb_opensearch.jobs.changes_in_place import Changes, compare
from dynamodb_opensearch.jobs.pair import Pair, catalogue_of
from dynamodb_opensearch.jobs.stored import patiently
from dynamodb_opensearch.jobs.verified import keep_note
from dynamodb_opensearch.settings import Service

BYTES_OF_A_SHARD = 30 * 10**9
"""One primary shard for so much of the table. AWS advises 10 to 50 GiB, fewer where searches must be quick.

See: https://docs.aws.amazon.com/opensearch-service/latest/developerguide/bp-sharding.html
"""
_ANSWER_SECONDS = 60  # a busy cluster takes its time to make an index


@dataclass(frozen=True, slots=True)
class Definition:
    """An index's definition, as ``PUT /index`` takes it."""

    mappings: Mapping[str, Any]
    settings: Mapping[str, Any]
    """By their whole names: ``index.refresh_interval``."""
    aliases: Mapping[str, Any]

    @classmethod
    def parse(cls, value: Any, source: str) -> "Definition":
        """From JSON such as ``{"settings": {"index": {"number_of_shards": 2}}, "mappings": {"properties": {…}}}``.

        Raises:
            ConfigurationError: it has another form; ``source`` says whose.
        """
        parts = ("mappings", "settings", "aliases")
        if not isinstance(value, dict) or not value.keys() <= set(parts):
            names = ", ".join(sorted(value.keys() - set(parts))) if isinstance(value, dict) else type(value).__name__
            raise ConfigurationError(f"{source} has {names}: give an object of mappings, settings and aliases, or some")
        if odd := next((part for part in parts if not isinstance(value.get(part, {}), dict)), None):
            raise ConfigurationError(f"{source}: {odd} must be an object")
        return cls(value.get("mappings", {}), _flat(value.get("settings", {})), value.get("aliases", {}))

    def to_json(self) -> dict[str, Any]:
        """The inverse of ``parse``."""
        return {"settings": dict(self.settings), "mappings": dict(self.mappings), "aliases": dict(self.aliases)}

    def with_defaults(self, *, table_bytes: int, service: Service) -> "Definition":
        """With the settings that it doesn't mention, as a synced index should have them.

        An hour of tombstones outlasts every retry of an invocation, so a late write can't revive a deleted document.
        The depth is that of DynamoDB's items: OpenSearch's own 20 refuses lists nested deeper, mapped or not. Replicas
        are left to the cluster. A serverless collection manages its indices itself.
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
        ConfigurationError: it can't be read, or isn't one.
    """
    try:
        return Definition.parse(json.loads(path.read_text(encoding="utf-8")), str(path))
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read ({error.strerror})") from None
    except ValueError as error:
        raise ConfigurationError(f"{path} isn't JSON ({error})") from None


@dataclass(frozen=True, slots=True)
class Created:
    """What was made."""

    index: str
    alias: str | None
    """The alias that it stands behind and is written through. None: it has none, or that stands for another index."""


def create(pair: Pair, definition: Definition, index: str | None = None) -> Created:
    """Create an index, with the definition as it is.

    Args:
        index: its name. Another than the pair's puts it behind the pair's as an alias, if that is free.

    Raises:
        ConfigurationError: it exists, the alias's name is an index's, or OpenSearch refuses the definition.
    """
    name = pair.settings.index
    index = index or name
    if _ask(pair, "GET", f"/{quoted(index)}", missing=True) is not None:
        raise ConfigurationError(
            f"{index!r} exists already: change it with index update, or create another, such as {_next(index)!r}, "
            "and switch the alias to it"
        )
    found = _ask(pair, "GET", f"/{quoted(name)}", missing=True) if index != name else None
    if found and name in found:
        raise ConfigurationError(f"{name!r} is an index, so it can't be an alias of {index!r}: delete it first")
    alias = name if index != name and not found else None
    body = definition.to_json()
    if alias:
        body["aliases"] = {**body["aliases"], alias: {"is_write_index": True}}
    _ask(pair, "PUT", f"/{quoted(index)}", body)
    return Created(index, alias)


def plan_update(pair: Pair, definition: Definition) -> Changes:
    """What must change so that the pair's index has the definition; what it doesn't mention stays as it is.

    Raises:
        ConfigurationError: there is no such index, or it can't be changed like this in place: each thing that can't.
    """
    index = _write_index(pair)
    path = f"/{quoted(index)}"
    stands = _ask(pair, "GET", path)[index]
    settings = _ask(pair, "GET", f"{path}/_settings", parameters={"include_defaults": "true", "flat_settings": "true"})
    fields = _ask(pair, "GET", f"{path}/_mapping/field/*", parameters={"include_defaults": "true"})
    taken = {alias for alias in definition.aliases.keys() - stands["aliases"].keys() if _is_taken(pair, alias)}
    wanted = definition.to_json()
    if "_meta" in wanted["mappings"]:
        meta = keep_note(wanted["mappings"]["_meta"], stands["mappings"].get("_meta", {}))
        wanted["mappings"] = {**wanted["mappings"], "_meta": meta}
    changes = compare(
        wanted,
        index=index,
        mappings=stands["mappings"],
        fields=fields[index]["mappings"],
        settings=settings[index]["settings"],
        default_settings=settings[index].get("defaults", {}),
        aliases=stands["aliases"],
        taken_aliases=taken,
    )
    if changes.refused:
        raise ConfigurationError(
            f"{index} can't be changed like this, and nothing was: {'; '.join(changes.refused)}. Create another index, "
            f"such as {_next(index)}, fill it, and switch the alias to it"
        )
    return changes


def update(pair: Pair, changes: Changes) -> None:
    """Do what ``plan_update`` found. If OpenSearch refuses the mapping after all, the settings are as before again.

    Raises:
        ConfigurationError: OpenSearch refuses a part.
    """
    path = f"/{quoted(changes.index)}"
    if changes.settings:
        _ask(pair, "PUT", f"{path}/_settings", changes.settings)
    if changes.mappings:
        try:
            _ask(pair, "PUT", f"{path}/_mapping", changes.mappings)
        except ConfigurationError:
            if changes.settings:
                _ask(pair, "PUT", f"{path}/_settings", changes.settings_before)
            raise
    for alias, options in changes.aliases.items():
        _ask(pair, "PUT", f"{path}/_alias/{quoted(alias)}", options)


def show(pair: Pair) -> list[dict[str, Any]]:
    """Each index that stands under the pair's name.

    Returns:
        ``index``, ``written`` (whether writes go there), ``docs``, ``aliases``, ``settings`` and ``mappings`` of each.

    Raises:
        ConfigurationError: there is none, or it can't be read.
    """
    written = _write_index(pair)
    found = _ask(pair, "GET", f"/{quoted(pair.settings.index)}", parameters={"flat_settings": "true"})
    return [
        {
            "index": index,
            "written": index == written,
            "docs": _ask(pair, "GET", f"/{quoted(index)}/_count")["count"],
            "aliases": one["aliases"],
            "settings": one["settings"],
            "mappings": one["mappings"],
        }
        for index, one in sorted(found.items())
    ]


def switch(pair: Pair, index: str) -> list[str]:
    """Let the pair's alias stand for this index alone, at once; the indices that it stood for before.

    Raises:
        ConfigurationError: there is no such index, or the pair's name is no alias.
    """
    alias = pair.settings.index
    found = _ask(pair, "GET", f"/{quoted(alias)}", missing=True) or {}
    if alias in found:
        raise ConfigurationError(f"{alias!r} is an index and no alias: only an alias can be switched")
    if _ask(pair, "GET", f"/{quoted(index)}", missing=True) is None:
        raise ConfigurationError(f"there is no index {index!r}: create it, and fill it, first")
    before = sorted(found.keys() - {index})
    actions = [{"remove": {"index": one, "alias": alias}} for one in before]
    actions.append({"add": {"index": index, "alias": alias, "is_write_index": True}})
    _ask(pair, "POST", "/_aliases", {"actions": actions})
    return before


def _ask(
    pair: Pair,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    parameters: Mapping[str, str] | None = None,
    *,
    missing: bool = False,
) -> Any:
    """OpenSearch's answer; with ``missing`` None if there is no such thing."""
    data = None if body is None else json.dumps(body).encode()
    try:
        text = patiently(
            lambda seconds: pair.client.fetch(method, path, parameters or {}, data, min(seconds, _ANSWER_SECONDS)),
            pair.deadline(),
        )
    except RefusedError as error:
        if missing and error.status == 404:
            return None
        allow = "allow it to whoever runs this, in IAM and in OpenSearch"
        advice = f"; {error.advice or allow}" if error.status in {401, 403} else ""
        raise ConfigurationError(f"{error}{advice}") from None
    return json.loads(text)


def _write_index(pair: Pair) -> str:
    index, _ = catalogue_of(pair).resolve(pair.deadline())
    return index


def _is_taken(pair: Pair, alias: str) -> bool:
    return _ask(pair, "GET", f"/{quoted(alias)}", missing=True) is not None


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by their whole names, with ``index.`` in front as OpenSearch has it."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        whole = f"{prefix}{name}"
        flat |= _flat(value, f"{whole}.") if isinstance(value, dict) else {whole: value}
    return flat if prefix else {name if name.startswith("index.") else f"index.{name}": flat[name] for name in flat}


def _fields(mapping: Mapping[str, Any]) -> int:
    """How many fields a mapping has, objects and multi-fields among them."""
    members = [*mapping.get("properties", {}).values(), *mapping.get("fields", {}).values()]
    return len(members) + sum(_fields(one) for one in members)


def _next(index: str) -> str:
    """``products-2`` after ``products-1``, ``products-1`` after ``products``."""
    stem, _, number = index.rpartition("-")
    return f"{stem}-{int(number) + 1}" if stem and number.isdecimal() else f"{index}-1"
