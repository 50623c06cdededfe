"""Repair on real engines never loses a document: whatever it deletes was read again, and is nobody's last one."""

import json
from pathlib import Path
from typing import Any

import pytest
from dynamodb_opensearch.core.comparison import Difference, Kind
from dynamodb_opensearch.core.documents import Place
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.jobs.backfill import Backfill
from dynamodb_opensearch.jobs.mending import _Mending
from dynamodb_opensearch.jobs.repair import Repair, RepairReport
from dynamodb_opensearch.jobs.unit import Whole
from dynamodb_opensearch.jobs.verify import Verify
from dynamodb_opensearch.opensearch import bulk

from opensearch import api
from opensearch.sides import MakeSides, Sides
from opensearch.test_verify import write_report

MENDING = Repair(Verify(2, patience_seconds=0.1))
CHANGED = b'{"changed":1}'


def alias_of(sides: Sides, **options: Any) -> str:
    """An alias that the sync writes through from now on."""
    alias = f"{sides.name}-alias"
    api.call(sides.node, "PUT", f"/{sides.name}/_alias/{alias}", options)
    sides.through(alias)
    return alias


def other_index(sides: Sides, alias: str) -> str:
    """Another index behind the alias; writes keep going to the first."""
    other = f"{sides.name}-other"
    api.call(sides.node, "PUT", f"/{other}", {"settings": {"number_of_replicas": 0}, "aliases": {alias: {}}})
    return other


def count(sides: Sides, index: str) -> int:
    api.call(sides.node, "POST", f"/{index}/_refresh")
    return int(api.decoded(sides.node, "GET", f"/{index}/_count")["count"])


def put(sides: Sides, index: str, document_id: str, source: Any, parameters: str = "") -> None:
    api.call(sides.node, "PUT", f"/{index}/_doc/{document_id}{parameters}", source)


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("options", [{"index_routing": "x"}, {"routing": "tenant-7"}, {"filter": {"term": {"n": 1}}}])
def test_what_an_alias_routes_or_filters_is_where_it_belongs_and_is_mended_there(
    make_sides: MakeSides, shards: int, options: dict[str, Any]
) -> None:
    sides = make_sides(index_settings={"number_of_shards": shards})
    alias_of(sides, **options)
    sides.fill(40)
    sides.run(Backfill(2))
    assert sides.verified().counts == {"items": 40, "documents": 40}
    untouched = sides.versions()
    assert sides.run(MENDING).counts == {"items": 40, "documents": 40}
    assert sides.versions() == untouched
    sides.put("i-0001", n={"N": "100"})
    sides.delete("i-0002")
    sides.put("new", n={"N": "1"})
    assert sides.differences() == [("ghost", "i-0002"), ("missing", "new"), ("stale", "i-0001")]
    assert sides.run(MENDING).counts["repaired"] == 3
    assert sides.differences() == []
    assert count(sides, sides.name) == 40


def test_an_index_of_another_sync_behind_the_same_alias_is_not_touched(make_sides: MakeSides) -> None:
    sides = make_sides()
    other = other_index(sides, alias_of(sides, is_write_index=True))
    sides.fill(5)
    sides.run(Backfill(1))
    for number in range(4):
        put(sides, other, f"us-{number}", {"pk": f"us-{number}"})
    assert sides.run(MENDING).counts == {"items": 5, "documents": 5}
    assert count(sides, other) == 4


def test_an_index_behind_the_alias_is_emptied_of_strays_only_when_it_is_named(make_sides: MakeSides) -> None:
    sides = make_sides()
    other = other_index(sides, alias_of(sides, is_write_index=True))
    sides.fill(5)
    sides.run(Backfill(1))
    put(sides, other, "i-0001", {"pk": "i-0001", "n": 0})
    put(sides, other, "nobody", {"pk": "nobody"})
    found = sides.run(Verify(2, patience_seconds=0.1, others=(other,)))
    assert sorted((one["kind"], one["index"], one["id"]) for one in found.findings()) == [
        ("wrong place", other, "i-0001"),
        ("wrong place", other, "nobody"),
    ]
    sides.run(Repair(Verify(2, patience_seconds=0.1, others=(other,))))
    assert (count(sides, other), count(sides, sides.name)) == (0, 5)
    with pytest.raises(ConfigurationError, match="--other-index nowhere: it isn't another index behind"):
        Verify(2, others=("nowhere",)).plan(sides.sync())


def test_a_stray_that_is_its_items_only_document_is_written_where_it_belongs_first(make_sides: MakeSides) -> None:
    sides = make_sides()
    other = other_index(sides, alias_of(sides, is_write_index=True))
    sides.fill(3)
    put(sides, other, "i-0001", {"pk": "i-0001", "n": 1})
    [stray] = [
        one for one in sides.run(Verify(1, patience_seconds=0.1, others=(other,))).findings() if one["index"] == other
    ]
    sync = sides.sync()
    mending = _Mending(sync, sides.side(sync))
    mending.mend([Difference.from_json(stray)])
    assert json.loads(sides.source("i-0001") or "") == {"pk": "i-0001", "n": 1}
    assert count(sides, other) == 0


def test_a_stray_whose_items_document_is_refused_stays_because_it_is_the_last_one(make_sides: MakeSides) -> None:
    sides = make_sides()
    other = other_index(sides, alias_of(sides, is_write_index=True))
    api.call(sides.node, "PUT", f"/{sides.name}/_mapping", {"properties": {"m": {"type": "long"}}})
    sides.put("bad", m={"S": "x"})
    put(sides, other, "bad", {"pk": "bad", "m": "x"})
    checkpoint = sides.run(Repair(Verify(1, patience_seconds=0.1, others=(other,))))
    assert checkpoint.counts["left"] == 1
    [left] = [one for one in checkpoint.findings() if one["kind"] == "left"]
    assert (left["index"], left["id"]) == (other, "bad")
    assert "this is the last one" in left["reason"]
    assert count(sides, other) == 1


def test_within_one_shard_a_document_under_another_routing_is_written_anew_and_not_deleted(
    make_sides: MakeSides,
) -> None:
    sides = make_sides(index_settings={"number_of_shards": 1})
    sides.fill(3)
    sides.run(Backfill(1))
    put(sides, sides.name, "i-0001", {"pk": "i-0001", "n": 1}, "?routing=elsewhere")
    assert sides.differences() == [("wrong place", "i-0001")]
    assert sides.run(MENDING).counts["repaired"] == 1
    assert sides.differences() == []
    assert count(sides, sides.name) == 3


def test_a_report_that_was_made_before_the_alias_was_switched_is_refused(make_sides: MakeSides, tmp_path: Path) -> None:
    sides = make_sides()
    alias = alias_of(sides, is_write_index=True)
    live = other_index(sides, alias)
    sides.fill(6)
    sides.run(Backfill(1))
    for number in range(6):
        put(sides, live, f"i-{number:04}", {"pk": f"i-{number:04}", "n": number})
    report = write_report(sides, tmp_path / "report.jsonl")
    job = RepairReport(report, others=(live,), patience_seconds=0.1)
    actions = [
        {"remove": {"index": sides.name, "alias": alias}},
        {"add": {"index": live, "alias": alias, "is_write_index": True}},
    ]
    api.call(sides.node, "POST", "/_aliases", {"actions": actions})
    with pytest.raises(ConfigurationError, match=r"is out of date: its index was recreated since, or the alias"):
        job.plan(sides.sync())
    assert count(sides, live) == 6


def test_an_alias_that_is_switched_while_a_repair_runs_stops_it(make_sides: MakeSides) -> None:
    sides = make_sides()
    alias = alias_of(sides, is_write_index=True)
    live = other_index(sides, alias)
    sides.fill(1)
    sync = sides.sync()
    before, planned = sides.side(sync), MENDING.plan(sync)
    put(sides, live, "i-0000", {"pk": "i-0000"})
    actions = [
        {"remove": {"index": sides.name, "alias": alias}},
        {"add": {"index": live, "alias": alias, "is_write_index": True}},
    ]
    api.call(sides.node, "POST", "/_aliases", {"actions": actions})
    moved = f"was written to {sides.name} when it was compared, and is written to {live}"
    with pytest.raises(ConfigurationError, match=moved):
        _Mending(sync, before).mend([Difference(Kind.WRONG_PLACE, Place(live, "i-0000"), None, 1)])
    for unit in planned:
        with pytest.raises(ConfigurationError, match=rf"since this began, .* is written to {live} now\)"):
            list(MENDING.run(sync, unit, None))
    assert count(sides, live) == 1


def test_units_of_an_index_that_was_made_anew_are_refused(make_sides: MakeSides) -> None:
    sides = make_sides()
    sides.fill(2)
    planned = MENDING.plan(sides.sync())
    api.call(sides.node, "DELETE", f"/{sides.name}")
    api.call(sides.node, "PUT", f"/{sides.name}")
    for unit in planned:
        with pytest.raises(ConfigurationError, match="an index was recreated"):
            list(MENDING.run(sides.sync(), unit, None))


def test_a_report_whose_keys_are_not_its_ids_mends_nothing(make_sides: MakeSides, tmp_path: Path) -> None:
    sides = make_sides()
    sides.fill(2)
    report = write_report(sides, tmp_path / "report.jsonl")
    text = report.read_text()
    for odd in ('"keys":{"pk":{"S":"i-0001"}}', '"keys":{"pk":1}', '"keys":[1]'):
        report.write_text(text.replace('"keys":{"pk":{"S":"i-0000"}}', odd))
        with pytest.raises(ConfigurationError, match="has the key of another"):
            list(RepairReport(report, patience_seconds=0.1).run(sides.sync(), Whole("report"), None))
    assert sides.versions() == {}


def test_a_report_a_week_old_mends_what_still_differs_and_leaves_the_rest(
    make_sides: MakeSides, tmp_path: Path
) -> None:
    sides = make_sides()
    sides.fill(4)
    sides.run(Backfill(1))
    sides.put("i-0001", n={"N": "100"})
    put(sides, sides.name, "again", {"pk": "again", "n": 1})
    report = write_report(sides, tmp_path / "report.jsonl")
    sides.put("again", n={"N": "1"})  # the ghost's item is there by now
    put(sides, sides.name, "i-0001", {"pk": "i-0001", "n": 100})
    before = sides.versions()
    sides.put("i-0002", n={"N": "200"})  # and what it doesn't name stays
    counts = sides.run(RepairReport(report, patience_seconds=0.1)).counts
    assert counts["equal by now"] == 2
    assert counts["repaired"] == 0
    assert sides.versions() == before


def test_ids_that_would_be_paths_are_removed_and_the_index_stays(make_sides: MakeSides) -> None:
    sides = make_sides(keys={"pk": "S", "sk": "S"})
    sides.dynamodb.put_item(TableName=sides.name, Item={"pk": {"S": "a"}, "sk": {"S": "b"}})
    sides.run(Backfill(1))
    ids = ["..", ".", "a/b", "?", "#", "%2e%2e", '"\\', "_all", "é|"]
    lines = [line for one in ids for line in ({"index": {"_id": one}}, {"x": 1})]
    api.bulk(sides.node, sides.name, lines)
    counts = sides.run(MENDING).counts
    assert (counts["ghost"], counts["repaired"]) == (len(ids), len(ids))
    assert list(sides.versions()) == ["a|b"]


@pytest.mark.parametrize(("key", "with_report"), [("pk", True), ("sk", False)])
def test_a_hashed_id_whose_document_does_not_hold_the_key_is_traced_in_the_table(
    make_sides: MakeSides, tmp_path: Path, key: str, *, with_report: bool
) -> None:
    sides = make_sides(keys={"pk": "S", "sk": "S"})
    long = {"pk": {"S": "p"}, "sk": {"S": "s"}} | {key: {"S": "k" * 600}}
    sides.dynamodb.put_item(TableName=sides.name, Item=long)
    sides.run(Backfill(1))
    [document_id] = sides.versions()
    ghost = document_id[:-1] + ("0" if document_id[-1] != "0" else "1")
    api.bulk(sides.node, sides.name, [{"index": {"_id": ghost}}, {"x": 1}, {"index": {"_id": document_id}}, {"x": 1}])
    report = write_report(sides, tmp_path / "report.jsonl")
    counts = sides.run(RepairReport(report, patience_seconds=0.1) if with_report else MENDING).counts
    assert (counts["repaired"], counts["left"]) == (2, 0)
    assert set(sides.versions()) == {document_id}
    assert sides.differences() == []


def test_a_hashed_document_under_another_routing_is_mended_by_the_key_that_it_holds(make_sides: MakeSides) -> None:
    sides = make_sides(index_settings={"number_of_shards": 5})
    for number in range(6):
        sides.put(f"{number}" * 600, n={"N": "1"})
    sides.run(Backfill(1))
    alias_of(sides, index_routing="elsewhere")
    assert {kind for kind, _ in sides.differences()} >= {"wrong place"}
    assert sides.run(MENDING).counts["left"] == 0
    assert sides.run(MENDING).counts == {"items": 6, "documents": 6}


def test_a_document_with_the_highest_version_is_left_and_the_rest_is_mended(make_sides: MakeSides) -> None:
    sides = make_sides()
    other = other_index(sides, alias_of(sides, is_write_index=True))
    sides.fill(2)
    highest = f"?version={2**63 - 1}&version_type=external"
    put(sides, other, "stray", {"x": 1}, highest)
    put(sides, other, "also", {"x": 1})
    put(sides, sides.name, "i-0001", {"x": 1}, highest)
    checkpoint = sides.run(Repair(Verify(1, patience_seconds=0.1, others=(other,))))
    assert {(one["index"], one["id"]) for one in checkpoint.findings() if one["kind"] == "left"} == {
        (other, "stray"),
        (sides.name, "i-0001"),
    }
    assert checkpoint.counts["repaired"] == 2
    assert count(sides, other) == 1


def test_what_differs_still_after_it_was_mended_is_told(make_sides: MakeSides, monkeypatch: pytest.MonkeyPatch) -> None:
    sides = make_sides()
    sides.fill(2)
    sides.run(Backfill(1))
    sides.put("i-0001", n={"N": "100"})
    action = bulk._action
    with monkeypatch.context() as patched:  # as a pipeline would that the index sends its documents through
        patched.setattr(bulk, "_action", lambda write, projection: action(write._replace(content=CHANGED), projection))
        checkpoint = sides.run(MENDING)
    assert (checkpoint.counts["repaired"], checkpoint.counts["remaining"]) == (0, 1)
    [told] = [one for one in checkpoint.findings() if one["kind"] == "remaining"]
    assert (told["id"], told["reason"]) == ("i-0001", "stale")
    assert sides.run(MENDING).counts["repaired"] == 1
