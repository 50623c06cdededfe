"""Makes random items in DynamoDB's JSON, as streams and BatchGetItem carry them, and compares documents exactly."""

import base64
import json
import random
from collections.abc import Callable, Iterable, Mapping
from decimal import Context, Decimal
from functools import partial
from typing import Any, TypeAlias

AttributeValue: TypeAlias = Mapping[str, Any]
Item: TypeAlias = Mapping[str, AttributeValue]

# Every item's content holds it, and no key does: a log line or a dead letter that holds it has leaked content.
CONTENT_MARK = "c0ntent"

# The test index maps this attribute as a long, so that a text in it makes OpenSearch refuse the document permanently.
POISONABLE_ATTRIBUTE = "quantity"

# Numbers that a float would change: 38 digits, both ends of the exponent's range, an integer beyond 64 bits.
EXACT_NUMBERS = (
    "0",
    "-1",
    "19.99",
    "0.1",
    "12345678901234567890123456789012345678",
    "0.12345678901234567890123456789012345678",
    "-99999999999999999999999999999999999999",
    "1E-130",
    "9.9999999999999999999999999999999999999E+125",
    "18446744073709551616",
)
TEXTS = ("", "plain", 'quote " and \\ backslash', "line\nbreak", "ünïcödé 😀", "\u2028", '{"json": "inside"}')


def make_item(rng: random.Random, keys: Item, serial: int) -> dict[str, AttributeValue]:
    """Make an item with the given key attributes; `serial` makes its content unique in its table."""
    item: dict[str, AttributeValue] = {**keys, "serial": {"N": str(serial)}, "mark": {"S": f"{CONTENT_MARK}-{serial}"}}
    for name in rng.sample(sorted(_ATTRIBUTES), rng.randint(0, 5)):
        item[name] = _ATTRIBUTES[name](rng)
    return item


def make_poison(rng: random.Random, keys: Item, serial: int) -> dict[str, AttributeValue]:
    """Make an item that the test index always refuses."""
    return {**make_item(rng, keys, serial), POISONABLE_ATTRIBUTE: {"S": f"{CONTENT_MARK} is not a number"}}


def make_moving_item(
    rng: random.Random, keys: Item, serial: int, before: Item | None, *, poison: float
) -> dict[str, AttributeValue]:
    """Make an item that often enters and leaves an index, or changes in nothing that an index holds."""
    if before is None or rng.random() < 0.3:
        item = {**make_item(rng, keys, serial), **{name: make(rng) for name, make in _MOVING.items()}}
    else:
        item = {**before, "serial": {"N": str(serial)}, "mark": {"S": f"{CONTENT_MARK}-{serial}"}}
        for name in rng.sample(sorted(_MOVING), rng.choice((0, 0, 1, 1, 2))):
            item[name] = _MOVING[name](rng)
    if rng.random() < poison:
        item[POISONABLE_ATTRIBUTE] = {"S": f"{CONTENT_MARK} is not a number"}
    elif is_poison(item):
        del item[POISONABLE_ATTRIBUTE]
    return item


def is_poison(item: Item) -> bool:
    return "S" in item.get(POISONABLE_ATTRIBUTE, {})


def key_label(attributes: Mapping[str, Any], names: Iterable[str]) -> str:
    """Return the key's text for stories, from an item's or a record's key attributes in the order of the schema."""
    return "|".join(_scalar_text(attributes[name]) for name in names)


def document_label(document: Mapping[str, Any], names: Iterable[str]) -> str:
    """Return the same text from a document's `_source`, read with `read_exactly`; a missing key attribute is `?`."""
    return "|".join(_number_text(v) if isinstance(v := document.get(n, "?"), Decimal) else str(v) for n in names)


def document_id(attributes: Item, names: Iterable[str]) -> str:
    """Return the id that a document must have, for keys without the characters that are escaped in ids."""
    return "|".join(
        value["B"].translate(str.maketrans("+/", "-_")).rstrip("=") if "B" in value else _scalar_text(value)
        for value in (attributes[name] for name in names)
    )


def read_exactly(body: bytes) -> Any:
    """Parse JSON with numbers as Decimal, so that no digit is lost."""
    return json.loads(body, parse_int=Decimal, parse_float=Decimal)


def is_document_of(item: Item, document: Any) -> bool:
    """Whether the document says exactly what the item says: every attribute, every digit, and nothing else."""
    return _is_value_of({"M": item}, document)


def _is_value_of(value: AttributeValue, found: Any) -> bool:
    ((tag, content),) = value.items()
    return _COMPARISONS[tag](content, found)


def _is_text(content: str, found: Any) -> bool:
    return isinstance(found, str) and found == content


def _is_number(content: str, found: Any) -> bool:
    return isinstance(found, Decimal) and found == Decimal(content)


def _is_list(content: list[AttributeValue], found: Any) -> bool:
    return isinstance(found, list) and len(found) == len(content) and all(map(_is_value_of, content, found))


def _is_map(content: Item, found: Any) -> bool:
    return (
        isinstance(found, dict)
        and found.keys() == content.keys()
        and all(_is_value_of(content[name], found[name]) for name in content)
    )


def _is_set(is_member: Callable[[str, Any], bool], content: list[str], found: Any) -> bool:
    """A set becomes an array in any order, with every member once."""
    return (
        isinstance(found, list)
        and len(found) == len(content)
        and all(any(is_member(member, element) for element in found) for member in content)
    )


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "S": _is_text,
    "B": _is_text,
    "N": _is_number,
    "BOOL": lambda content, found: found is content,
    "NULL": lambda _, found: found is None,
    "L": _is_list,
    "M": _is_map,
    "SS": partial(_is_set, _is_text),
    "BS": partial(_is_set, _is_text),
    "NS": partial(_is_set, _is_number),
}


def _scalar_text(value: AttributeValue) -> str:
    ((tag, content),) = value.items()
    return _number_text(Decimal(content)) if tag == "N" else str(content)


_EXACT = Context(prec=60)  # DynamoDB's numbers have 38 digits, and Python's own context rounds to 28


def _number_text(number: Decimal) -> str:
    return format(number.normalize(_EXACT), "f")


def _binary(rng: random.Random) -> str:
    return base64.b64encode(rng.randbytes(rng.randint(0, 12))).decode()


def _scalar(rng: random.Random) -> AttributeValue:
    return rng.choice(
        (
            {"S": rng.choice(TEXTS)},
            {"N": rng.choice(EXACT_NUMBERS)},
            {"BOOL": rng.random() < 0.5},
            {"NULL": True},
            {"B": _binary(rng)},
        )
    )


_ATTRIBUTES: Mapping[str, Callable[[random.Random], AttributeValue]] = {
    "name": lambda rng: {"S": rng.choice(TEXTS)},
    "price": lambda rng: {"N": rng.choice(EXACT_NUMBERS)},
    POISONABLE_ATTRIBUTE: lambda rng: {"N": str(rng.randint(0, 1000))},
    "active": lambda rng: {"BOOL": rng.random() < 0.5},
    "nothing": lambda _: {"NULL": True},
    "thumbnail": lambda rng: {"B": _binary(rng)},
    "tags": lambda rng: {"SS": rng.sample(TEXTS, rng.randint(1, 4))},
    "sizes": lambda rng: {"NS": rng.sample(EXACT_NUMBERS, rng.randint(1, 4))},
    "hashes": lambda rng: {"BS": sorted({_binary(rng) for _ in range(3)})},
    "history": lambda rng: {"L": [_scalar(rng) for _ in range(rng.randint(0, 3))]},
    "attributes": lambda rng: {"M": {n: _scalar(rng) for n in rng.sample(("a", "b c", "d.e", "ü"), rng.randint(0, 3))}},
    "description": lambda rng: {"S": "long " * rng.randint(1, 60)},
}

# What the projections of schedules with several indices decide by.
_MOVING: Mapping[str, Callable[[random.Random], AttributeValue]] = {
    "kind": lambda rng: rng.choice(({"S": "order"}, {"S": "offer"}, {"S": "other"}, {"NULL": True})),
    "level": lambda rng: rng.choice(({"N": "7"}, {"N": "7.00"}, {"S": "7.0"}, {"S": "7"}, {"N": "8"})),
    "flags": lambda rng: {
        "M": {name: {"BOOL": rng.random() < 0.7} for name in rng.sample(("hot", "gone"), rng.choice((0, 1, 1, 2)))}
    },
}
