"""Jobs of a sync with several indices: one read of the table serves all, and each gets what its rule and shape say."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.versions import scan_version
from dynamodb_opensearch.dynamodb.scan import Page
from dynamodb_opensearch.jobs.backfill import Backfill
from dynamodb_opensearch.jobs.create_index import only, propose
from dynamodb_opensearch.jobs.fill import digest_of, fill, needs_whole_items
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.unit import Segment
from fakes.dynamodb import START, FakeDynamoDB
from fakes.opensearch import FakeOpenSearch, Stored, refused
from fakes.sync import make_sync

from unit.jobs.redriving import World, letter

INDICES = json.dumps(
    {
        "orders": {
            "when": [{"attribute": "type", "equals": ["order"]}],
            "exclude": ["secret"],
            "rename": {"total": "amount"},
            "constants": {"kind": "order"},
        },
        "customers": {"when": [{"attribute": "pk", "begins_with": "c"}], "include": ["name"]},
        "all": {},
    }
)
VERSION = scan_version(START, 60)


def order(key: str, total: int = 1) -> dict[str, Any]:
    return {"pk": {"S": key}, "type": {"S": "order"}, "total": {"N": str(total)}, "secret": {"S": "x"}}


def customer(key: str, name: str = "Ada") -> dict[str, Any]:
    return {"pk": {"S": key}, "type": {"S": "customer"}, "name": {"S": name}}


@dataclass(frozen=True)
class Scanned:
    """A scan that has all items in its first segment."""

    items: list[dict[str, Any]]
    page_items: int | None = None

    def pages(self, segment: int, *_: Any) -> list[Page]:
        return [Page(self.items, None, START)] if segment == 0 and self.items else []


@pytest.fixture
def table() -> FakeDynamoDB:
    return FakeDynamoDB({"o1": order("o1"), "c1": customer("c1"), "s1": {"pk": {"S": "s1"}}})


@pytest.fixture
def opensearch() -> FakeOpenSearch:
    return FakeOpenSearch(indices={"orders": {}, "customers": {}, "all": {}})


def sync_of(table: FakeDynamoDB, opensearch: FakeOpenSearch, **changes: Any) -> Sync:
    return make_sync(table, opensearch, indices=INDICES, **changes)


def test_a_page_is_written_into_each_index_that_holds_its_items(
    table: FakeDynamoDB, opensearch: FakeOpenSearch
) -> None:
    sync = sync_of(table, opensearch)

    counts, findings = fill(sync, list(table.items.values()), VERSION, sync.deadline(), look=None)

    assert opensearch.sources("orders") == {"o1": {"pk": "o1", "type": "order", "amount": 1, "kind": "order"}}
    assert opensearch.sources("customers") == {"c1": {"name": "Ada"}}
    assert set(opensearch.sources("all")) == {"o1", "c1", "s1"}
    assert findings == []
    assert {name: count for name, count in counts.items() if count} == {
        "items": 3,
        "written": 5,
        "outside": 4,
        "orders/written": 1,
        "orders/outside": 2,
        "customers/written": 1,
        "customers/outside": 2,
        "all/written": 3,
    }


def test_what_left_an_index_by_the_second_look_is_taken_back_there_and_stays_elsewhere(
    table: FakeDynamoDB, opensearch: FakeOpenSearch
) -> None:
    sync, items = sync_of(table, opensearch), list(table.items.values())
    table.items["o1"] = {**order("o1"), "type": {"S": "draft"}}

    counts, _ = fill(sync, items, VERSION, sync.deadline(), look=lambda: list(table.items.values()))

    assert needs_whole_items(sync), "the key doesn't say whether an item is an order"
    assert opensearch.sources("orders") == {}
    assert opensearch.sources("all")["o1"]["type"] == "order", "an older content: the live stream's change comes"
    assert (counts["orders/written"], counts["orders/gone"], counts["all/written"]) == (0, 1, 3)


def test_something_newer_in_one_index_says_nothing_of_another(table: FakeDynamoDB, opensearch: FakeOpenSearch) -> None:
    opensearch.indices["orders"]["o1"] = Stored(VERSION + 1, "{}")
    sync = sync_of(table, opensearch)

    counts, _ = fill(sync, [order("o1")], VERSION, sync.deadline(), look=None)

    assert (counts["orders/superseded"], counts["all/written"]) == (1, 1)
    assert opensearch.sources("orders") == {"o1": {}}


def test_a_refusal_names_the_index_that_refuses(table: FakeDynamoDB, opensearch: FakeOpenSearch) -> None:
    opensearch.item_faults_of = {"orders": lambda _: refused()}
    sync = sync_of(table, opensearch)

    counts, [finding] = fill(sync, [order("o1")], VERSION, sync.deadline(), look=None)

    assert (finding["index"], finding["id"]) == ("orders", "o1")
    assert (counts["refused"], counts["orders/refused"], counts["all/written"]) == (1, 1, 1)


def test_a_backfill_that_was_killed_looks_up_in_each_index_what_it_may_have_written(
    table: FakeDynamoDB, opensearch: FakeOpenSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Stored(VERSION, "{}")
    opensearch.indices |= {"orders": {"o1": written, "o2": written}, "all": {"o1": written, "o2": written}}
    table.items["o1"] = {**order("o1"), "type": {"S": "draft"}}  # o2 is gone

    sync = sync_of(table, opensearch)
    position = [None, [{"pk": {"S": "o1"}}, {"pk": {"S": "o2"}}]]

    monkeypatch.setattr(Sync, "scan", Scanned([]))

    [step, *_] = Backfill(1).run(sync, Segment(0, 1, digest_of(sync)), position)

    assert opensearch.sources("orders") == {}
    assert set(opensearch.sources("all")) == {"o1"}
    assert (step.counts["orders/gone"], step.counts["all/gone"], step.position) == (2, 1, [None, []])


def test_a_backfill_that_was_planned_for_other_rules_does_not_go_on(
    table: FakeDynamoDB, opensearch: FakeOpenSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sync, "scan", Scanned(list(table.items.values())))
    [unit] = Backfill(1).plan(sync_of(table, opensearch))
    changed = json.dumps({**json.loads(INDICES), "orders": {"when": [{"attribute": "type", "equals": ["draft"]}]}})

    with pytest.raises(ConfigurationError, match="what they are to hold, were changed"):
        list(Backfill(1).run(make_sync(table, opensearch, indices=changed), unit, None))

    assert opensearch.requests == []


def test_ten_letters_that_a_transform_fails_for_hide_none_behind_them(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "failing_for_most.py").write_text("def document(item): return {'n': item['n'] / (item['n'] == 11)}\n")
    monkeypatch.syspath_prepend(tmp_path)
    for number in range(1, 12):
        world.put(f"k{number}", number)
        world.send({**letter(f"k{number}"), "index": "products"})

    steps = world.redrive(indices='{"products": {"transform": "failing_for_most:document"}}')

    assert world.counts(steps) == {"failures": 11, "redriven": 1, "kept": 10}
    assert set(world.index.sources()) == {"k11"}


def test_a_dead_letter_is_redriven_in_its_index_only(world: World) -> None:
    world.index.indices = {"orders": {}, "customers": {}, "all": {}}
    world.table.items["o1"] = order("o1")
    world.send({**letter("o1"), "index": "orders"})

    assert world.counts(world.redrive(indices=INDICES))["redriven"] == 1

    assert set(world.index.sources("orders")) == {"o1"}
    assert world.index.sources("all") == {}


def test_a_record_that_could_not_be_decoded_is_redriven_in_every_index_that_may_hold_it(world: World) -> None:
    world.index.indices = {"orders": {}, "customers": {}, "all": {}}
    world.table.items["o1"] = order("o1")
    world.send({**letter("o1"), "index": None, "id": None, "kind": "record"})

    assert world.counts(world.redrive(indices=INDICES))["redriven"] == 1

    assert (set(world.index.sources("orders")), set(world.index.sources("all"))) == ({"o1"}, {"o1"})
    assert world.index.documents_of("customers") == {}, "no order's key begins with c"


@pytest.mark.parametrize(
    ("index", "reason"),
    [("customers", "it is about another index, 'customers'"), (None, "it concerns all indices of the sync")],
)
def test_a_failure_that_concerns_more_than_the_named_indices_is_kept(
    world: World, index: str | None, reason: str
) -> None:
    world.index.indices = {"orders": {}, "customers": {}, "all": {}}
    world.table.items["o1"] = order("o1")
    world.send({**letter("o1"), "index": index, "id": index and "o1"})

    steps = world.redrive(indices=INDICES, only=["orders"])

    assert world.counts(steps)["kept"] == 1
    assert reason in json.dumps([dict(finding) for step in steps for finding in step.findings])
    assert len(world.waiting()) == 1
    assert world.index.sources("orders") == {}


def test_an_index_mapping_is_proposed_for_what_the_index_holds(
    table: FakeDynamoDB, opensearch: FakeOpenSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = sync_of(table, opensearch)
    monkeypatch.setattr(Sync, "scan", Scanned(list(table.items.values())))

    proposal = propose(sync, sync.projections["orders"], 100, dynamic=False)

    assert set(proposal.mappings["properties"]) == {"pk", "type", "amount", "kind"}
    assert proposal.samples == 1


def test_a_job_about_one_index_asks_for_its_name(table: FakeDynamoDB, opensearch: FakeOpenSearch) -> None:
    with pytest.raises(ConfigurationError, match="the sync has the indices orders, customers, all, and this is about"):
        only(sync_of(table, opensearch))
