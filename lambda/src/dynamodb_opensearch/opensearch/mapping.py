"""Proposes a mapping from a sample of the table. It refuses as little as can be; what it doesn't index is kept.

Attributes that the sample doesn't show are kept in ``_source`` and not indexed (``dynamic: false``), so nothing in them
is refused. Of those that it shows, each gets a type that takes every value but one: texts and keywords take all values,
numbers and dates set aside what isn't one (``ignore_malformed``), binary and what has no single form isn't indexed.

What is still refused, because no type that can be searched takes both:

- a map, or a list with a map in it, where the mapping has a value (``a`` beside ``a.b`` is that, too);
- a value that isn't null where the mapping has a map;
- with a dot in an attribute's name, and a list in it, that the sample doesn't show: either of these, judged by the last
  part of the name alone. OpenSearch takes the list of ``a.b`` for one of ``b`` (seen on 2.19).

Such a document becomes a dead letter that names the field. What the sample itself shows to be both isn't indexed, so
all of the sample is taken. With ``dynamic=True`` new attributes are indexed as they come, by templates that follow the
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
"""A map of more different names than this, in the whole sample, is taken for a dictionary and not indexed."""
DEPTH = 8
"""Maps are indexed so many levels deep."""
EXACT_DIGITS = 15
"""Of a double: whole numbers and fractions of more digits are told apart by a keyword only."""


class Kind(StrEnum):
    """What a value is, as far as indexing is concerned."""

    TEXT = "text"
    DATE = "date"
    NUMBER = "number"
    LONG_NUMBER = "long number"
    BOOLEAN = "boolean"
    BINARY = "binary"
    MAP = "map"


@dataclass(frozen=True, slots=True)
class Note:
    """Why a field is proposed as it is, for whoever reviews it."""

    field: str
    type: str
    samples: int
    """How many values of the sample stand there."""
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mapping, and the reasons for it."""

    mappings: dict[str, Any]
    notes: tuple[Note, ...]
    samples: int


def infer(items: Iterable[Item], key_types: Mapping[str, str], *, dynamic: bool = False) -> Proposal:
    """The mapping that fits these items, and takes others, too.

    Args:
        key_types: key attribute -> ``S``, ``N`` or ``B``: they are indexed, whatever the sample shows.
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
    """All that the sample shows at one path."""

    samples: int = 0
    key: str | None = None
    """The type of the key attribute that stands here."""
    kinds: set[Kind] = field(default_factory=set)
    members: dict[str, "_Seen"] = field(default_factory=dict)

    def at(self, path: Sequence[str]) -> "_Seen":
        """What was seen there; a dot in a name makes a map of what stands before it."""
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
                for one in content:
                    self.look_at(one)
            case "SS" | "NS" | "BS":
                for one in content:
                    self.look_at({tag[0]: one})
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
    for name, one in sorted(seen.members.items()):
        path = f"{prefix}{name}"
        definition, why = _definition(one, name, depth)
        kind = "not indexed" if definition in (None, _KEPT) else definition.get("type", "object")
        notes.append(Note(path, kind, one.samples, why))
        if definition is None:
            continue
        if definition is _MAP:
            definition = {"type": "object", "dynamic": False}
            if properties := _properties(one, f"{path}.", depth + 1, notes):
                definition["properties"] = properties
        found[name] = definition
    return found


def _definition(seen: _Seen, name: str, depth: int) -> tuple[Any, str]:
    """How to map a field, None for not at all, and why."""
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
_MAP: dict[str, Any] = {"type": "object"}  # stands for a map whose members are to be mapped
_KEYWORD = {"type": "keyword", "ignore_above": 256}
_TEXT = {"type": "text", "fields": {"keyword": _KEYWORD}}
_NUMBER = {"type": "double", "ignore_malformed": True}
_LONG_NUMBER = {**_NUMBER, "fields": {"exact": _KEYWORD}}
_DATE = {"type": "date", "ignore_malformed": True, "fields": {"keyword": _KEYWORD}}
# DynamoDB's keys have 2,048 bytes at most, which makes 2,732 characters of base64.
_KEYS = {
    "S": {"type": "keyword", "ignore_above": 2048},
    "N": _LONG_NUMBER,
    "B": {"type": "keyword", "ignore_above": 2732},
}

# For all values of these kinds, the first that fits.
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
    """The fields that an attribute's name makes: OpenSearch takes a dot for a path."""
    return str(json.loads(spell(name)[:-1])).split(".")


_is_plain = re.compile(r"[^\x00-\x20*\x7f](?:[^\x00-\x1f*\x7f]{0,253}[^\x00-\x20*\x7f])?").fullmatch


def _digits(number: str) -> int:
    """Significant ones."""
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
