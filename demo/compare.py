"""Compares every item of a table with its document, on its own: it must share no code with the function."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

Item = dict[str, dict[str, Any]]
NOTHING = "nothing"


class Document(NamedTuple):
    """A document as the index holds it: its id and its whole _source, read with `exact_json`."""

    id: str
    source: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where table and index differ; the path is empty where a whole item or document is missing."""

    id: str
    path: str
    table: str
    index: str

    def __str__(self) -> str:
        return f"{self.id}{self.path and ' ' + self.path}: the table has {self.table}, the index has {self.index}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared, and every difference found."""

    items: int
    documents: int
    differences: list[Difference] = field(default_factory=list)


def compare(items: Iterable[Item], documents: Iterable[Document], key: str) -> Comparison:
    """Compare all items with all documents. `key` names the partition key, a string that is also the document's id."""
    expected = {item[key]["S"]: {name: decode(value) for name, value in item.items()} for item in items}
    differences: list[Difference] = []
    seen: set[str] = set()
    for document in documents:
        if document.id in seen:
            differences.append(Difference(document.id, "", "one item", "the document twice"))
        elif document.id not in expected:
            differences.append(Difference(document.id, "", NOTHING, "a document"))
        else:
            found = _differences(expected[document.id], document.source, ())
            differences += [Difference(document.id, ".".join(path), table, index) for path, table, index in found]
        seen.add(document.id)
    differences += [Difference(missing, "", "an item", NOTHING) for missing in expected.keys() - seen]
    return Comparison(len(expected), len(seen), sorted(differences, key=lambda found: (found.id, found.path)))


def exact_json(text: bytes) -> Any:
    """Parse JSON without losing a digit. Constants that aren't JSON, and duplicate names, are errors.

    >>> exact_json(b'{"price": 0.10000000000000000000000001}')
    {'price': Decimal('0.10000000000000000000000001')}
    """
    return json.loads(
        text, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_unique_names
    )


def decode(value: dict[str, Any]) -> Any:
    """Return what JSON should hold for a DynamoDB value; a set is a frozenset, since its order means nothing."""
    ((kind, content),) = value.items()
    return DECODERS[kind](content)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


DECODERS: dict[str, Callable[[Any], Any]] = {
    "S": str,
    "N": Decimal,
    "B": _base64,
    "BOOL": bool,
    "NULL": lambda _: None,
    "L": lambda values: [decode(value) for value in values],
    "M": lambda attributes: {name: decode(value) for name, value in attributes.items()},
    "SS": frozenset,
    "NS": lambda numbers: frozenset(map(Decimal, numbers)),
    "BS": lambda binaries: frozenset(map(_base64, binaries)),
}


def _differences(table: Any, index: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    if isinstance(table, dict) and isinstance(index, dict):
        for name in table.keys() | index.keys():
            if name not in index:
                yield (*path, name), _shown(table[name]), NOTHING
            elif name not in table:
                yield (*path, name), NOTHING, _shown(index[name])
            else:
                yield from _differences(table[name], index[name], (*path, name))
    elif isinstance(table, list) and isinstance(index, list) and len(table) == len(index):
        for position, (left, right) in enumerate(zip(table, index, strict=True)):
            yield from _differences(left, right, (*path, str(position)))
    elif isinstance(table, frozenset) and isinstance(index, list):
        if len(table) != len(index) or table != {each for each in index if isinstance(each, str | Decimal)}:
            yield path, _shown(table), _shown(index)
    elif type(table) is not type(index) or table != index:  # by type first: to Python, True equals Decimal(1)
        yield path, _shown(table), _shown(index)


def _shown(value: Any) -> str:
    plain = sorted(value) if isinstance(value, frozenset) else value
    text = str(plain) if isinstance(plain, Decimal) else json.dumps(plain, default=str, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "…"


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) != len(pairs):
        raise ValueError(f"a JSON object has a name twice: {[name for name, _ in pairs]}")
    return named


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
