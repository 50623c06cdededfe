"""The indices of schedules with several: what the function is told of each, and the same in plain Python.

What an index must hold is written down a second time: the product's own projections prove nothing about themselves.
"""

import json
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simulation.items import AttributeValue, Item


@dataclass(frozen=True, slots=True)
class Projection:
    """What one index must hold of an item."""

    name: str
    spec: Mapping[str, Any]
    """The index's value in INDICES."""
    holds: Callable[[Item], bool]
    shape: Callable[[Item], Item]
    """The item, in DynamoDB's JSON, that the document must say exactly."""

    @property
    def is_standby(self) -> bool:
        """Whether the index is being filled, so that what it can't take is only counted."""
        return bool(self.spec.get("standby"))

    def project(self, item: Item | None) -> Item | None:
        """Return what the document must say; None if there must be none."""
        return self.shape(item) if item is not None and self.holds(item) else None


def to_indices(projections: Iterable[Projection], base: str) -> str:
    """Return the value of INDICES. The names of the indices begin with ``base``."""
    return json.dumps({f"{base}-{projection.name}": projection.spec for projection in projections})


def _without(item: Item, *names: str) -> dict[str, AttributeValue]:
    return {name: value for name, value in item.items() if name not in names}


def _text(item: Item, name: str) -> str | None:
    return item.get(name, {}).get("S")


def _flags(item: Item) -> Item:
    flags: Item = item.get("flags", {}).get("M", {})
    return flags


def _renamed(item: Item, names: Mapping[str, str]) -> dict[str, AttributeValue]:
    return {new: item[old] for old, new in names.items() if old in item}


WHOLE = Projection("whole", {}, holds=lambda _: True, shape=lambda item: item)
ORDERS = Projection(
    "orders",
    {
        "when": [{"attribute": "kind", "equals": ["order", "offer"]}],
        "exclude": ["pk", "sk", "serial", "mark"],
        "rename": {"name": "title"},
        "constants": {"source": "table"},
    },
    holds=lambda item: _text(item, "kind") in {"order", "offer"},
    shape=lambda item: {
        **_without(item, "pk", "sk", "serial", "mark", "name"),
        **_renamed(item, {"name": "title"}),
        "source": {"S": "table"},
    },
)
LIVE = Projection(
    "live",
    {
        "when": [{"attribute": "kind", "not_equals": ["order"]}, {"attribute": "flags.gone", "exists": False}],
        "exclude": ["serial", "mark"],
        "rename": {"name": "description", "description": "name"},
        "constants": {"level": 1.5},
    },
    holds=lambda item: _text(item, "kind") != "order" and "gone" not in _flags(item),
    shape=lambda item: {
        **_without(item, "serial", "mark", "name", "description"),
        **_renamed(item, {"name": "description", "description": "name"}),
        "level": {"N": "1.5"},
    },
)
LEVELS = Projection(
    "levels",
    {
        "when": [{"attribute": "level", "equals": ["7.0"]}],
        "include": ["pk", "level", "active", "quantity", "attributes"],
        "rename": {"active": "isActive", "quantity": "amount"},
    },
    holds=lambda item: item.get("level") in ({"N": "7"}, {"N": "7.00"}, {"S": "7.0"}),
    shape=lambda item: _renamed(
        item,
        {"pk": "pk", "level": "level", "active": "isActive", "quantity": "amount", "attributes": "attributes"},
    ),
)
FLAGGED = Projection(
    "flagged",
    {"when": [{"attribute": "flags.hot", "equals": ["true"]}], "include": ["quantity", "kind", "flags"]},
    holds=lambda item: _flags(item).get("hot") == {"BOOL": True},
    shape=lambda item: _renamed(item, {"quantity": "quantity", "kind": "kind", "flags": "flags"}),
)
STANDBY = Projection(
    "standby",
    {"standby": True, "when": [{"attribute": "kind", "exists": True}], "exclude": ["mark"]},
    holds=lambda item: "kind" in item,
    shape=lambda item: _without(item, "mark"),
)


def by_key(prefix: str) -> Projection:
    """Return the projection that some keys of a schedule are excluded from."""
    return Projection(
        "by-key",
        {"when": [{"attribute": "pk", "begins_with": f"{prefix}-a"}, {"attribute": "flags.gone", "exists": False}]},
        holds=lambda item: (_text(item, "pk") or "").startswith(f"{prefix}-a") and "gone" not in _flags(item),
        shape=lambda item: item,
    )


NAMES = tuple(projection.name for projection in (WHOLE, ORDERS, LIVE, LEVELS, FLAGGED, STANDBY, by_key("")))
"""Every index that a schedule may have."""


def choose(rng: random.Random, prefix: str) -> tuple[Projection, ...]:
    """Choose two or three indices, and in some schedules another one that is being filled."""
    chosen = rng.sample((WHOLE, ORDERS, LIVE, LEVELS, FLAGGED, by_key(prefix)), rng.choice((2, 3)))
    return (*chosen, STANDBY) if rng.random() < 0.25 else tuple(chosen)
