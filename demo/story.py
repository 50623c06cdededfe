"""Runs what the demo shows: load, measure, search, edit, delete, and compare table and index."""

import datetime as dt
import re
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from demo.catalogue import Item, products
from demo.compare import compare
from demo.index import Index
from demo.latency import measure, percentile
from demo.steps import Step, Steps
from demo.table import ProductTable

LOADED, SINGLE = 2250, 150  # products that are loaded in batches, and products that are put one by one to measure
EDITED_EVERY, DELETED_EVERY = 50, 90
QUERY = "warm waterproof jacket, winter hiking"
FIELDS = ["name^3", "description", "tags.text^2", "category.text", "attributes.material.text"]
CATCH_UP_SECONDS = 120
POLL_SECONDS = 0.1
SHOWN_DIFFERENCES = 20


class StoryError(Exception):
    """The index doesn't follow the table. The message says what differs, and where to look."""


def tell(steps: Steps, table: ProductTable, index: Index) -> None:
    """Run the whole story. Raises StoryError if the index differs from the table in the end."""
    items = list(products(LOADED + SINGLE))
    loaded, single = items[:LOADED], items[LOADED:]
    _load(steps, table, index, loaded)
    _measure(steps, table, index, single)
    _search(steps, index)
    _mark_down(steps, table, index, loaded[::EDITED_EVERY])
    _delete(steps, table, index, loaded[1::DELETED_EVERY])
    _prove(steps, table, index)


def _load(steps: Steps, table: ProductTable, index: Index, items: Sequence[Item]) -> None:
    with steps.step(f"Load {len(items):,} products with BatchWriteItem") as step:
        table.load(items, lambda count: step.done(count, len(items)))
    with steps.step("Wait until a search finds them all") as step:
        _wait(f"the index holds {len(items):,} documents", lambda: _count(index, step, len(items)) == len(items))


def _measure(steps: Steps, table: ProductTable, index: Index, items: Sequence[Item]) -> None:
    with steps.step(f"Put {len(items)} more products one by one, and watch for each") as step:
        latencies = measure(table.put, items, index, lambda count: step.done(count, len(items)))
    steps.show(
        (f"after {len(items)} single puts", "p50", "p99", "longest"),
        ("found by its id (stored)", *_percentiles(latencies.stored)),
        ("found by a search (searchable)", *_percentiles(latencies.searchable)),
    )
    steps.say("The difference is the wait for the index's next refresh, once a second (index.refresh_interval).")


def _percentiles(seconds: Sequence[float]) -> list[str]:
    return [f"{1000 * percentile(seconds, percent):,.0f} ms" for percent in (50, 99, 100)]


def _search(steps: Steps, index: Index) -> None:
    with steps.step(f'Search for "{QUERY}"'):
        query = {"multi_match": {"query": QUERY, "fields": FIELDS, "type": "most_fields"}}
        marked = {"pre_tags": ["<"], "post_tags": [">"], "fields": {field.split("^")[0]: {} for field in FIELDS}}
        hits = index.search(query=query, highlight=marked, size=5)
    steps.show(("score", "product", "price", "words found"), *map(_hit_row, hits))


def _hit_row(hit: dict[str, Any]) -> list[str]:
    product = hit["_source"]
    marked = " ".join(fragment for fragments in hit["highlight"].values() for fragment in fragments)
    words = sorted(set(re.findall(r"<(\w+)>", marked.lower())))
    return [f"{hit['_score']:.1f}", product["name"], f"{product['price']:.2f}", ", ".join(words)]


def _mark_down(steps: Steps, table: ProductTable, index: Index, items: Sequence[Item]) -> None:
    shown = items[0]["productId"]["S"]
    before = index.get(shown)
    with steps.step(f"Mark {len(items)} products down with UpdateItem") as step:
        for count, item in enumerate(items, start=1):
            table.mark_down(item["productId"]["S"], _lower(item["price"]["N"]), _now())
            step.done(count, len(items))
        on_sale = {"term": {"tags": "sale"}}
        _wait(f"a search finds {len(items)} products on sale", lambda: index.count(on_sale) == len(items))
    after = index.get(shown)
    if before is None or after is None:
        raise StoryError(f"{shown} is not in the index {index.name}: the function's log may say why")
    steps.show(
        (f"{shown} in the index", "before", "after"),
        *(
            (name, _shown(before, name), _shown(after, name))
            for name in ("price", "tags", "discontinuedAt", "updatedAt")
        ),
    )


def _delete(steps: Steps, table: ProductTable, index: Index, items: Sequence[Item]) -> None:
    ids = [item["productId"]["S"] for item in items]
    name = items[0]["name"]["S"]
    by_name = {"term": {"name.raw": name}}
    before = index.count(by_name), index.get(ids[0]) is not None
    total = index.count()
    with steps.step(f"Delete {len(ids)} products") as step:
        for count, product_id in enumerate(ids, start=1):
            table.delete(product_id)
            step.done(count, len(ids))
        _wait(f"the index holds {total - len(ids):,} documents", lambda: index.count() == total - len(ids))
    after = index.count(by_name), index.get(ids[0]) is not None
    hits, found = zip(before, after, strict=True)
    steps.show(
        (f"{ids[0]} {name}", "before", "after"),
        ("hits of a search for its name", *map(str, hits)),
        ("found by its id", *("yes" if is_found else "no" for is_found in found)),
    )
    if after != (0, False):
        raise StoryError(f"{ids[0]} was deleted but is still in the index {index.name}: the function's log may say why")


def _prove(steps: Steps, table: ProductTable, index: Index) -> None:
    with steps.step("Compare every item with its document, value by value") as step:
        index.refresh()
        found = compare(table.items(), index.documents(), "productId")
        step.result = (
            f"table {found.items:,} items, index {found.documents:,} documents, {len(found.differences):,} differences"
        )
        if found.differences:
            steps.say(*map(str, found.differences[:SHOWN_DIFFERENCES]))
            raise StoryError(f"the index {index.name} differs from the table {table.name}: {step.result}")


def _wait(what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + CATCH_UP_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise StoryError(
                f"after {CATCH_UP_SECONDS} s it still isn't true that {what}: the function's log may say why"
            )
        time.sleep(POLL_SECONDS)


def _count(index: Index, step: Step, total: int) -> int:
    count = index.count()
    step.done(count, total)
    return count


def _lower(price: str) -> str:
    """Return 15 % less, to the cent."""
    return str((Decimal(price) * Decimal("0.85")).quantize(Decimal("0.01")))


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shown(document: dict[str, object], name: str) -> str:
    if name not in document:
        return "(gone)"
    value = document[name]
    return ", ".join(map(str, value)) if isinstance(value, list) else "null" if value is None else str(value)
