"""Jobs on several indices of one table, on real engines: each holds its own documents, and none touches another's."""

import json
from pathlib import Path
from typing import Any

import pytest
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.jobs.backfill import Backfill
from dynamodb_opensearch.jobs.redrive import _Settler
from dynamodb_opensearch.jobs.repair import Repair, RepairReport
from dynamodb_opensearch.jobs.report import Compared, ReportWriter
from dynamodb_opensearch.jobs.verify import Verify
from dynamodb_opensearch.settings import Settings, read_settings

from opensearch import api
from opensearch.sides import MakeSides, Sides

QUICK = Verify(2, patience_seconds=0.1)
MENDING = Repair(QUICK)
ORDERS = {
    "when": [{"attribute": "type", "equals": ["order"]}],
    "exclude": ["secret"],
    "rename": {"ts": "orderedAt"},
    "constants": {"kind": "order"},
}
CUSTOMERS = {
    "when": [{"attribute": "type", "equals": ["customer"]}, {"attribute": "deletedAt", "exists": False}],
}


@pytest.fixture
def sides(make_sides: MakeSides) -> Sides:
    """Five orders and four customers, each in its index."""
    sides = make_sides(indices={"orders": ORDERS, "customers": CUSTOMERS})
    for number in range(5):
        put(sides, f"o-{number}", "order", ts={"N": f"{number}.50"}, secret={"S": "x"})
    for number in range(4):
        put(sides, f"c-{number}", "customer", name={"S": f"name {number}"})
    counts = sides.run(Backfill(2)).counts
    assert (counts["items"], counts["written"], counts["outside"]) == (9, 9, 9)
    return sides


def put(sides: Sides, key: str, kind: str, **attributes: Any) -> None:
    sides.put(key, type={"S": kind}, **attributes)


def write(sides: Sides, end: str, document_id: str, source: Any) -> None:
    """Write a document past the sync."""
    api.call(sides.node, "PUT", f"/{sides.index(end)}/_doc/{document_id}", source)


def found(sides: Sides, **settings: Any) -> list[tuple[str, str, str]]:
    """The end of the index's name, kind and id of each difference."""
    findings = sides.verified(**settings).findings()
    return sorted((one["index"].removeprefix(f"{sides.name}-"), one["kind"], one["id"]) for one in findings)


def test_renamed_left_out_and_constant_fields_are_equal_and_a_difference_names_the_items_attribute(
    sides: Sides,
) -> None:
    orders = sides.index("orders")
    assert json.loads(sides.source("o-1", orders) or "") == {
        "pk": "o-1",
        "type": "order",
        "orderedAt": 1.5,
        "kind": "order",
    }
    counts = sides.run(QUICK).counts
    assert (counts["items"], counts["documents"]) == (9, 9)
    assert (counts[f"{orders}/items"], counts[f"{orders}/documents"]) == (5, 5)
    put(sides, "o-1", "order", ts={"N": "7"}, secret={"S": "y"})
    write(sides, "orders", "o-2", {"pk": "o-2", "type": "order", "orderedAt": 2.5, "kind": "invoice"})
    put(sides, "o-3", "order", ts={"N": "3.5"}, secret={"S": "another"})  # which no document holds
    first, second = sorted(sides.run(QUICK).findings(), key=lambda one: str(one["id"]))
    assert (first["id"], first["fields"]) == ("o-1", ["ts"])
    assert (second["id"], second["fields"]) == ("o-2", ["kind"])
    assert sides.run(MENDING).counts["repaired"] == 2
    assert found(sides) == []


def test_an_item_that_moved_while_the_sync_was_down_leaves_its_old_index_by_a_repair(sides: Sides) -> None:
    orders, customers = sides.index("orders"), sides.index("customers")
    before = sides.versions(customers)
    put(sides, "o-1", "customer", name={"S": "was an order"})
    put(sides, "o-2", "draft")
    put(sides, "c-1", "customer", name={"S": "gone"}, deletedAt={"S": "2026-01-01"})
    assert found(sides) == [
        ("customers", "ghost", "c-1"),
        ("customers", "missing", "o-1"),
        ("orders", "ghost", "o-1"),
        ("orders", "ghost", "o-2"),
    ]
    counts = sides.run(MENDING).counts
    assert (counts["repaired"], counts[f"{orders}/repaired"], counts[f"{customers}/repaired"]) == (4, 2, 2)
    assert sorted(sides.versions(orders)) == ["o-0", "o-3", "o-4"]
    after = sides.versions(customers)
    assert sorted(after) == ["c-0", "c-2", "c-3", "o-1"]
    assert all(after[name] == before[name] for name in ("c-0", "c-2", "c-3"))
    assert found(sides) == []


def test_a_document_whose_item_belongs_to_another_index_is_an_orphan_and_exactly_it_is_removed(sides: Sides) -> None:
    orders, customers = sides.index("orders"), sides.index("customers")
    write(sides, "orders", "c-2", {"pk": "c-2", "type": "customer", "name": "name 2"})
    before = {index: sides.versions(index) for index in (orders, customers)}
    assert found(sides) == [("orders", "ghost", "c-2")]
    assert sides.run(MENDING).counts["repaired"] == 1
    assert sides.versions(orders) == {name: version for name, version in before[orders].items() if name != "c-2"}
    assert sides.versions(customers) == before[customers]


def test_a_job_on_one_index_leaves_the_others_alone(sides: Sides) -> None:
    write(sides, "orders", "x", {"pk": "x"})
    write(sides, "customers", "y", {"pk": "y"})
    sides.settings = sides.settings.select([sides.index("customers")])
    counts = sides.run(MENDING).counts
    assert (counts["repaired"], counts["items"], counts["outside"]) == (1, 9, 5)
    assert "x" in sides.versions(sides.index("orders"))
    assert sorted(sides.versions(sides.index("customers"))) == ["c-0", "c-1", "c-2", "c-3"]


def test_an_orphan_with_a_hashed_id_is_found_though_no_document_holds_the_key_and_its_neighbour_stays(
    make_sides: MakeSides,
) -> None:
    sides = make_sides(indices={"all": {"exclude": ["pk"]}, "orders": {**ORDERS, "include": ["ts"]}})
    kept, gone = "k" * 600, "g" * 600
    for key in (kept, gone, "short"):
        put(sides, key, "order", ts={"N": "1"})
    sides.run(Backfill(1))
    assert found(sides) == found(sides, seen=None) == []
    sides.delete(gone)
    findings = list(sides.run(QUICK).findings())
    assert [(one["kind"], one["keys"]) for one in findings] == [("ghost", None)] * 2
    assert len({one["id"] for one in findings}) == 1
    assert sides.run(MENDING).counts["repaired"] == 2
    for end in ("all", "orders"):
        left = sides.versions(sides.index(end))
        assert len(left) == 2
        assert findings[0]["id"] not in left
    assert found(sides, seen=None) == []


def test_a_standby_index_is_filled_by_backfill_verify_and_repair_and_the_others_stay(make_sides: MakeSides) -> None:
    sides = make_sides(indices={"orders": ORDERS, "next": {**ORDERS, "exclude": [], "standby": True}})
    following = sides.index("next")
    for number in range(5):
        put(sides, f"o-{number}", "order", ts={"N": str(number)}, secret={"S": "x"})
    everything, sides.settings = sides.settings, sides.settings.select([sides.index("orders")])
    sides.run(Backfill(1))
    before = sides.versions(sides.index("orders"))
    sides.settings = everything.select([following])
    assert sides.run(Backfill(1)).counts["written"] == 5
    write(sides, "next", "o-1", {"pk": "o-1"})  # what a backfill alone doesn't find
    write(sides, "next", "nobody", {"pk": "nobody"})
    assert found(sides) == [("next", "ghost", "nobody"), ("next", "stale", "o-1")] or found(sides)[1][1:] == (
        "wrong content",
        "o-1",
    )
    assert sides.run(MENDING).counts["repaired"] == 2
    sides.settings = everything
    assert found(sides) == []
    assert sides.versions(sides.index("orders")) == before
    assert json.loads(sides.source("o-1", following) or "")["secret"] == "x"


def test_a_dead_letter_of_one_index_settles_the_document_of_this_index_alone(make_sides: MakeSides) -> None:
    sides = make_sides(indices={"all": {}, "orders": ORDERS})
    put(sides, "o-1", "order", ts={"N": "1"})
    sync = sides.sync()
    letter = {
        "kind": "document",
        "table": sides.name,
        "index": sides.index("orders"),
        "keys": {"pk": {"S": "o-1"}},
        "id": "o-1",
        "reason": {"type": "mapper_parsing_exception", "message": ""},
    }
    settler = _Settler(sync, drop_expired=False, drop_keyless=False)
    [verdict] = settler.settle([json.dumps(letter)], Deadline.after(10))
    assert (verdict.problem, verdict.refused) == (None, [])
    assert list(sides.versions(sides.index("orders"))) == ["o-1"]
    assert sides.versions(sides.index("all")) == {}
    part = sides.sync(settings=sides.settings.select([sides.index("all")]))
    partly = _Settler(part, drop_expired=False, drop_keyless=False)
    record = {**letter, "kind": "record", "index": None, "id": None}
    other, everywhere = partly.settle([json.dumps(letter), json.dumps(record)], Deadline.after(10))
    assert "it is about another index" in (other.problem or "")
    assert "it concerns all indices of the sync" in (everywhere.problem or "")
    assert sides.versions(sides.index("all")) == {}


def test_another_index_behind_an_alias_that_is_the_syncs_own_is_never_compared_or_repaired_as_anothers(
    make_sides: MakeSides, tmp_path: Path
) -> None:
    """Not even with a report from the time when it was another's."""
    sides = make_sides(indices={"a": {}, "b": {}})
    alias, home, sibling = f"{sides.name}-x", sides.index("a"), sides.index("b")
    for index in (home, sibling):
        api.call(sides.node, "PUT", f"/{index}/_alias/{alias}", {"is_write_index": index == home})
    sides.settings = _with(sides, alias, sibling)
    sides.put("i-1")
    sides.run(Backfill(1))
    assert found(sides) == []
    for chosen in ([], [alias]):
        sides.settings = _with(sides, alias, sibling).select(chosen)
        with pytest.raises(ConfigurationError, match=f"--other-index {sibling}: the sync writes to it itself, as"):
            Verify(1, others=(sibling,)).plan(sides.sync())
    report, sync = tmp_path / "r.jsonl", sides.sync()
    side = sides.side(sync)
    version = sides.versions(sibling)["i-1"]
    with report.open("w") as file:
        compared = Compared(sync.table_arn, sync.table_id, alias, side.layout.uuid)
        writer = ReportWriter(file, compared=compared, started_at="2026-01-01T00:00:00Z")
        place = {"index": sibling, "id": "i-1", "routing": None}
        writer.add({"kind": "wrong place", **place, "keys": {"pk": {"S": "i-1"}}, "version": version, "fields": []})
    for chosen in ([], [alias]):
        sides.settings = _with(sides, alias, sibling).select(chosen)
        with pytest.raises(ConfigurationError, match=f"--other-index {sibling}: the sync writes to it itself, as"):
            RepairReport(report, others=(sibling,)).plan(sides.sync())
        with pytest.raises(ConfigurationError, match="names 1 documents of"):
            RepairReport(report).plan(sides.sync())
    assert sides.versions(sibling) == {"i-1": version}


def _with(sides: Sides, *indices: str) -> Settings:
    """The settings of a sync of these indices, of whole items."""
    return read_settings({**sides.environment, "INDICES": json.dumps({index: {} for index in indices})})
