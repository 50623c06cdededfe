"""A comparison on real engines is about everything, and one odd thing in the index never stops the rest."""

from typing import Any

import pytest
from dynamodb_opensearch.cli.run.worker import JobFailedError
from dynamodb_opensearch.core.documents import Document
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.jobs import suspects
from dynamodb_opensearch.jobs.backfill import Backfill
from dynamodb_opensearch.jobs.repair import Repair
from dynamodb_opensearch.jobs.verify import Verify
from dynamodb_opensearch.opensearch import reader as stored
from dynamodb_opensearch.opensearch.reader import Reader

from opensearch import api
from opensearch.sides import MakeSides

QUICK = Verify(2, patience_seconds=0.1)


def test_documents_that_share_a_sequence_number_after_a_shrink_are_all_listed(
    make_sides: MakeSides, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dynamodb_opensearch.opensearch.layout.PAGE_HITS", 20)
    sides = make_sides(index_settings={"number_of_shards": 3})
    sides.fill(300)
    sides.run(Backfill(2))
    small = f"{sides.name}-small"
    api.call(sides.node, "PUT", f"/{sides.name}/_settings", {"index.blocks.write": True})
    settings = {"index.number_of_shards": 1, "index.number_of_replicas": 0, "index.blocks.write": None}
    api.call(sides.node, "POST", f"/{sides.name}/_shrink/{small}?wait_for_active_shards=1", {"settings": settings})
    sides.through(small)
    assert sides.verified().counts == {"items": 300, "documents": 300}
    monkeypatch.setattr("dynamodb_opensearch.opensearch.reader.PART", 50)
    assert sides.verified().counts == {"items": 300, "documents": 300}


def test_a_listing_that_shows_less_than_the_index_counts_is_no_proof(
    make_sides: MakeSides, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Reader._page

    def without_one(*arguments: Any) -> tuple[list[Any], list[int]]:
        hits, numbers = page(*arguments)
        return hits[1:], numbers[1:]

    sides = make_sides(index_settings={"number_of_shards": 1})
    sides.fill(5)
    sides.run(Backfill(1))
    monkeypatch.setattr(Reader, "_page", without_one)
    monkeypatch.setattr(stored, "_RECOUNTS", 2)
    assert sides.run(QUICK).counts == {"items": 5, "documents": 4, "unlisted": 1}
    for number in range(5):  # what is written meanwhile hides nothing
        api.call(sides.node, "PUT", f"/{sides.name}/_doc/i-{number:04}", {"pk": f"i-{number:04}", "n": number})
    assert sides.run(QUICK).counts["unlisted"] == 1


def test_what_the_index_leaves_out_of_its_source_is_not_compared(make_sides: MakeSides) -> None:
    sides = make_sides()
    mappings = {"_source": {"excludes": ["embedding", "meta.se*"]}}
    kept = f"{sides.name}-kept"
    api.call(sides.node, "PUT", f"/{kept}", {"settings": {"number_of_replicas": 0}, "mappings": mappings})
    sides.through(kept)
    for number in range(3):
        meta = {"M": {"secret": {"S": "x"}, "open": {"N": str(number)}}}
        sides.put(f"i-{number}", embedding={"L": [{"N": "0.1"}]}, meta=meta, n={"N": "1"})
    sides.run(Backfill(1))
    assert sides.run(QUICK).counts == {"items": 3, "documents": 3}
    sides.put("i-1", meta={"M": {"open": {"N": "7"}}}, n={"N": "2"})
    [difference] = sides.run(QUICK).findings()
    assert (difference["id"], difference["fields"]) == ("i-1", ["meta", "n"])
    assert sides.run(Repair(Verify(2, patience_seconds=0.1))).counts["repaired"] == 1


def test_a_hashed_id_is_no_ghost_where_the_index_leaves_keys_out(make_sides: MakeSides) -> None:
    sides = make_sides()
    kept = f"{sides.name}-kept"
    settings, mappings = {"number_of_replicas": 0}, {"_source": {"excludes": ["pk"]}}
    api.call(sides.node, "PUT", f"/{kept}", {"settings": settings, "mappings": mappings})
    sides.through(kept)
    sides.put("k" * 600, n={"N": "1"})
    sides.put("short", n={"N": "1"})
    sides.run(Backfill(1))
    assert sides.run(QUICK).counts == {"items": 2, "documents": 2}  # without a memory


def test_attributes_that_no_search_finds_by_are_counted_and_named(make_sides: MakeSides) -> None:
    sides = make_sides()
    properties = {
        "pk": {"type": "keyword"},
        "n": {"type": "long", "ignore_malformed": True},
        "off": {"type": "object", "enabled": False},
        "price [EUR]": {"type": "double", "ignore_malformed": True},
    }
    mapped = f"{sides.name}-mapped"
    settings, mappings = {"number_of_replicas": 0}, {"dynamic": False, "properties": properties}
    api.call(sides.node, "PUT", f"/{mapped}", {"settings": settings, "mappings": mappings})
    sides.through(mapped)
    for number in range(4):
        sides.put(f"i-{number}", n={"N": "1"}, color={"S": "red"})
    sides.put("odd", n={"S": "many"}, off={"M": {}}, **{"price [EUR]": {"S": "on request"}})
    sides.run(Backfill(1))
    checkpoint = sides.run(QUICK)
    assert checkpoint.counts == {"items": 5, "documents": 5}
    assert checkpoint.notices == {
        "color: not indexed": 4,
        "off: not indexed": 1,
        "n: value kept, but not indexed": 1,
        "price [EUR]: value kept, but not indexed": 1,
    }


def test_foreign_documents_of_any_form_are_named_and_removed(make_sides: MakeSides) -> None:
    sides = make_sides(keys={"pk": "N"})
    sides.dynamodb.put_item(TableName=sides.name, Item={"pk": {"N": "1"}})
    sides.run(Backfill(1))
    nothing = {"type": "object", "enabled": False}
    mapping = {"dynamic": False, "properties": {"a": nothing, "x": nothing}}
    api.call(sides.node, "PUT", f"/{sides.name}/_mapping", mapping)
    ids = ["1e99999999999999999999", "9" * 39, "1" + "0" * 126, "0." + "0" * 131 + "1", "1.0", "x", "-0"]
    deep = '{"a":' * 900 + "1" + "}" * 900
    sources = ['{"y":1}', '{"x":1e99999999999999999999}', '{"x":' + "9" * 900 + "}", '{"x":-0}', deep, "{}", '{"pk":1}']
    for document_id, source in zip(ids, sources, strict=True):
        api.text(sides.node, "PUT", f"/{sides.name}/_doc/{document_id}", source)
    api.text(sides.node, "PUT", f"/{sides.name}/_doc/1", sources[1])
    found = sides.run(QUICK)
    assert sorted((one["kind"], one["id"]) for one in found.findings()) == sorted(
        [("stale", "1"), *(("ghost", one) for one in ids)]
    )
    counts = sides.run(Repair(Verify(1, patience_seconds=0.1))).counts
    assert counts["repaired"] == len(ids) + 1
    assert sides.differences() == []


def test_a_small_result_window_makes_small_pages(make_sides: MakeSides) -> None:
    sides = make_sides(index_settings={"index.max_result_window": 10})
    sides.fill(60)
    sides.run(Backfill(1))
    assert sides.run(QUICK).counts == {"items": 60, "documents": 60}
    api.call(sides.node, "PUT", f"/{sides.name}/_settings", {"index.max_result_window": 1})
    with pytest.raises(JobFailedError, match=r"index\.max_result_window of .* is 1, too small to list its documents"):
        sides.run(QUICK)


def test_a_closed_index_is_named_and_hinders_only_who_needs_it(make_sides: MakeSides) -> None:
    sides = make_sides()
    alias, closed = f"{sides.name}-alias", f"{sides.name}-closed"
    api.call(sides.node, "PUT", f"/{sides.name}/_alias/{alias}", {"is_write_index": True})
    api.call(sides.node, "PUT", f"/{closed}", {"settings": {"number_of_replicas": 0}, "aliases": {alias: {}}})
    api.call(sides.node, "POST", f"/{closed}/_close")
    sides.through(alias)
    sides.fill(3)
    sides.run(Backfill(1))
    assert sides.run(QUICK).counts == {"items": 3, "documents": 3}
    with pytest.raises(ConfigurationError, match=f"--other-index {closed}: it is closed; open it"):
        Verify(1, others=(closed,)).plan(sides.sync())
    sides.through(closed)
    with pytest.raises(ConfigurationError, match=f"the index {closed} is closed; open it: POST /{closed}/_open"):
        QUICK.plan(sides.sync())


def test_a_data_stream_is_refused(make_sides: MakeSides) -> None:
    sides = make_sides()
    name = f"{sides.name}-stream"
    api.call(sides.node, "PUT", f"/_index_template/{name}", {"index_patterns": [f"{name}*"], "data_stream": {}})
    api.call(sides.node, "PUT", f"/_data_stream/{name}")
    sides.through(name)
    with pytest.raises(ConfigurationError, match=f"INDEX is '{name}', a data stream"):
        QUICK.plan(sides.sync())


def test_ghosts_are_looked_at_without_their_content(make_sides: MakeSides, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    get = Reader.get

    def watched(self: Reader, *arguments: Any, **options: Any) -> list[Document | None]:
        documents = get(self, *arguments, **options)
        read.extend(document.source for document in documents if document)
        return documents

    sides = make_sides()
    for number in range(120):
        api.call(sides.node, "PUT", f"/{sides.name}/_doc/ghost-{number}", {"x": "x" * 1000})
    monkeypatch.setattr(Reader, "get", watched)
    assert sides.run(Repair(Verify(1, patience_seconds=0.1))).counts["repaired"] == 120
    assert set(read) == {""}


def test_a_document_that_follows_its_item_is_equal_however_fast_both_move(
    make_sides: MakeSides, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = make_sides()
    sides.put("i-0", n={"N": "0"})
    sides.run(Backfill(1))
    look_at, moved = suspects.Looker._look_at, 0

    def moving(self: Any, *arguments: Any) -> None:
        """The document shows what the item held at the look before."""
        nonlocal moved
        api.call(sides.node, "PUT", f"/{sides.name}/_doc/i-0", {"pk": "i-0", "n": moved})
        moved += 1
        sides.put("i-0", n={"N": str(moved)})
        look_at(self, *arguments)

    monkeypatch.setattr(suspects.Looker, "_look_at", moving)
    api.call(sides.node, "PUT", f"/{sides.name}/_doc/i-0", {"pk": "i-0", "n": -1})
    assert sides.run(QUICK).counts == {"items": 1, "documents": 1}
    assert moved < suspects.LOOKS
