"""Shows an item as plain Python, converted only where it is touched, and encodes Python values as JSON text.

What wasn't touched is encoded from DynamoDB JSON as if no transform had seen it. A touched value gives the same text as
long as it isn't changed, down to a number's spelling and the order of a set.
"""

import base64
import copy
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, ValuesView
from collections.abc import Set as AbstractSet
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any, Self, SupportsIndex, final

from dynamodb_opensearch.core.errors import UndecodableError
from dynamodb_opensearch.core.items import (
    NOT_DYNAMODB_JSON,
    Item,
    binary,
    encode_value,
    json_number,
    nested_member,
    quote,
    undecodable,
)


class UnfitError(Exception):
    """A Python value has no form in JSON. The text names the value's type, never the value."""


@final
class _Untouched:
    """Marks an attribute that is still DynamoDB JSON. Whatever gets it past ``PlainItem``'s methods fails loudly."""


_UNTOUCHED = _Untouched()
_NOTHING: Mapping[str, Any] = {}
_NOT_FINITE = "a number that isn't finite"


class Spellings:
    """The numbers whose text in DynamoDB isn't the one that Python gives them, such as ``1.5E+0``."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Decimal, str]] = {}  # by identity; they are kept, so that none is reused

    def number(self, text: str) -> Decimal:
        """Read a number, and remember its text if it is needed."""
        spelling = json_number(text)
        try:
            number = Decimal(text)
        except InvalidOperation:  # an exponent beyond a Decimal's
            raise UndecodableError("a number attribute is out of DynamoDB's range") from None
        if str(number) != spelling:
            self._known[id(number)] = number, spelling
        return number

    def text(self, number: Decimal) -> str:
        """Return the number's text in DynamoDB, if it is an attribute's, else Python's."""
        known = self._known.get(id(number)) if self._known else None
        if known:
            return known[1]
        if not number.is_finite():
            raise UnfitError(_NOT_FINITE)
        return Decimal.__str__(number)


class PlainItem(dict[str, Any]):
    """An item, or a map in it, as a dict of plain Python values, each converted when it is first touched.

    Its storage holds ``_UNTOUCHED`` for the others. All methods that read values are here, because dict's own read the
    storage. ``__iter__`` is here because ``{**item}`` and ``dict(item)`` do so too, unless it isn't dict's own.

    See: https://github.com/python/cpython/blob/3.13/Objects/dictobject.c (dict_merge)
    """

    _raw: Item = {}  # noqa: RUF012 (never changed; an instance that isn't made from DynamoDB JSON has no other)
    _spellings: Spellings
    _shared: dict[str, Any] | None = None
    """What was converted since this view was copied, for all copies, because they share lists, maps and sets."""

    @classmethod
    def of(cls, raw: Item, spellings: Spellings) -> Self:
        """Make a view on DynamoDB JSON, which isn't changed by any change of the view.

        Raises:
            AttributeError: it isn't a mapping.
        """
        item = cls(dict.fromkeys(raw.keys(), _UNTOUCHED))
        item.view_on(raw, spellings)
        return item

    def view_on(self, raw: Item, spellings: Spellings, shared: dict[str, Any] | None = None) -> None:
        """Read what is untouched from here."""
        self._raw, self._spellings, self._shared = raw, spellings, shared

    def encode(self, texts: dict[str, str], spellings: Spellings) -> None:
        """Put each field's JSON text into ``texts``: see ``encode_fields``."""
        raw, shared = self._raw, self._shared or _NOTHING
        for name, value in super().items():
            if value is not _UNTOUCHED:
                texts[_name(name)] = _encode(value, spellings)
            elif name in shared:
                texts[name] = _encode(shared[name], spellings)
            else:
                texts[name] = encode_value(raw[name])

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        return self._touch(name) if value is _UNTOUCHED else value

    def get(self, name: str, default: Any = None) -> Any:
        value = super().get(name, default)
        return self._touch(name) if value is _UNTOUCHED else value

    def setdefault(self, name: str, default: Any = None) -> Any:
        value = super().setdefault(name, default)
        return self._touch(name) if value is _UNTOUCHED else value

    def pop(self, name: str, *default: Any) -> Any:
        if super().get(name) is _UNTOUCHED:
            self._touch(name)
        return super().pop(name, *default)

    def popitem(self) -> tuple[str, Any]:
        for name in reversed(self):
            return name, self.pop(name)
        return super().popitem()  # raises dict's own error

    def __iter__(self) -> Iterator[str]:
        return super().__iter__()

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        self._touch_all()
        return super().items()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        self._touch_all()
        return super().values()

    def __eq__(self, other: object) -> bool:
        return self._as_dict() == other

    def __ne__(self, other: object) -> bool:
        return self._as_dict() != other

    __hash__ = None

    def __or__(self, other: Any) -> Any:
        if not isinstance(other, dict):
            return NotImplemented
        joined = self.copy()
        joined.update(other)
        return joined

    def __ror__(self, other: Any) -> Any:
        return other | self._as_dict() if isinstance(other, dict) else NotImplemented

    def __repr__(self) -> str:
        self._touch_all()
        return super().__repr__()

    def copy(self) -> Self:
        """Copy it without touching anything."""
        copied = type(self)(zip(self, super().values(), strict=True))
        if self._raw:
            if self._shared is None:
                self._shared = {}
            copied.view_on(self._raw, self._spellings, self._shared)
        return copied

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        copied = memo[id(self)] = {}
        for name, value in self.items():
            copied[name] = copy.deepcopy(value, memo)
        return copied

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return dict, (self._as_dict(),)

    def _as_dict(self) -> dict[str, Any]:
        return dict(self.items())

    def _touch(self, name: str) -> Any:
        shared = self._shared
        plain = _UNTOUCHED if shared is None else shared.get(name, _UNTOUCHED)
        if plain is _UNTOUCHED:
            value = self._raw[name]
            try:
                (tag,) = value
                plain = _DECODERS[tag](value[tag], self._spellings)
            except NOT_DYNAMODB_JSON:
                raise undecodable() from None
            if shared is not None:
                shared[name] = plain
        self[name] = plain
        return plain

    def _touch_all(self) -> None:
        for name, value in super().items():
            if value is _UNTOUCHED:
                self._touch(name)


def _text(value: Any, _: Spellings) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _list(values: list[Any], spellings: Spellings) -> list[Any]:
    return [_DECODERS[tag](value[tag], spellings) for value in values for (tag,) in [value]]


_DECODERS: Mapping[str, Callable[[Any, Spellings], Any]] = {
    "S": _text,
    "N": lambda text, spellings: spellings.number(text),
    "B": lambda value, _: binary(value),
    "BOOL": lambda value, _: {True: True, False: False}[value],
    "NULL": lambda value, _: {True: None}[value],
    "M": PlainItem.of,
    "L": _list,
    "SS": lambda values, spellings: {_text(value, spellings) for value in values},
    "NS": lambda values, spellings: {spellings.number(value) for value in values},
    "BS": lambda values, _: {binary(value) for value in values},
}


def encode_fields(document: dict[Any, Any], texts: dict[str, str], spellings: Spellings) -> None:
    """Put each field of a document into ``texts``, in their order: name -> the JSON text of its value.

    Raises:
        UndecodableError: an untouched attribute isn't DynamoDB JSON.
        UnfitError: a name isn't a str, or a value, or one in it, has no form in JSON.
        RecursionError: a value contains itself, or is nested too deep.
    """
    if isinstance(document, PlainItem):
        document.encode(texts, spellings)
        return
    for name, value in document.items():
        texts[_name(name)] = _encode(value, spellings)


def _name(name: Any) -> str:
    if type(name) is str:
        return name
    if not isinstance(name, str):
        raise UnfitError(f"a name that is {type(name).__name__}")
    return str.__str__(name)


def _encode(value: Any, spellings: Spellings) -> str:
    kind = type(value)
    if kind is str:  # the most frequent, without one more call
        return quote(value)
    encoder = _ENCODERS.get(kind) or _ENCODERS.get(_known(kind))
    if encoder is None:
        raise UnfitError(kind.__name__)
    return encoder(value, spellings)


def _known(kind: type) -> type:
    """Return the class with an encoder that a class is derived from; else the class."""
    return next((known for known in kind.__mro__ if known in _ENCODERS), kind)


def _int(value: int, _: Spellings) -> str:
    try:
        return int.__repr__(value)
    except ValueError:  # Python has a limit, because it takes long
        raise UnfitError("an int of so many digits") from None


def _float(value: float, _: Spellings) -> str:
    if not isfinite(value):
        raise UnfitError(_NOT_FINITE)
    return float.__repr__(value)


def _base64(value: bytes | bytearray, _: Spellings) -> str:
    return f'"{base64.b64encode(value).decode()}"'


def _array(values: Iterable[Any], spellings: Spellings) -> str:
    return "[" + ",".join([_encode(value, spellings) for value in values]) + "]"


def _set(values: AbstractSet[Any], spellings: Spellings) -> str:
    """Encode a set in the order of ``items.py``; one of several kinds in the order of its texts."""
    kinds = set(map(type, values))
    if kinds == {str}:
        return "[" + ",".join(map(quote, sorted(values))) + "]"
    texts = [(value, _encode(value, spellings)) for value in values]
    kinds = set(map(_known, kinds))
    if kinds <= {Decimal, int, float}:
        texts.sort(key=lambda pair: Decimal(pair[0]))
    elif kinds in ({str}, {bytes}):
        texts.sort()
    else:
        texts.sort(key=lambda pair: pair[1])
    return "[" + ",".join([text for _, text in texts]) + "]"


def _object(document: dict[Any, Any], spellings: Spellings) -> str:
    texts: dict[str, str] = {}
    encode_fields(document, texts, spellings)
    return "{" + ",".join([nested_member(name) + text for name, text in texts.items()]) + "}"


_ENCODERS: Mapping[type, Callable[[Any, Spellings], str]] = {
    str: lambda value, _: quote(value),
    Decimal: lambda value, spellings: spellings.text(value),
    bool: lambda value, _: "true" if value else "false",
    type(None): lambda _, __: "null",
    int: _int,
    float: _float,
    bytes: _base64,
    bytearray: _base64,
    list: _array,
    tuple: _array,
    set: _set,
    frozenset: _set,
    PlainItem: _object,
    dict: _object,
}
