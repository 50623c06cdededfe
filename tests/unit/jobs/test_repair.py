"""What repair deletes, and what it must know before: a delete needs more proof than a write."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.jobs.job import Step
from dynamodb_opensearch.jobs.repair import Repair
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.verify import Verify
from dynamodb_opensearch.opensearch.bulk import Limits, Writer
from fakes.dynamodb import START, FakeDynamoDB
from fakes.opensearch import FakeOpenSearch, Stored
from fakes.reading import ReadableOpenSearch, Scanned
from fakes.sync import make_sync

INDICES = {
    "orders": {"when": [{"attribute": "type", "equals": ["order"]}]},
    "all": {"when": [{"attribute": "type", "equals": ["order", "line"]}]},
}
LONG = "x" * 600


def item(key: str, kind: str) -> dict[str, Any]:
    return {"pk": {"S": key}, "type": {"S": kind}}


class World:
    """A table and two indices that hold what they must."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, indices: dict[str, Any], *items: dict[str, Any]) -> None:
        self.table = FakeDynamoDB({one["pk"]["S"]: one for one in items})
        self.opensearch = ReadableOpenSearch(FakeOpenSearch(indices={index: {} for index in indices}))
        self._indices = indices
        monkeypatch.setattr(Sync, "scan", Scanned(self.table))

    def sync(self, *only: str, **changes: Any) -> Sync:
        sync = make_sync(self.table, self.opensearch.store, indices=json.dumps(self._indices), only=only)
        writer = Writer(self.opensearch, sync.settings.projections, Limits(1024**2, 100), 2, 5)
        return replace(sync, client=self.opensearch, writer=writer, **changes)  # type: ignore[arg-type]

    def store(self, index: str, key: str, source: dict[str, Any]) -> None:
        self.opensearch.store.indices[index][key] = Stored(START * 10**9, json.dumps(source))

    def ids(self, index: str) -> set[str]:
        return set(self.opensearch.store.sources(index))


def done(job: Any, sync: Sync) -> Counter[str]:
    counts: Counter[str] = Counter()
    for unit in job.plan(sync):
        for step in job.run(sync, unit, None):
            if isinstance(step, Step):
                counts.update(step.counts)
    return counts


REPAIR = Repair(Verify(1, patience_seconds=0))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(monkeypatch, INDICES, item("o1", "order"), item("l1", "line"))
    world.store("orders", "o1", {"pk": "o1", "type": "order"})
    world.store("all", "o1", {"pk": "o1", "type": "order"})
    world.store("all", "l1", {"pk": "l1", "type": "line"})
    return world


def test_indices_that_equal_their_projections_are_left_alone(world: World) -> None:
    counts = done(REPAIR, world.sync())

    assert (counts["items"], counts["orders/items"], counts["all/items"]) == (2, 1, 2)
    assert (counts["documents"], counts["ghost"], counts["repaired"]) == (3, 0, 0)


def test_a_document_whose_item_left_the_index_is_removed_there_and_nowhere_else(world: World) -> None:
    world.table.items["o1"] = item("o1", "line")
    world.store("all", "o1", {"pk": "o1", "type": "line"})

    counts = done(REPAIR, world.sync())

    assert (counts["orders/ghost"], counts["orders/repaired"], counts["all/ghost"]) == (1, 1, 0)
    assert (world.ids("orders"), world.ids("all")) == (set(), {"o1", "l1"})


@pytest.mark.parametrize("only", [(), ("orders",), ("all",)])
def test_an_index_that_two_names_lead_to_is_never_repaired_even_by_one_of_them(
    world: World, only: tuple[str, ...]
) -> None:
    world.opensearch.aliases["orders"] = "all"  # the alias was switched to the sibling

    with pytest.raises(ConfigurationError, match="both lead to all: each needs an index of its own"):
        done(REPAIR, world.sync(*only))

    assert world.ids("all") == {"o1", "l1"}


def test_a_sibling_that_does_not_exist_is_no_hindrance(world: World) -> None:
    del world.opensearch.store.indices["all"]

    assert done(REPAIR, world.sync("orders"))["repaired"] == 0


def test_nothing_is_repaired_once_an_index_is_to_hold_something_else(world: World) -> None:
    world.store("orders", "l1", {"pk": "l1", "type": "line"})  # by a rule that was widened meanwhile

    def changed() -> None:
        raise ConfigurationError("what the index orders is to hold was changed")

    with pytest.raises(ConfigurationError, match="what the index orders is to hold was changed"):
        done(REPAIR, world.sync(check=changed))

    assert world.ids("orders") == {"o1", "l1"}


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> tuple[World, str]:
    """An index whose documents hold no key, and an id that is a hash."""
    world = World(monkeypatch, {"orders": {"exclude": ["pk"]}})
    return world, KeySchema(("pk",)).id_of({"pk": {"S": LONG}})


def test_a_document_whose_id_is_a_hash_is_removed_if_no_item_has_it(hashed: tuple[World, str]) -> None:
    world, document_id = hashed
    world.store("orders", document_id, {"type": "order"})

    assert done(REPAIR, world.sync())["repaired"] == 1
    assert world.ids("orders") == set()


def _coming(world: World, when: int) -> Callable[..., Any]:
    """A scan that shows the item from this read on."""
    reads = 0

    def page(*_: Any, **__: Any) -> Any:
        nonlocal reads
        reads += 1
        if reads >= when:
            world.table.items[LONG] = item(LONG, "order")
        return Scanned(world.table).page()

    return page


@pytest.mark.parametrize("when", [2, 3])
def test_an_item_that_comes_after_its_document_was_traced_has_no_ghost(
    hashed: tuple[World, str], when: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, document_id = hashed
    world.store("orders", document_id, {"type": "order"})
    scan = Scanned(world.table)
    scan.page = _coming(world, when)  # type: ignore[method-assign]
    monkeypatch.setattr(Sync, "scan", scan)

    counts = done(REPAIR, world.sync())

    assert counts["remaining"] == 0
    assert world.ids("orders") == {document_id}
    assert world.opensearch.deleted == []
