"""Histories of a few items that often enter and leave an index, and what each index must hold of an item."""

from collections.abc import Callable
from typing import Any

from fakes.dynamodb import START, record
from hypothesis import strategies as st

Item = dict[str, Any]
IS_ORDER = {"attribute": "kind", "equals": ["order"]}
SPECS: dict[str, Any] = {
    "orders": {"when": [IS_ORDER], "include": ["n"]},
    "rest": {
        "when": [{"attribute": "kind", "not_equals": ["order"]}, {"attribute": "gone", "exists": False}],
        "exclude": ["pk", "noise"],
        "rename": {"n": "amount"},
    },
    "keyed": {"when": [{"attribute": "pk", "begins_with": "x"}, IS_ORDER]},
    "whole": {},
}

# What each index must hold, written down a second time.
MUST_HOLD: dict[str, Callable[[Item], Item | None]] = {
    "orders": lambda item: {"n": item["n"]} if item["kind"] == ORDER["kind"] else None,
    "rest": lambda item: (
        None if item["kind"] == ORDER["kind"] or "gone" in item else {"kind": item["kind"], "amount": item["n"]}
    ),
    "keyed": lambda item: item if item["pk"]["S"].startswith("x") and item["kind"] == ORDER["kind"] else None,
    "whole": lambda item: item,
}
ORDER: Item = {"kind": {"S": "order"}, "n": {"N": "1"}}
DRAFT: Item = {"kind": {"S": "draft"}, "n": {"N": "1"}}


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[Item], dict[str, Item]]:
    """Records of a few items, each true to the one before it, with any of their images; and the items at the end."""
    items: dict[str, Item | None] = {}
    records = []
    for number in range(1, draw(st.integers(1, 12)) + 1):
        key = draw(st.sampled_from(["a", "x"]))
        old = items.get(key)
        new: Item | None = {"kind": {"S": draw(st.sampled_from(["order", "order", "draft"]))}}
        assert new is not None
        new["n"] = {"N": draw(st.sampled_from("12"))}
        new |= draw(st.sampled_from([{}, {}, {"noise": {"N": str(number)}}, {"gone": {"N": "1"}}]))
        if old is not None and draw(st.integers(0, 4)) == 0:
            new = None
        items[key] = new
        view = draw(st.sampled_from(["both", "both", "both", "new", "old", "keys"]))
        name = "REMOVE" if new is None else "INSERT" if old is None else "MODIFY"
        records.append(
            record(
                key,
                number,
                new if view in {"both", "new"} else None,
                old=old if view in {"both", "old"} else None,
                second=START + draw(st.sampled_from([0, 0, 1, -1, 5])),
                event_name=name,
            )
        )
    return records, {key: {"pk": {"S": key}, **item} for key, item in items.items() if item is not None}


def histories() -> st.SearchStrategy[list[Item]]:
    """The records alone."""
    return tables().map(lambda found: found[0])
