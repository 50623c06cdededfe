"""Proposes an index mapping from a sample of the table: it refuses as little as possible, and keeps all content.

Attributes that the sample doesn't show are kept in ``_source`` and not indexed (``dynamic: false``), so nothing in them
is refused. Each attribute that it shows gets a type that takes every value, with the exceptions below: texts and
keywords take all values, numbers and dates leave other values unindexed (``ignore_malformed``), and binary and anything
without a single form isn't indexed.

These are still refused, because no type that can be searched takes both:

- a map, or a list with a map in it, where the index mapping has a value (``a`` beside ``a.b`` counts, too);
- a value that isn't null where the index mapping has a map;
- for an attribute that the sample doesn't show, with a dot in its name and a list as its value: either of these, judged
  by the last part of the name alone. OpenSearch takes the list of ``a.b`` for one of ``b`` (observed on 2.19).

Such a document becomes a dead letter that names the field. An attribute that is both in the sample isn't indexed, so
the whole sample is taken. With ``dynamic=True`` new attributes are indexed as they come, by templates that follow the
same rules; then the first value decides between value and map, and beyond ``index.mapping.total_fields.limit`` fields a
new one is refused.

``flat_object`` isn't proposed: it refuses texts of more than 32,766 bytes.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from dynamodb_opensearch.core.documents import member
from dynamodb_opensearch.core.items import Item, nested_member

WIDE = 100
"""A map with more different names than this, in the whole sample, is taken for a dictionary and not indexed."""
DEPTH = 8
"""How many levels deep maps are indexed."""
EXACT_DIGITS = 15
"""A double's precision: only a keyword distinguishes whole numbers and fractions of more digits."""


class Kind(StrEnum):
    """The kinds of values that indexing distinguishes."""

    TEXT = "text"
    DATE = "date"
    NUMBER = "number"
    LONG_NUMBER = "long number"
    BOOLEAN = "boolean"
    BINARY = "binary"
    MAP = "map"


@dataclass(frozen=True, slots=True)
class Note:
    """Why a field is proposed as it is, for the review."""

    field: str
    type: str
    samples: int
    """How many values the sample has at this path."""
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """An index mapping, and the reasons for it."""

    mappings: dict[str, Any]
    notes: tuple[Note, ...]
    samples: int


def infer(items: Iterable[Item], key_types: Mapping[str, str], *, dynamic: bool = False) -> Proposal:
    """An index mapping that fits these items, and takes others, too.

    Args:
        key_types: key attribute -> ``S``, ``N`` or ``B``. Keys are indexed, whatever the sample shows.
        dynamic: whether attributes that the sample doesn't show are indexed once they come, too.
    """
    root, samples = _Seen(), 0
    for name, kind in key_types.items():
        root.at(_path(name, member)).key = kind
    for item in items:
        root.look_at_map(item, member)
        samples += 1
    notes: list[Note] = []
    properties = _properties(root, "", 1, notes)
    mappings = {
        "dynamic": dynamic,
        "date_detection": False,
        "numeric_detection": False,
        **({"dynamic_templates": _TEMPLATES} if dynamic else {}),
        "properties": properties,
    }
    return Proposal(json.loads(json.dumps(mappings)), tuple(notes), samples)


@dataclass(slots=True)
class _Seen:
    """Everything that the sample shows at one path."""

    samples: int = 0
    key: str | None = None
    """The type of the key attribute at this path; None if there is none."""
    kinds: set[Kind] = field(default_factory=set)
    members: dict[str, "_Seen"] = field(default_factory=dict)

    def at(self, path: Sequence[str]) -> "_Seen":
        """What was seen at a path; a dot in a name makes a map of the part before it."""
        seen = self
        for number, part in enumerate(path):
            if number:
                seen.kinds.add(Kind.MAP)
            seen = seen.members.setdefault(part, _Seen())
        return seen

    def look_at_map(self, members: Item, spell: Callable[[str], str]) -> None:
        for name, value in members.items():
            seen = self.at(_path(name, spell))
            seen.samples += 1
            seen.look_at(value)

    def look_at(self, value: Mapping[str, Any]) -> None:
        [(tag, content)] = value.items()
        match tag:
            case "M":
                self.kinds.add(Kind.MAP)
                self.look_at_map(content, nested_member)
            case "L":
                for element in content:
                    self.look_at(element)
            case "SS" | "NS" | "BS":
                for element in content:
                    self.look_at({tag[0]: element})
            case "S":
                self.kinds.add(Kind.DATE if _is_date(content) else Kind.TEXT)
            case "N":
                self.kinds.add(Kind.NUMBER if _digits(content) <= EXACT_DIGITS else Kind.LONG_NUMBER)
            case "BOOL":
                self.kinds.add(Kind.BOOLEAN)
            case "B":
                self.kinds.add(Kind.BINARY)


def _properties(seen: _Seen, prefix: str, depth: int, notes: list[Note]) -> dict[str, Any]:
    found = {}
    for name, member_seen in sorted(seen.members.items()):
        path = f"{prefix}{name}"
        definition, why = _definition(member_seen, name, depth)
        kind = "not indexed" if definition in (None, _KEPT) else definition.get("type", "object")
        notes.append(Note(path, kind, member_seen.samples, why))
        if definition is None:
            continue
        if definition is _MAP:
            definition = {"type": "object", "dynamic": False}
            if properties := _properties(member_seen, f"{path}.", depth + 1, notes):
                definition["properties"] = properties
        found[name] = definition
    return found


def _definition(seen: _Seen, name: str, depth: int) -> tuple[Any, str]:
    """A field's definition, None to leave it out, and the reason."""
    kinds = seen.kinds
    if not _is_plain(name):
        return None, "its name is unusual: kept in _source"
    if Kind.MAP in kinds:
        return _definition_of_map(seen, depth)
    if seen.key:
        return _KEYS[seen.key], "key attribute: found by its exact value"
    for fitting, definition, why in _RULES:
        if kinds <= fitting:
            return definition, why
    return _TEXT, f"several kinds ({', '.join(sorted(kinds))}): text takes them all"


def _definition_of_map(seen: _Seen, depth: int) -> tuple[Any, str]:
    if others := seen.kinds - {Kind.MAP}:
        return _KEPT, f"a map in some places, {', '.join(sorted(others))} in others: no type takes both"
    if seen.key:
        return _KEPT, "a key attribute whose name begins another attribute's: no type takes both"
    if len(seen.members) > WIDE:
        return _KEPT, f"a map of {len(seen.members)} different names looks like a dictionary"
    if depth > DEPTH:
        return _KEPT, f"a map more than {DEPTH} levels deep"
    return _MAP, "a map: names that the sample doesn't show are kept and not indexed"


_KEPT: dict[str, Any] = {"type": "object", "enabled": False}
_MAP: dict[str, Any] = {"type": "object"}  # marks a map whose members are mapped, too
_KEYWORD = {"type": "keyword", "ignore_above": 256}
_TEXT = {"type": "text", "fields": {"keyword": _KEYWORD}}
_NUMBER = {"type": "double", "ignore_malformed": True}
_LONG_NUMBER = {**_NUMBER, "fields": {"exact": _KEYWORD}}
_DATE = {"type": "date", "ignore_malformed": True, "fields": {"keyword": _KEYWORD}}
# DynamoDB's keys have at most 2,048 bytes, which makes 2,732 characters of base64.
_KEYS = {
    "S": {"type": "keyword", "ignore_above": 2048},
    "N": _LONG_NUMBER,
    "B": {"type": "keyword", "ignore_above": 2732},
}

# The first rule applies whose kinds include all kinds of the values.
_RULES: list[tuple[set[Kind], Any, str]] = [
    (set(), None, "empty or null in all samples: kept in _source until its kind is known"),
    ({Kind.BINARY}, _KEPT, "binary can't be searched"),
    ({Kind.NUMBER}, _NUMBER, "double takes every number of DynamoDB's"),
    (
        {Kind.NUMBER, Kind.LONG_NUMBER},
        _LONG_NUMBER,
        f"some have more than {EXACT_DIGITS} digits: .exact finds them digit for digit",
    ),
    ({Kind.DATE}, _DATE, "ISO 8601 in all samples; what isn't a date is found by .keyword"),
    ({Kind.BOOLEAN}, _KEYWORD, "keyword takes true, false and whatever else may come; boolean would refuse that"),
    ({Kind.TEXT, Kind.DATE}, _TEXT, "words by the field itself, exact values and sorting by .keyword"),
]

_TEMPLATES = [
    {"numbers": {"match_mapping_type": "long", "mapping": _LONG_NUMBER}},
    {"fractions": {"match_mapping_type": "double", "mapping": _LONG_NUMBER}},
    {"booleans": {"match_mapping_type": "boolean", "mapping": _KEYWORD}},
    {"texts": {"match_mapping_type": "string", "mapping": _TEXT}},
    {"maps": {"match_mapping_type": "object", "mapping": _KEPT}},
]


def _path(name: str, spell: Callable[[str], str]) -> list[str]:
    """The path of fields that an attribute's name makes: OpenSearch splits it at each dot."""
    return str(json.loads(spell(name)[:-1])).split(".")


_is_plain = re.compile(r"[^\x00-\x20*\x7f](?:[^\x00-\x1f*\x7f]{0,253}[^\x00-\x20*\x7f])?").fullmatch


def _digits(number: str) -> int:
    """How many significant digits a number has."""
    return len(re.sub(r"[eE].*|[^0-9]", "", number).strip("0"))


_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?").fullmatch


def _is_date(text: str) -> bool:
    if not (isinstance(text, str) and _ISO(text)):
        return False
    try:
        datetime.fromisoformat(text[:10])
    except ValueError:
        return False
    return True
