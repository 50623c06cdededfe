"""What OpenSearch can change in an index that has documents, and what it can't. Pure: two definitions in, changes out.

Which parameters can be changed was seen on OpenSearch 2.19; a test tries each one on a real one.
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
"""Of fields: what they can be changed in, for documents written from then on."""
MAPPING_PARAMETERS = frozenset(
    {"_meta", "date_detection", "derived", "dynamic", "dynamic_date_formats", "dynamic_templates", "numeric_detection"}
)
"""Of the mapping as a whole."""
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
"""Names, or beginnings of names, of settings that an open index can't be given another value of."""


@dataclass(slots=True)
class Changes:
    """What to send, and what it means."""

    index: str
    mappings: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    settings_before: dict[str, Any] = field(default_factory=dict)
    """As the changed settings were; None: not set."""
    aliases: dict[str, Any] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
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
    """What an index must be changed in to have the wanted ``mappings``, ``settings`` and ``aliases``.

    Args:
        fields: as ``GET /index/_mapping/field/*?include_defaults`` has them.
        settings: by their whole names, as are the defaults.
        taken_aliases: wanted ones that are another index's, or an index themselves.
    """
    changes = Changes(index)
    changes.mappings = _Mappings(fields, changes).compare_object(wanted["mappings"], mappings, "", MAPPING_PARAMETERS)
    for name, value in wanted["settings"].items():
        stands = settings.get(name, default_settings.get(name))
        if _is_same(value, stands):
            continue
        if name.removeprefix("index.").startswith(STATIC_SETTINGS):
            changes.refused.append(f"the setting {name} from {_shown(stands)} to {_shown(value)}: it is static")
            continue
        changes.told.append(f"setting {name}: {_shown(stands)} → {_shown(value)}")
        changes.settings[name], changes.settings_before[name] = value, settings.get(name)
    for alias, given in wanted["aliases"].items():
        options, stands = _routed(given), aliases.get(alias)
        if alias in taken_aliases:
            changes.refused.append(f"the alias {alias}: it stands for something else")
        elif stands is None or any(not _is_same(options[one], stands.get(one)) for one in options):
            changes.told.append(f"alias {alias}")
            whole = {**(stands or {}), **options}  # what isn't sent again is taken away
            changes.aliases[alias] = {name: value for name, value in whole.items() if value is not None}
    return changes


def _routed(options: Mapping[str, Any]) -> dict[str, Any]:
    """An alias's options as OpenSearch hands them out: ``routing`` is short for two of them."""
    both = {} if "routing" not in options else dict.fromkeys(("index_routing", "search_routing"), options["routing"])
    return {**both, **{name: value for name, value in options.items() if name != "routing"}}


class _Mappings:
    """Compares two mappings level by level."""

    def __init__(self, fields: Mapping[str, Any], changes: Changes) -> None:
        self._fields, self._changes = fields, changes

    def compare_object(
        self, wanted: Mapping[str, Any], stands: Mapping[str, Any], path: str, parameters: Collection[str]
    ) -> dict[str, Any]:
        """What to send of an object, or of the mapping as a whole."""
        send: dict[str, Any] = {}
        for name, value in wanted.items():
            before = stands.get(name, _OBJECT_DEFAULTS.get(name))
            if name in {"properties", "type"} or _is_same(value, before):
                continue
            if self._may(name, before, value, parameters, path):
                send[name] = value
        known = stands.get("properties", {})
        properties = {
            name: change
            for name, definition in _expanded(wanted.get("properties", {})).items()
            if (change := self._compare_field(definition, known.get(name), f"{path}.{name}".lstrip(".")))
        }
        return {**send, "properties": properties} if properties else send

    def _compare_field(
        self, wanted: Mapping[str, Any], stands: Mapping[str, Any] | None, path: str
    ) -> Mapping[str, Any]:
        if stands is None:
            self._changes.told.append(f"new field {path}: {_type(wanted)}")
            return wanted
        if _type(wanted) != _type(stands):
            self._refuse(path, f"from {_type(stands)} to {_type(wanted)}: a field's type is fixed")
            return {}
        if _type(wanted) not in {"object", "nested"}:
            return self._compare_leaf(wanted, stands, path)
        send = self.compare_object(wanted, stands, path, OBJECT_PARAMETERS)
        return {"type": _type(wanted), **send} if send else {}

    def _compare_leaf(self, wanted: Mapping[str, Any], stands: Mapping[str, Any], path: str) -> Mapping[str, Any]:
        known = next(iter(self._fields.get(path, {}).get("mapping", {}).values()), stands)
        send: dict[str, Any] = {}
        for name, value in wanted.items():
            before = known.get(name)
            if name in {"type", "fields"} or _is_same(value, before):
                continue
            allowed = FIELD_PARAMETERS | ({"norms"} if value is False else set())  # norms can be switched off only
            if self._may(name, before, value, allowed, path):
                send[name] = value
        subfields = {
            name: change
            for name, definition in wanted.get("fields", {}).items()
            if (change := self._compare_field(definition, stands.get("fields", {}).get(name), f"{path}.{name}"))
        }
        if subfields:
            send["fields"] = {**stands.get("fields", {}), **subfields}
        # What isn't sent again falls back to its default.
        return {**stands, **send} if send else {}

    def _may(self, name: str, before: Any, value: Any, allowed: Collection[str], path: str) -> bool:
        what = f"{name} of {path}" if path else name
        if name in allowed:
            self._changes.told.append(f"{what}: {_shown(before)} → {_shown(value)}")
            return True
        self._refuse(what, f"from {_shown(before)} to {_shown(value)}: documents are indexed by it already")
        return False

    def _refuse(self, what: str, why: str) -> None:
        self._changes.refused.append(f"{what} {why}")


_OBJECT_DEFAULTS = {"enabled": True, "date_detection": True, "numeric_detection": False}


def _type(definition: Mapping[str, Any]) -> str:
    return str(definition.get("type", "object"))


def _expanded(properties: Mapping[str, Any]) -> dict[str, Any]:
    """With ``a.b`` as ``b`` within ``a``, as OpenSearch understands it."""
    found: dict[str, Any] = {}
    for name, definition in properties.items():
        head, _, rest = name.partition(".")
        if not rest:
            found[head] = _merged(found.get(head, {}), definition)
        else:
            found[head] = _merged(found.get(head, {}), {"properties": _expanded({rest: definition})})
    return found


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    ours, theirs = one.get("properties", {}), other.get("properties", {})
    properties = {**ours, **theirs, **{name: _merged(ours[name], theirs[name]) for name in ours.keys() & theirs.keys()}}
    return {**one, **other, **({"properties": properties} if properties else {})}


def _is_same(one: Any, other: Any) -> bool:
    return bool(_plain(one) == _plain(other))


def _plain(value: Any) -> Any:
    """OpenSearch hands most values out as text, one-item lists for single values, and no empty ones."""
    if value in (None, "", [], {}):
        return None
    if isinstance(value, list):
        plain = [_plain(one) for one in value]
        return plain[0] if len(plain) == 1 else plain
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _shown(value: Any) -> str:
    plain = _plain(value)
    return "nothing" if plain is None else str(plain)
