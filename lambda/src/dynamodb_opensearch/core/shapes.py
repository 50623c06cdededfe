"""Shapes: which fields an item's document has. A shape never decides whether there is a document. Pure.

A shape works on top-level attributes by the item's own names: ``include``, then ``exclude``, then ``rename``, then
``constants``. Names that OpenSearch refuses are escaped last.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar

from dynamodb_opensearch.core.documents import encode_document, member
from dynamodb_opensearch.core.items import Item, encode_item, quote

_Value = TypeVar("_Value")

Constant = str | bool | int | Decimal


@dataclass(frozen=True)
class Shape:
    """What a document leaves out, renames and adds."""

    include: tuple[str, ...] | None = None
    """These attributes and no others; None: all."""
    exclude: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    """Attribute -> field, all at once: two names can be swapped. A renamed attribute wins over one with that name."""
    constants: Mapping[str, Constant] = field(default_factory=dict)
    """Field -> value, in every document. They win over the item's attributes."""

    @cached_property
    def is_whole(self) -> bool:
        """Whether the document has exactly the item's attributes."""
        return self.include is None and not (self.exclude or self.rename or self.constants)

    @cached_property
    def _dropped(self) -> frozenset[str]:
        return frozenset(self.exclude)

    @cached_property
    def _constants(self) -> tuple[str, ...]:
        return tuple(member(name) + _constant(value) for name, value in self.constants.items())

    def select(self, members: Mapping[str, _Value]) -> dict[str, _Value]:
        """Field -> value, for the attributes that the document has; without the constants."""
        names = members if self.include is None else [name for name in self.include if name in members]
        selected = {name: members[name] for name in names if name not in self._dropped}
        if self.rename:
            renamed = {new: selected.pop(old) for old, new in self.rename.items() if old in selected}
            selected |= renamed
        for name in self.constants:
            selected.pop(name, None)
        return selected

    def encode(self, item: Item) -> bytes:
        """An item's document: the bytes of a JSON object.

        Raises:
            UndecodableError: a value of the document isn't DynamoDB JSON.
        """
        if self.is_whole:
            return encode_document(item)
        return encode_item(self.select(item), member, self._constants)

    def encode_texts(self, texts: Mapping[str, str]) -> bytes:
        """The document of members whose values are JSON already."""
        members = [member(name) + text for name, text in self.select(texts).items()]
        # A lone surrogate can't be UTF-8, and backslashreplace's form of it is just JSON's escape.
        return ("{" + ",".join([*members, *self._constants]) + "}").encode("utf-8", "backslashreplace")

    def attribute_of(self, name: str) -> str:
        """The attribute behind a field's name, before escaping; for a constant, the field itself."""
        return name if name in self.constants else self._attributes.get(name, name)

    @cached_property
    def _attributes(self) -> Mapping[str, str]:
        return {new: old for old, new in self.rename.items() if self.field_of(old) == new}

    def field_of(self, attribute: str) -> str | None:
        """The name of the field, before escaping, that holds an attribute; None if no document holds it.

        If a renamed attribute takes the field of another, both have that field.
        """
        if attribute in self._dropped or (self.include is not None and attribute not in self.include):
            return None
        name = self.rename.get(attribute, attribute)
        return None if name in self.constants else name


WHOLE = Shape()
"""Every attribute under its own name."""


def parse_shape(value: Mapping[str, Any]) -> Shape:
    """Read the members ``include``, ``exclude``, ``rename`` and ``constants``. Null is as good as missing.

    Raises:
        ValueError: one is wrong; the text says what is wrong, and what is allowed.
    """
    given = {name: member for name, member in value.items() if member is not None}
    include = _names("include", given["include"]) if "include" in given else None
    exclude = _names("exclude", given.get("exclude", []))
    rename = _object("rename", given.get("rename", {}), "the item's names with the fields' names", str)
    constants = _object("constants", given.get("constants", {}), "fields with texts, numbers or booleans", Constant)
    if len(set(rename.values())) < len(rename):
        raise ValueError(f"rename gives one name to two attributes: {rename!r}")
    if include is not None and not set(include) - set(exclude) and not constants:
        raise ValueError(f"include is {list(include)!r} and exclude {list(exclude)!r}: no attribute is left")
    return Shape(include, exclude, rename, constants)


def _names(member_name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise ValueError(f"{member_name} is {value!r}: it must be a list of attribute names")
    return tuple(dict.fromkeys(value))


def _object(member_name: str, value: Any, allowed: str, kind: Any) -> dict[str, Any]:
    if (
        not isinstance(value, Mapping)
        or not all(isinstance(each, kind) for each in value.values())
        or not all([*value, *(each for each in value.values() if isinstance(each, str) and member_name == "rename")])
    ):
        raise ValueError(f"{member_name} is {value!r}: it must be an object of {allowed}")
    return dict(value)


def _constant(value: Constant) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return quote(value) if isinstance(value, str) else str(value)
