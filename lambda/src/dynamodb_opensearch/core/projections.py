"""Projections: what an index holds of an item, which is one document or nothing.

A projection is a function of the item alone. So an item that isn't in an index is, for that index, a deleted one, and
everything that holds for items and documents holds for each index by itself.
"""

import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Any

from dynamodb_opensearch.core.errors import ConfigurationError, TransformError, UndecodableError
from dynamodb_opensearch.core.items import Item
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.core.reasons import Reason
from dynamodb_opensearch.core.rules import ALWAYS, Rule, parse_rule
from dynamodb_opensearch.core.shapes import WHOLE, Shape, parse_shape
from dynamodb_opensearch.core.transforms import Transform, Unloadable

TRANSFORM_ERROR = "transform_error"
"""The type of the reason why a transform made no document of an item."""


@dataclass(frozen=True, slots=True)
class Faulty:
    """An item of which no document can be made."""

    reason: Reason


Content = Item | bytes | Faulty
"""What becomes a document: an item that the shape is applied to when it is sent, a document's bytes, or a fault."""


@dataclass(frozen=True)
class Projection:
    """What one index holds."""

    index: str
    """The name of an index or alias."""
    rule: Rule = ALWAYS
    key_rule: Rule = ALWAYS
    """The conditions of ``rule`` on the table's key. An item that doesn't meet them never was in the index."""
    transform: Transform | Unloadable | None = None
    """Comes before the shape, which applies to what it returns."""
    shape: Shape = WHOLE
    standby: bool = False
    """Whether the index is being filled: what it can't take is left to backfill and verify, and holds up no other."""
    spec: str = "{}"
    """The rule, the shape and the transform's name as JSON, in one spelling."""
    code: str = ""
    """Identifies the transform's code; empty if that isn't known, or if there is no transform."""
    skip_unchanged: bool = False
    """Whether a change is skipped that leaves the document as it was."""

    @cached_property
    def takes_all(self) -> bool:
        """Whether every change of every item counts, so that neither rule nor images need a look."""
        return not self.rule.conditions and self.transform is None and not self.skip_unchanged

    @cached_property
    def is_whole(self) -> bool:
        """Whether the index holds every item whole."""
        return not self.rule.conditions and self.transform is None and self.shape.is_whole

    @cached_property
    def is_decided_by_key(self) -> bool:
        """Whether an item's key alone says if the index holds the item."""
        return self.rule == self.key_rule and self.transform is None

    def may_hold(self, keys: Item) -> bool:
        """Whether an item with this key may be in the index."""
        return self.key_rule.holds(keys)

    def project(self, item: Item) -> Content | None:
        """What the index holds of an item; None if it doesn't hold it."""
        try:
            if not self.rule.holds(item):
                return None
            if self.transform is None:
                return item
            texts = self.transform.texts(item)
            return None if texts is None else self.shape.encode_texts(texts)
        except TransformError as error:
            return Faulty(Reason(TRANSFORM_ERROR, error.reason.removeprefix(f"{TRANSFORM_ERROR}: ")))
        except UndecodableError as error:
            return Faulty(Reason("undecodable", str(error)))

    def has_answered(self, item: Item, content: Content | None) -> bool:
        """Whether the transform made this content, or said that there is none: it works, for this item at least."""
        if self.transform is None or isinstance(content, Faulty):
            return False
        return content is not None or self.rule.holds(item)

    def is_same(self, content: Content, old: Item) -> bool:
        """Whether the document of an earlier item equals this content."""
        before = self.project(old)
        if before is None or isinstance(before, Faulty) or isinstance(content, Faulty):
            return False
        if isinstance(before, bytes) or isinstance(content, bytes):
            return before == content
        return self.shape.select(before) == self.shape.select(content)

    def encode(self, content: Content) -> bytes | Faulty:
        """The document: the bytes of a JSON object."""
        if isinstance(content, _READY):
            return content
        try:
            return self.shape.encode(content)
        except UndecodableError as error:
            return Faulty(Reason("undecodable", str(error)))

    def document(self, item: Item) -> bytes | Faulty | None:
        """The document of an item; None if the index doesn't hold the item."""
        content = self.project(item)
        return None if content is None else self.encode(content)

    @cached_property
    def digest(self) -> str:
        """Two projections with one digest make the same documents."""
        return sha256(f"{self.spec} {self.code}".encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def identity(self) -> str | None:
        """What notes of finished work say about the projection; None: the index holds every item whole."""
        return None if self.is_whole else self.digest


_READY = (bytes, Faulty)  # a union of types would be made at each call
_MEMBERS = frozenset({"when", "include", "exclude", "rename", "constants", "transform", "standby"})
_OF_CONTENT = _MEMBERS - {"standby"}


def parse_projections(
    text: str, schema: KeySchema, *, skip_unchanged: bool = False, code: str = ""
) -> tuple[Projection, ...]:
    """Read the JSON of several indices: ``{"orders": {"when": [...]}, "customers": {...}}``.

    Args:
        code: identifies the code that transforms come from.

    Raises:
        ValueError: it has another form; the text says what is wrong, and what is allowed.
        ConfigurationError: see ``Transform.load``.
    """
    try:
        value = json.loads(text, parse_float=Decimal, object_pairs_hook=_object)
    except (RecursionError, json.JSONDecodeError):
        raise ValueError(f"it is {text[:200]!r}, which isn't JSON") from None
    if not isinstance(value, dict) or not value:
        raise ValueError(f"it is {text[:200]!r}: it must be an object, index name -> projection, with one or more")
    projections = tuple(
        _projection(name, spec, schema, skip_unchanged=skip_unchanged, code=code) for name, spec in value.items()
    )
    if all(projection.standby for projection in projections):
        raise ValueError("each index has standby = true: at least one must not")
    return projections


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _ in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has {twice!r} twice in one object")
    return found


def _projection(name: str, value: Any, schema: KeySchema, *, skip_unchanged: bool, code: str) -> Projection:
    try:
        if not isinstance(value, dict):
            raise ValueError(f"it is {value!r}: it must be an object")  # noqa: TRY301, TRY004 (all are ValueErrors)
        given = {member: content for member, content in value.items() if content is not None}
        if unknown := sorted(given.keys() - _MEMBERS):
            raise ValueError(f"it has {', '.join(unknown)}: the members are {', '.join(sorted(_MEMBERS))}")  # noqa: TRY301
        rule = parse_rule(given.get("when", []))
        standby = _boolean("standby", given.get("standby", False))
        return Projection(
            index=name,
            rule=rule,
            key_rule=_key_rule(rule, schema),
            transform=_transform(given.get("transform"), standby=standby),
            shape=parse_shape(given),
            standby=standby,
            skip_unchanged=skip_unchanged,
            code=code if given.get("transform") else "",
            spec=json.dumps(
                {name: given[name] for name in sorted(_OF_CONTENT & given.keys())}, sort_keys=True, default=_spelt
            ),
        )
    except ValueError as error:
        raise ValueError(f"the index {name!r}: {error}") from None


def _spelt(number: Decimal) -> list[str]:
    """A number with a point, in a form that no text and no other member has."""
    return [str(number)]


def _key_rule(rule: Rule, schema: KeySchema) -> Rule:
    for condition in rule.conditions:
        if condition.attribute in schema.names and "." in condition.attribute:
            raise ValueError(
                f"when has the attribute {condition.attribute!r}: a dot is a path into a map, so a rule can't name a "
                "key attribute with a dot in its name"
            )
    return rule.on(schema.names)


def _transform(value: Any, *, standby: bool) -> Transform | Unloadable | None:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"transform is {value!r}: it must be a text such as module:function")
    if value is None:
        return None
    try:
        return Transform.load(value)
    except ConfigurationError:
        if not standby:
            raise
        return Unloadable(value)


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}: it must be true or false")  # noqa: TRY004
    return value
