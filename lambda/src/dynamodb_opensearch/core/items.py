"""Encodes DynamoDB's attribute values as JSON text, digit for digit.

Takes DynamoDB JSON in both forms that AWS delivers: the Lambda event's (binary as base64 text) and the SDK's (binary as
bytes). A number never becomes a float, and a value becomes text directly, without Python objects in between.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from dynamodb_opensearch.core.errors import UndecodableError

quote = encode_basestring
"""A text as a JSON string; characters beyond ASCII stay as they are."""

Item = Mapping[str, Any]
"""Attribute name -> attribute value, such as ``{"price": {"N": "9.90"}}``."""

_JSON_NUMBER = re.compile(r"-?+(?:[1-9][0-9]*+|0)(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+").fullmatch
_MAGNITUDE = 512  # DynamoDB's own limit is 130; without any, a plain spelling could fill the memory
_DECIMAL_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?").fullmatch


def encode_item(item: Item, member: Callable[[str], str], more: Sequence[str] = ()) -> bytes:
    """The item as the bytes of a JSON object.

    Args:
        member: gives a top-level name's ``"name":`` text.
        more: further members of the object, as JSON text.

    Raises:
        UndecodableError: a value has an unknown type tag, none, several, or isn't of its tag's type.
    """
    try:
        text = _object(item, member, more)
    except NOT_DYNAMODB_JSON:
        raise undecodable() from None
    # A lone surrogate can't be UTF-8, and backslashreplace's form of it is just JSON's escape.
    return text.encode("utf-8", "backslashreplace")


def encode_value(value: Any) -> str:
    """One attribute value as JSON text: what ``encode_item`` writes for it.

    Raises:
        UndecodableError: as ``encode_item``.
    """
    try:
        (tag,) = value
        return _ENCODERS[tag](value[tag])
    except NOT_DYNAMODB_JSON:
        raise undecodable() from None


NOT_DYNAMODB_JSON = (AttributeError, KeyError, TypeError, ValueError)
"""What reading a value raises if it has an unknown type tag, none, several, or isn't of its tag's type."""


def undecodable() -> UndecodableError:
    """The error for a value that isn't DynamoDB JSON; it doesn't quote the value."""
    return UndecodableError("an attribute isn't DynamoDB JSON: one type tag and a value of that type")


def canonical_number(text: str) -> str:
    """The one plain spelling of a number: ``1``, ``1.0`` and ``1E0`` are the same key in DynamoDB.

    Raises:
        UndecodableError: it isn't a number, or is out of DynamoDB's range.
    """
    if not (isinstance(text, str) and _DECIMAL_NUMBER(text)):
        raise UndecodableError("a number attribute doesn't hold a number")
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent beyond a Decimal's
        raise UndecodableError("a number attribute is out of DynamoDB's range") from None
    if abs(number.adjusted()) > _MAGNITUDE:
        raise UndecodableError("a number attribute is out of DynamoDB's range")
    plain = format(number, "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain in {"-0", "0"} else plain


def binary(value: str | bytes) -> bytes:
    """The bytes of a binary value in either form.

    Raises:
        UndecodableError: the text isn't base64.
    """
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError):
        raise UndecodableError("a binary attribute doesn't hold base64") from None


@lru_cache(maxsize=4096)
def nested_member(name: str) -> str:
    """A map key's ``"name":`` text."""
    return quote(escape_name(name)) + ":"


def escape_name(name: str) -> str:
    """A name that OpenSearch takes within an object: the name itself, or its escaped form.

    OpenSearch refuses names with a blank part between dots (``""``, ``"."``, ``".a"``, ``"a..b"``, ``" "``). Such a
    name, and any that starts with ``~``, is written as ``~`` and the name, with ``~0`` for ``~`` and ``~1`` for ``.``.
    These are RFC 6901's escapes: no two names collide, and each can be read back.
    """
    if name[:1] != "~" and all(part.strip(_BLANKS) for part in name.split(".")):
        return name
    return force_escape(name)


def force_escape(name: str) -> str:
    """The escaped form, whether the name needs it or not."""
    return "~" + name.replace("~", "~0").replace(".", "~1")


def unescape_name(name: str) -> str:
    """The attribute's name behind a field's name: the inverse of ``escape_name`` and ``force_escape``."""
    return name[1:].replace("~1", ".").replace("~0", "~") if name[:1] == "~" else name


# What Java takes for white space, and all control characters, but no no-break space.
_BLANKS = "".join(
    map(chr, (*range(0x21), 0x1680, *range(0x2000, 0x2007), *range(0x2008, 0x200B), 0x2028, 0x2029, 0x205F, 0x3000))
)


# Hot: ``for (tag,) in [value]`` takes a value's only tag without a function call, which would cost a tenth more.


def _object(members: Item, member: Callable[[str], str], more: Sequence[str] = ()) -> str:
    texts = [member(name) + _ENCODERS[tag](value[tag]) for name, value in members.items() for (tag,) in [value]]
    texts += more
    return "{" + ",".join(texts) + "}"


def _list(values: list[Any]) -> str:
    return "[" + ",".join([_ENCODERS[tag](value[tag]) for value in values for (tag,) in [value]]) + "]"


def json_number(text: str) -> str:
    """A number's own text if JSON has that spelling, else its plain spelling.

    Raises:
        UndecodableError: as ``canonical_number``.
    """
    if text.isdecimal() and text.isascii() and text[0] != "0":  # most numbers, at half the expression's cost
        return text
    return text if _JSON_NUMBER(text) else canonical_number(text)


def _binary(value: str | bytes) -> str:
    return quote(base64.b64encode(value).decode()) if isinstance(value, bytes) else quote(value)


def _map(members: Mapping[str, Any]) -> str:
    return _object(members, nested_member)


# A set has no order, so it gets one: equal items make equal documents.


def _string_set(values: list[str]) -> str:
    return "[" + ",".join([quote(value) for value in sorted(values)]) + "]"


def _number_set(values: list[str]) -> str:
    numbers = {value: json_number(value) for value in values}
    return "[" + ",".join([numbers[value] for value in sorted(values, key=Decimal)]) + "]"


def _binary_set(values: list[str | bytes]) -> str:
    return "[" + ",".join([_binary(value) for value in sorted(values, key=binary)]) + "]"


_ENCODERS: Mapping[str, Callable[[Any], str]] = {
    "S": quote,
    "N": json_number,
    "B": _binary,
    "BOOL": {True: "true", False: "false"}.__getitem__,
    "NULL": {True: "null"}.__getitem__,
    "M": _map,
    "L": _list,
    "SS": _string_set,
    "NS": _number_set,
    "BS": _binary_set,
}


def as_json(keys: Item) -> dict[str, Any]:
    """Keys in a form that JSON can hold: the SDK's bytes become base64 text."""
    return {
        name: {tag: base64.b64encode(text).decode() if isinstance(text, bytes) else text for tag, text in value.items()}
        for name, value in keys.items()
    }
