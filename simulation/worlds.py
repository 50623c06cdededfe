"""What the model's worlds vary: their tempers, the projections, the items, and what each index must hold of one."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CONFLICT_WINDOW = 60

Content = Mapping[str, Any] | None
"""A document, or an item in plain Python; None if it doesn't exist."""

SEVERAL = """{
  "kept": {"when": [{"attribute": "kind", "equals": ["a"]}], "include": ["value"]},
  "rest": {"when": [{"attribute": "kind", "not_equals": ["a"]}, {"attribute": "gone", "exists": false}],
           "exclude": ["noise", "pk"], "rename": {"value": "amount"}},
  "whole": {}
}"""

# What each index must hold, written down a second time: the product's own projections prove nothing about themselves.
MUST_HOLD: Mapping[str, Callable[[Mapping[str, Any]], Content]] = {
    "kept": lambda item: {"value": item["value"]} if item["kind"] == "a" else None,
    "rest": lambda item: (
        {"kind": item["kind"], "amount": item["value"]} if item["kind"] != "a" and "gone" not in item else None
    ),
    "whole": lambda item: item,
}


# The images that the records of one history show. Another view type makes another stream: both may be read at once.
VIEWS = [["both"]] * 8 + [["new"], ["old"], ["keys"], ["both", "new", "keys"], ["both", "old"]]


@dataclass(frozen=True, slots=True)
class Temper:
    """What the worlds of one kind vary, and the values to choose from."""

    changes: tuple[int, int] = (2, 7)
    kills: Sequence[int] = (0, 1, 3, 6)
    pollers: Sequence[int] = (1, 1, 1, 2)
    settlers: Sequence[int] = (0, 0, 1, 2)
    backfills: float = 0.2
    damages: float = 0.2
    haste: float = 0.1
    """How soon a request lands whose sender has given it up."""
    spreads: Sequence[int] = (0, 1, CONFLICT_WINDOW)
    """By how many seconds the clocks disagree at most."""
    paces: Sequence[float] = (0.1, 0.5, 2.0, 30.0, 100.0)
    """Seconds between two changes, at most."""
    batch_sizes: Sequence[int] = (1, 1, 2, 3, 10)


ONE_INDEX = BROAD = Temper()
# Mistakes are hidden by whatever comes later and mends them: here, little comes later.
TRAP = Temper(
    changes=(3, 6),
    kills=(1, 2, 3),
    pollers=(1,),
    settlers=(0,),
    backfills=0,
    damages=0,
    haste=0,
    spreads=(CONFLICT_WINDOW,),
    paces=(0.1, 0.5, 2.0),
    batch_sizes=(1, 1, 2, 3),
)


def make_item(rng: random.Random, number: int, *, several: bool) -> Mapping[str, Any]:
    """Make the item's next content: another one each time, or one of a few that differ in some indices only."""
    if not several:
        return {"pk": "k", "n": number}
    item: dict[str, Any] = {"pk": "k", "kind": rng.choice("aab"), "value": rng.randrange(2), "noise": number}
    if rng.random() < 0.2:
        item["gone"] = 1
    return item
