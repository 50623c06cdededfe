"""Compares two definitions: what OpenSearch can change in an index that has documents, and what it can't. Pure.

Which parameters can be changed was observed on OpenSearch 2.19; a test tries each of them on a real one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

FIELD_PARAMETERS = frozenset(
    {
        "boost",
        "coerce",
        "copy_to",
        "eager_global_ordinals",
        "fielddata",
        "fielddata_frequency_filter",
        "ignore_above",
        "ignore_malformed",
        "meta",
        "search_analyzer",
        "search_quote_analyzer",
        "split_queries_on_whitespace",
    }
)
"""Parameters of a field that can be changed, for documents written from then on."""
MAPPING_PARAMETERS = frozenset(
    {"_meta", "date_detection", "derived", "dynamic", "dynamic_date_formats", "dynamic_templates", "numeric_detection"}
)
"""Parameters of the index mapping as a whole that can be changed."""
OBJECT_PARAMETERS = frozenset({"dynamic"})
STATIC_SETTINGS = (
    "analysis.",
    "append_only.",
    "codec",
    "composite_index",
    "data_path",
    "format",
    "load_fixed_bitset_filters_eagerly",
    "mapping.coerce",
    "mapping.ignore_malformed",
    "number_of_routing_shards",
    "number_of_shards",
    "queries.cache.enabled",
    "replication.type",
    "routing_partition_size",
    "shard.check_on_startup",
    "similarity.",
    "soft_deletes.enabled",
    "sort.",
    "store.type",
)
"""Names, or beginnings of names, of settings that can't be changed in an open index."""


@dataclass(slots=True)
class Changes:
    """What to send, and what it means."""

    index: str
    mappings: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    settings_before: dict[str, Any] = field(default_factory=dict)
    """The changed settings' values before; None: not set."""
    aliases: dict[str, Any] = field(default_factory=dict)
    descriptions: list[str] = field(default_factory=list)
    """Each change in words."""
    refused: list[str] = field(default_factory=list)
    """Each thing that can't be changed in place, in words."""


def compare(
    wanted: Mapping[str, Mapping[str, Any]],
    *,
    index: str,
    mappings: Mapping[str, Any],
    fields: Mapping[str, Any],
    settings: Mapping[str, Any],
    default_settings: Mapping[str, Any],
    aliases: Mapping[str, Any],
    taken_aliases: Collection[str],
) -> Changes:
    """The changes that give an index the wanted ``mappings``, ``settings`` and ``aliases``.

    Args:
        fields: as ``GET /index/_mapping/field/*?include_defaults`` has them.
        settings: by their full names, as are the defaults.
        taken_aliases: wanted aliases that belong to another index, or are the name of one.
    """
    changes = Changes(index)
    changes.mappings = _Mappings(fields, changes).compare_object(wanted["mappings"], mappings, "", MAPPING_PARAMETERS)
    for name, value in wanted["settings"].items():
        current = settings.get(name, default_settings.get(name))
        if _is_same(value, current):
            continue
        if name.removeprefix("index.").startswith(STATIC_SETTINGS):
            changes.refused.append(f"the setting {name} from {_shown(current)} to {_shown(value)}: it is static")
            continue
        changes.descriptions.append(f"setting {name}: {_shown(current)} → {_shown(value)}")
        changes.settings[name], changes.settings_before[name] = value, settings.get(name)
    for alias, given in wanted["aliases"].items():
        options, known = _routed(given), aliases.get(alias)
        if alias in taken_aliases:
            changes.refused.append(f"the alias {alias}: its name is taken")
        elif known is None or any(not _is_same(options[name], known.get(name)) for name in options):
            changes.descriptions.append(f"alias {alias}")
            whole = {**(known or {}), **options}  # what isn't sent again is removed
            changes.aliases[alias] = {name: value for name, value in whole.items() if value is not None}
    return changes


def _routed(options: Mapping[str, Any]) -> dict[str, Any]:
    """An alias's options as OpenSearch returns them: ``routing`` is short for two of them."""
    both = {} if "routing" not in options else dict.fromkeys(("index_routing", "search_routing"), options["routing"])
    return {**both, **{name: value for name, value in options.items() if name != "routing"}}


class _Mappings:
    """Compares two index mappings level by level."""

    def __init__(self, fields: Mapping[str, Any], changes: Changes) -> None:
        self._fields, self._changes = fields, changes

    def compare_object(
        self, wanted: Mapping[str, Any], current: Mapping[str, Any], path: str, parameters: Collection[str]
    ) -> dict[str, Any]:
        """What to send for an object, or for the index mapping as a whole."""
        send: dict[str, Any] = {}
        for name, value in wanted.items():
            before = current.get(name, _OBJECT_DEFAULTS.get(name))
            if name in {"properties", "type"} or _is_same(value, before):
                continue
            if self._may(name, before, value, parameters, path):
                send[name] = value
        known = current.get("properties", {})
        properties = {
            name: change
            for name, definition in _expanded(wanted.get("properties", {})).items()
            if (change := self._compare_field(definition, known.get(name), f"{path}.{name}".lstrip(".")))
        }
        return {**send, "properties": properties} if properties else send

    def _compare_field(
        self, wanted: Mapping[str, Any], current: Mapping[str, Any] | None, path: str
    ) -> Mapping[str, Any]:
        if current is None:
            self._changes.descriptions.append(f"new field {path}: {_type(wanted)}")
            return wanted
        if _type(wanted) != _type(current):
            self._refuse(path, f"from {_type(current)} to {_type(wanted)}: a field's type is fixed")
            return {}
        if _type(wanted) not in {"object", "nested"}:
            return self._compare_leaf(wanted, current, path)
        send = self.compare_object(wanted, current, path, OBJECT_PARAMETERS)
        return {"type": _type(wanted), **send} if send else {}

    def _compare_leaf(self, wanted: Mapping[str, Any], current: Mapping[str, Any], path: str) -> Mapping[str, Any]:
        known = next(iter(self._fields.get(path, {}).get("mapping", {}).values()), current)
        send: dict[str, Any] = {}
        for name, value in wanted.items():
            before = known.get(name)
            if name in {"type", "fields"} or _is_same(value, before):
                continue
            allowed = FIELD_PARAMETERS | ({"norms"} if value is False else set())  # norms can only be switched off
            if self._may(name, before, value, allowed, path):
                send[name] = value
        subfields = {
            name: change
            for name, definition in wanted.get("fields", {}).items()
            if (change := self._compare_field(definition, current.get("fields", {}).get(name), f"{path}.{name}"))
        }
        if subfields:
            send["fields"] = {**current.get("fields", {}), **subfields}
        # What isn't sent again falls back to its default.
        return {**current, **send} if send else {}

    def _may(self, name: str, before: Any, value: Any, allowed: Collection[str], path: str) -> bool:
        what = f"{name} of {path}" if path else name
        if name in allowed:
            self._changes.descriptions.append(f"{what}: {_shown(before)} → {_shown(value)}")
            return True
        self._refuse(what, f"from {_shown(before)} to {_shown(value)}: documents are indexed by it already")
        return False

    def _refuse(self, what: str, why: str) -> None:
        self._changes.refused.append(f"{what} {why}")


_OBJECT_DEFAULTS = {"enabled": True, "date_detection": True, "numeric_detection": False}


def _type(definition: Mapping[str, Any]) -> str:
    return str(definition.get("type", "object"))


def _expanded(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties with ``a.b`` as ``b`` within ``a``, as OpenSearch understands them."""
    found: dict[str, Any] = {}
    for name, definition in properties.items():
        head, _, rest = name.partition(".")
        if not rest:
            found[head] = _merged(found.get(head, {}), definition)
        else:
            found[head] = _merged(found.get(head, {}), {"properties": _expanded({rest: definition})})
    return found


def _merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    ours, theirs = first.get("properties", {}), second.get("properties", {})
    properties = {**ours, **theirs, **{name: _merged(ours[name], theirs[name]) for name in ours.keys() & theirs.keys()}}
    return {**first, **second, **({"properties": properties} if properties else {})}


def _is_same(first: Any, second: Any) -> bool:
    return bool(_plain(first) == _plain(second))


def _plain(value: Any) -> Any:
    """A comparable form: OpenSearch returns most values as text, one-item lists for single ones, and no empty ones."""
    if value in (None, "", [], {}):
        return None
    if isinstance(value, list):
        plain = [_plain(element) for element in value]
        return plain[0] if len(plain) == 1 else plain
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _shown(value: Any) -> str:
    plain = _plain(value)
    return "nothing" if plain is None else str(plain)
