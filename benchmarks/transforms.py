"""Measures what a transform costs for each item, beside the encoding that every item needs anyway. Needs no engine.

usage: python -m benchmarks.transforms [--quick]
"""

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dynamodb_opensearch.core.documents import encode_document, member
from dynamodb_opensearch.core.items import Item
from dynamodb_opensearch.core.transforms import Transform
from rich.console import Console
from rich.table import Table

from benchmarks.workloads import insert

ITEMS = 1_000
ATTRIBUTES = 20
ALONE = "encoding alone"

Document = dict[str, Any]


def returned(item: Document) -> Document:
    """Touch nothing."""
    return item


def one_changed(item: Document) -> Document:
    """Touch one attribute and add another, in place."""
    item["cents"] = int(item["price"] * 100)
    return item


def one_changed_in_a_copy(item: Document) -> Document:
    """Do the same with ``|``, which leaves the others untouched too."""
    return item | {"cents": int(item["price"] * 100)}


def one_changed_in_a_dict(item: Document) -> Document:
    """Do the same with ``{**item}``, which touches every attribute, but not what is within maps."""
    return {**item, "cents": int(item["price"] * 100)}


def three_chosen(item: Document) -> Document:
    """Make a small document of a few attributes."""
    return {"name": item["name"], "price": item["price"], "tags": item["tags"]}


def all_touched(item: Document) -> Document:
    """Touch every value, at every depth, and build the document anew."""
    return {name: _rebuilt(value) for name, value in item.items()}


def _rebuilt(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rebuilt(inner) for name, inner in value.items()}
    return [_rebuilt(inner) for inner in value] if isinstance(value, list) else value


FUNCTIONS: Mapping[str, Callable[[Document], Document]] = {
    "the item returned": returned,
    "one attribute, in place": one_changed,
    "one attribute, item | {…}": one_changed_in_a_copy,
    "one attribute, {**item, …}": one_changed_in_a_dict,
    "three attributes chosen": three_chosen,
    "every value touched": all_touched,
}


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transforms", description="Measure transforms.")
    parser.add_argument("--quick", action="store_true", help="five rounds instead of 25")
    measured = measure(5 if parser.parse_args().quick else 25)
    table = Table("transform", title=f"One item of {ATTRIBUTES} attributes (medians, CPU)", title_justify="left")
    for name in ("µs", "x encoding alone"):
        table.add_column(name, justify="right")
    for name, microseconds in measured.items():
        table.add_row(name, f"{microseconds:.1f}", f"{microseconds / measured[ALONE]:.2f}")
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    return 0


def measure(rounds: int) -> dict[str, float]:
    """Return each contestant's CPU time for one item, in microseconds. They take turns."""
    items = _items()
    contestants: dict[str, Callable[[Item], Any]] = {ALONE: encode_document}
    contestants |= {name: _encoder(Transform(name, function)) for name, function in FUNCTIONS.items()}
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds + 1):
        for name, encode in contestants.items():
            gc.collect()
            began = time.process_time()
            for item in items:
                encode(item)
            times[name].append((time.process_time() - began) / len(items) * 1e6)
    return {name: statistics.median(found[1:]) for name, found in times.items()}  # the first round warms up


def _encoder(transform: Transform) -> Callable[[Item], bytes]:
    def encode(item: Item) -> bytes:
        texts = transform.texts(item) or {}
        return ("{" + ",".join([member(name) + text for name, text in texts.items()]) + "}").encode()

    return encode


def _items() -> Sequence[Item]:
    images = [record["dynamodb"]["NewImage"] for record in insert(0, ITEMS).records]
    found = [image | {f"extra{number}": {"S": "of no interest"} for number in range(20)} for image in images]
    return [dict(list(item.items())[:ATTRIBUTES]) for item in found]


if __name__ == "__main__":
    sys.exit(main())
