"""Rules: whether an index holds an item. A rule looks at the item in the table, never at its document. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cached_property
from typing import Any

from dynamodb_opensearch.core.items import NOT_DYNAMODB_JSON, Item, undecodable


class Operator(StrEnum):
    """What a condition asks of an attribute."""

    EQUALS = "equals"
    """It is one of the values. A number equals a text that is the same number; a boolean is ``true`` or ``false``."""
    NOT_EQUALS = "not_equals"
    """The negation of ``equals``: it holds for an attribute that is missing."""
    BEGINS_WITH = "begins_with"
    """It is a string that begins with the value."""
    EXISTS = "exists"
    """It is present, whatever its type, as in DynamoDB's ``attribute_exists``; with ``false``, it is missing."""


@dataclass(frozen=True)
class Condition:
    """One condition on one attribute."""

    attribute: str
    """A path into maps: ``address.city``. A step that is missing, or that is no map, is a missing attribute."""
    operator: Operator
    values: frozenset[str]
    """For ``exists``, ``true`` or ``false``."""

    @cached_property
    def path(self) -> tuple[str, ...]:
        """The names from the item to the attribute."""
        return tuple(self.attribute.split("."))

    @cached_property
    def _numbers(self) -> frozenset[Decimal]:
        return frozenset(number for value in self.values if (number := _number(value)) is not None)

    @cached_property
    def _prefixes(self) -> tuple[str, ...]:
        return tuple(self.values)

    def holds(self, item: Item) -> bool:
        """Whether the item meets the condition.

        Raises:
            UndecodableError: a value on the path isn't DynamoDB JSON.
        """
        try:
            tag, content = self._look_up(item)
            match self.operator:
                case Operator.EXISTS:
                    return (tag is not None) == ("true" in self.values)
                case Operator.BEGINS_WITH:
                    return tag == "S" and content.startswith(self._prefixes)
                case Operator.EQUALS:
                    return self._equals(tag, content)
                case Operator.NOT_EQUALS:
                    return not self._equals(tag, content)
        except NOT_DYNAMODB_JSON:
            raise undecodable() from None

    def _look_up(self, item: Item) -> tuple[str | None, Any]:
        """The type tag and the content of the attribute; None and None if it is missing."""
        members, tag, content = item, None, None
        for name in self.path:
            value = members.get(name)
            if value is None:
                return None, None
            ((tag, content),) = value.items()
            members = content if tag == "M" else {}
        if tag not in _TAGS:
            raise ValueError(tag)
        return tag, content

    def _equals(self, tag: str | None, content: Any) -> bool:
        match tag:
            case "S":
                return content in self.values
            case "N":
                return self._equals_number(content)
            case "BOOL":
                return _BOOLEANS[content] in self.values
        return False

    def _equals_number(self, content: str) -> bool:
        number = _number(content)
        if number is None:
            raise ValueError(content)
        return number in self._numbers


@dataclass(frozen=True, slots=True)
class Rule:
    """Conditions that must all hold. Without any, the rule holds for every item."""

    conditions: tuple[Condition, ...] = ()

    def holds(self, item: Item) -> bool:
        """Whether the index holds the item.

        Raises:
            UndecodableError: a value that a condition looks at isn't DynamoDB JSON.
        """
        return all(condition.holds(item) for condition in self.conditions)

    def on(self, attributes: Sequence[str]) -> "Rule":
        """The conditions on these top-level attributes. Those on the key hold for an item always, or never."""
        return Rule(tuple(condition for condition in self.conditions if condition.attribute in attributes))


ALWAYS = Rule()
"""Holds for every item."""


def parse_rule(value: Any) -> Rule:
    """Read a rule: ``[{"attribute": "type", "equals": ["order"]}, {"attribute": "deletedAt", "exists": false}]``.

    Raises:
        ValueError: it isn't a rule; the text says what is wrong, and what is allowed.
    """
    if not isinstance(value, list):
        raise ValueError(f"when is {value!r}: it must be a list of conditions")  # noqa: TRY004 (all are ValueErrors)
    return Rule(tuple(map(_condition, value)))


def _condition(value: Any) -> Condition:
    if not isinstance(value, Mapping):
        raise ValueError(f"when has {value!r}: a condition must be an object")  # noqa: TRY004
    given = {name: member for name, member in value.items() if member is not None}
    attribute = given.pop("attribute", None)
    if not isinstance(attribute, str) or not all(attribute.split(".")):
        raise ValueError(f"when has the attribute {attribute!r}: it must be a name, or a path into maps such as a.b")
    if len(given) != 1 or not given.keys() <= set(Operator):
        raise ValueError(
            f"when has {sorted(given)} for the attribute {attribute!r}: give exactly one of {', '.join(Operator)}"
        )
    [(operator, wanted)] = given.items()
    return Condition(attribute, Operator(operator), frozenset(_values(attribute, operator, wanted)))


def _values(attribute: str, operator: str, wanted: Any) -> list[str]:
    match operator, wanted:
        case "exists", bool():
            return [_text(wanted)]
        case "begins_with", str() if wanted:
            return [wanted]
        case (("equals" | "not_equals"), [_, *_]) if all(
            isinstance(each, str | bool | int | Decimal) for each in wanted
        ):
            return list(map(_text, wanted))
    allowed = {"exists": "true or false", "begins_with": "a text that isn't empty"}
    raise ValueError(
        f"when has {operator} = {wanted!r} for the attribute {attribute!r}: it must be "
        f"{allowed.get(operator, 'a list of one or more texts')}"
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_BOOLEANS = {True: "true", False: "false"}
_TAGS = frozenset({"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"})
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?").fullmatch


def _number(text: str) -> Decimal | None:
    """The number that a text spells in any way, so that 7.0 equals 7; None if it isn't a number."""
    try:
        return Decimal(text) if _NUMBER(text) else None
    except InvalidOperation:  # an exponent beyond a Decimal's
        return None
