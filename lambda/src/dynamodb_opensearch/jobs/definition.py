"""What an index is made of, mapping, settings and aliases: creates it, changes what can be changed in place, shows it.

A change that needs another index is refused before anything is changed: fill that one, then switch the alias to it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dynamodb_opensearch.client import RefusedError, quoted
from dynamodb_opensearch.errors import ConfigurationError, SyncError
from dynamodb_opensearch.jobs.changes_in_place import Changes, compare
from dynamodb_opensearch.jobs.pair import Pair
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
        aliases = {"properties": value.get("aliases", {})}
        if odd := _misplaced(value.get("mappings", {}), "mappings") or _misplaced(aliases, "aliases"):
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
        ConfigurationError: it exists, the alias's name is an index's, the definition takes an alias that stands for
            another index, or OpenSearch refuses the definition.
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
    if found and name in definition.aliases:
        raise ConfigurationError(
            f"the alias {name!r} stands for {', '.join(sorted(found))}, and behind two indices the sync's writes could "
            "fail: leave it out of the definition, fill the index, and let index switch move the alias"
        )
    alias = name if index != name and not found else None
    body = definition.to_json()
    if alias:
        body["aliases"] = {**body["aliases"], alias: {**body["aliases"].get(alias, {}), "is_write_index": True}}
    _ask(pair, "PUT", f"/{quoted(index)}", body)
    return Created(index, alias)


def plan_update(pair: Pair, definition: Definition) -> Changes:
    """What must change so that the pair's index has the definition; what it doesn't mention stays as it is.

    Raises:
        ConfigurationError: there is no such index, or it can't be changed like this in place: each thing that can't.
    """
    found = _stands(pair)
    index = _written(pair.settings.index, found)
    path, stands = f"/{quoted(index)}", found[index]
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

    What was done before it failed in any other way stays, and is named: the next update does the rest.

    Raises:
        ConfigurationError: OpenSearch refuses a part.
        OutOfTimeError: it doesn't answer.
    """
    path = f"/{quoted(changes.index)}"
    steps = [
        ("the settings", f"{path}/_settings", changes.settings),
        ("the mapping", f"{path}/_mapping", changes.mappings),
        *((f"the alias {one}", f"{path}/_alias/{quoted(one)}", options) for one, options in changes.aliases.items()),
    ]
    done: list[str] = []
    try:
        for what, where, body in steps:
            if body or "_alias" in where:
                _ask(pair, "PUT", where, body)
                done.append(what)
    except SyncError as error:
        if done == ["the settings"] and isinstance(error, ConfigurationError):
            _ask(pair, "PUT", f"{path}/_settings", changes.settings_before)
            done = []
        raise type(error)(f"{error}; {_told_done(changes.index, done)}") from None


def _told_done(index: str, done: Sequence[str]) -> str:
    if not done:
        return f"{index} is as it was"
    return f"{' and '.join(done)} of {index} are changed already: index update does the rest once that is mended"


def show(pair: Pair) -> list[dict[str, Any]]:
    """Each index that stands under the pair's name.

    Returns:
        ``index``, ``written`` (whether writes go there), ``docs``, ``aliases``, ``settings`` and ``mappings`` of each.

    Raises:
        ConfigurationError: there is none, or it can't be read.
    """
    found = _stands(pair)
    written = _written(pair.settings.index, found)
    return [
        {
            "index": index,
            "written": index == written,
            "docs": _count(pair, index),
            "aliases": one["aliases"],
            "settings": one["settings"],
            "mappings": one["mappings"],
        }
        for index, one in sorted(found.items())
    ]


@dataclass(frozen=True, slots=True)
class Switched:
    """What a switch did."""

    before: str | None
    """The index that the alias was written through to. None: the alias is new, or nothing had to be done."""
    left: list[str]
    """Others that stand behind the alias as they did, to be searched."""
    documents: int
    documents_before: int | None
    """None: there is no index before, or it can't be counted."""


def switch(pair: Pair, index: str) -> Switched:
    """Let the pair's alias stand for this index instead of the one that is written to, at once.

    The alias keeps its filter, its routing and whatever else it has. Other indices behind it, of another sync perhaps,
    aren't touched. If the alias has changed meanwhile, nothing is done.

    Raises:
        ConfigurationError: there is no such index, it is closed, the pair's name is no alias, or nobody can tell which
            of its indices is to be replaced, or with what properties.
    """
    alias = pair.settings.index
    found = _ask(pair, "GET", f"/{quoted(alias)}", missing=True) or {}
    if alias in found:
        raise ConfigurationError(f"{alias!r} is an index and no alias: only an alias can be switched")
    target = _ask(pair, "GET", f"/{quoted(index)}", missing=True)
    if not target:
        raise ConfigurationError(f"there is no index {index!r}: create it, and fill it, first")
    if index not in target:
        raise ConfigurationError(f"{index!r} is no index's name; it stands for {', '.join(sorted(target))}: name one")
    before = _written(alias, found) if found else None
    left = sorted(found.keys() - {index, before})
    documents = _count(pair, index)
    if before in {None, index}:
        if before is None:
            _ask(pair, "POST", "/_aliases", {"actions": [_added(alias, index, {})]})
        return Switched(None, left, documents, None)
    properties = _properties(alias, found[before])
    if index in found and _properties(alias, found[index]) != properties:
        raise ConfigurationError(
            f"the alias {alias!r} has one filter or routing for {before} and another for {index}: make them the same "
            f"first (POST /_aliases), or take {index} out of the alias"
        )
    try:
        documents_before: int | None = _count(pair, before)
    except ConfigurationError:  # it may be closed: a good reason to switch
        documents_before = None
    _replace(pair, found, before, _added(alias, index, properties))
    return Switched(before, left, documents, documents_before)


def _stands(pair: Pair) -> dict[str, Any]:
    """The indices under the pair's name, each with all that it is made of."""
    name = pair.settings.index
    found: dict[str, Any] | None = _ask(
        pair, "GET", f"/{quoted(name)}", parameters={"flat_settings": "true"}, missing=True
    )
    if not found:
        raise ConfigurationError(f"INDEX is {name!r}: it doesn't exist; create it: dynamodb-opensearch index create")
    return found


def _written(name: str, found: Mapping[str, Any]) -> str:
    """Which of a name's indices is written to."""
    written = [one for one in found if found[one]["aliases"].get(name, {}).get("is_write_index")]
    if len(found) > 1 and not written:
        raise ConfigurationError(
            f"INDEX is {name!r}, an alias of {', '.join(sorted(found))}, and none of them is its write index: give one "
            "is_write_index (POST /_aliases)"
        )
    return (written or list(found))[0]


def _properties(alias: str, one: Mapping[str, Any]) -> dict[str, Any]:
    """What an index's alias has beside its name: ``filter``, ``index_routing``, ``search_routing``, ``is_hidden``."""
    return {name: value for name, value in one["aliases"][alias].items() if name != "is_write_index"}


def _added(alias: str, index: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"add": {**properties, "index": index, "alias": alias, "is_write_index": True}}


def _replace(pair: Pair, found: Mapping[str, Any], before: str, added: Mapping[str, Any]) -> None:
    """In one request, which fails as a whole if the alias doesn't stand for that index any more."""
    alias = pair.settings.index
    remove = {"index": before, "alias": alias}
    try:
        _ask(pair, "POST", "/_aliases", {"actions": [{"remove": {**remove, "must_exist": True}}, added]})
    except ConfigurationError as error:
        if "aliases_not_found" in str(error):
            raise ConfigurationError(
                f"the alias {alias!r} was changed meanwhile, so nothing was done: look at it with index show, and "
                "switch again if that is still right"
            ) from None
        if "[must_exist]" not in str(error):
            raise
        # OpenSearch before 2.12 doesn't know it: what can be done is to look again right before.
        if _ask(pair, "GET", f"/{quoted(alias)}", missing=True) != found:
            raise ConfigurationError(f"the alias {alias!r} was changed meanwhile, so nothing was done: again") from None
        _ask(pair, "POST", "/_aliases", {"actions": [{"remove": remove}, added]})


def _count(pair: Pair, index: str) -> int:
    try:
        return int(_ask(pair, "GET", f"/{quoted(index)}/_count")["count"])
    except ConfigurationError as error:
        if "index_closed" in str(error):
            raise ConfigurationError(f"{index!r} is closed: open it first (POST /{index}/_open)") from None
        raise


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

    def send(seconds: float) -> str:
        try:
            return pair.client.fetch(method, path, parameters or {}, data, min(seconds, _ANSWER_SECONDS))
        except RefusedError as error:
            # A 500 is a fault over this very request, such as an alias of the index's own name: it never heals.
            if error.heals and (error.status != 500 or not error.reason_text):
                raise
            if missing and error.status == 404:
                return "null"
            raise _refused(error) from None

    return json.loads(patiently(send, pair.deadline()))


def _refused(error: RefusedError) -> ConfigurationError:
    if error.status in {401, 403}:
        return ConfigurationError(
            f"{error}; {error.advice or 'allow it to whoever runs this, in IAM and in OpenSearch'}"
        )
    # A definition holds nothing of an item, so all that OpenSearch says may be shown.
    known = not error.reason_text or error.reason_text in str(error)
    return ConfigurationError(f"{error}{'' if known else ': ' + error.reason_text}")


def _is_taken(pair: Pair, alias: str) -> bool:
    return _ask(pair, "GET", f"/{quoted(alias)}", missing=True) is not None


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by their whole names, with ``index.`` in front as OpenSearch has it."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        whole = f"{prefix}{name}"
        flat |= _flat(value, f"{whole}.") if isinstance(value, dict) else {whole: value}
    return flat if prefix else {name if name.startswith("index.") else f"index.{name}": flat[name] for name in flat}


def _misplaced(mapping: Any, path: str) -> str | None:
    """Where a mapping has something else than an object in place of a field's definition."""
    if not isinstance(mapping, dict):
        return path
    for part in ("properties", "fields"):
        inner = mapping.get(part, {})
        if not isinstance(inner, dict):
            return f"{path}.{part}"
        for name, one in inner.items():
            if found := _misplaced(one, f"{path}.{name}"):
                return found
    return None


def _fields(mapping: Mapping[str, Any]) -> int:
    """How many fields a mapping has, objects and multi-fields among them."""
    members = [*mapping.get("properties", {}).values(), *mapping.get("fields", {}).values()]
    return len(members) + sum(_fields(one) for one in members)


def _next(index: str) -> str:
    """``products-2`` after ``products-1``, ``products-1`` after ``products``."""
    stem, _, number = index.rpartition("-")
    return f"{stem}-{int(number) + 1}" if stem and number.isdecimal() else f"{index}-1"
