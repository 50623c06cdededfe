"""Verify and repair on real engines: each kind of damage is named, and mended, and nothing else is touched."""

import json
import threading
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from dynamodb_opensearch.cli.run.checkpoint import Checkpoint
from dynamodb_opensearch.cli.run.engine import Stop, Workers, run
from dynamodb_opensearch.core.changes import Reading
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.dynamodb.table import Keyed, Table
from dynamodb_opensearch.jobs import suspects
from dynamodb_opensearch.jobs.backfill import Backfill
from dynamodb_opensearch.jobs.job import Step
from dynamodb_opensearch.jobs.repair import Repair, RepairReport
from dynamodb_opensearch.jobs.report import Compared, ReportWriter
from dynamodb_opensearch.jobs.unit import ShardPart, read_unit, to_json
from dynamodb_opensearch.jobs.verify import Verify

from opensearch import api
from opensearch.sides import MakeSides, Sides


def damage(sides: Sides) -> list[tuple[str, str]]:
    """Every kind of it; what a verification must name."""

    def call(method: str, path: str, body: Any = None) -> None:
        api.call(sides.node, method, f"/{sides.name}/_doc/{path}", body)

    call("DELETE", "i-0001")
    call("PUT", "i-0002?version=7&version_type=external_gte&routing=elsewhere", {"pk": "i-0002", "n": 2})
    call("PUT", "i-0003", {"pk": "i-0003", "n": 4})
    sides.put("by-hand", n={"N": "4"})
    call("PUT", "by-hand", {"pk": "by-hand", "n": 5})
    call("PUT", "added", {"pk": "added"})
    call("POST", "", {"pk": "i-0005", "n": 5})
    [made_up] = sides.versions().keys() - {"added", "by-hand", *(f"i-{number:04}" for number in range(60))}
    sides.put("i-0006", n={"N": "66"})  # a record that nobody read
    sides.delete("i-0007")
    sides.put("new", n={"N": "1"})
    return sorted(
        [
            ("missing", "i-0001"),
            ("wrong place", "i-0002"),
            ("stale", "i-0003"),
            ("wrong content", "by-hand"),
            ("ghost", "added"),
            ("ghost", made_up),
            ("stale", "i-0006"),
            ("ghost", "i-0007"),
            ("missing", "new"),
        ]
    )


@pytest.fixture
def sides(make_sides: MakeSides) -> Sides:
    """Sixty items and their documents in shards enough for a routing to lead astray."""
    sides = make_sides(index_settings={"number_of_shards": 5})
    sides.fill(60)
    sides.run(Backfill(2))
    return sides


def test_a_whole_pair_has_no_difference_and_everything_is_counted(sides: Sides) -> None:
    checkpoint = sides.verified(patience_seconds=0)
    assert checkpoint.counts == {"items": 60, "documents": 60}
    assert list(checkpoint.findings()) == []


def test_documents_whose_items_the_scan_showed_are_not_looked_up_again(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []

    read_all = Table.read_all

    def noting(table: Table, keys: Iterable[Keyed], *arguments: Any, **options: Any) -> Iterator[Reading]:
        keys = list(keys)
        looked_up.extend(one.id for one in keys)
        return read_all(table, keys, *arguments, **options)

    monkeypatch.setattr(Table, "read_all", noting)
    api.call(sides.node, "PUT", f"/{sides.name}/_doc/added", {"pk": "added"})
    checkpoint = sides.verified(Workers(threads=1, page_items=7), patience_seconds=0)
    assert [one["id"] for one in checkpoint.findings()] == ["added"]
    assert set(looked_up) == {"added"}
    looked_up.clear()
    sides.run(Verify(3, patience_seconds=0))  # without a memory
    assert len(set(looked_up)) == 61


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("is_shared", [False, True])
def test_each_kind_of_damage_is_named_and_repaired_and_nothing_else_is_touched(
    sides: Sides, processes: int, *, is_shared: bool
) -> None:
    expected = damage(sides)
    options: dict[str, Any] = {} if is_shared else {"seen": None}
    assert sides.differences(**options) == expected
    untouched = {key: one for key, one in sides.versions().items() if key not in {name for _, name in expected}}
    counts = sides.verified(Workers(processes=processes, page_items=7), repair=True, **options).counts
    assert (counts["repaired"], counts["refused"]) == (9, 0)
    after = sides.versions()
    assert sides.differences() == []
    assert {key: after[key] for key in untouched} == untouched


def test_a_repair_from_a_report_mends_exactly_what_it_names(sides: Sides, tmp_path: Path) -> None:
    expected = damage(sides)
    report = write_report(sides, tmp_path / "report.jsonl", keep=lambda one: one["id"] != "i-0003")
    counts = sides.run(RepairReport(report, patience_seconds=0.1)).counts
    assert counts["repaired"] == len(expected) - 1
    assert sides.differences() == [("stale", "i-0003")]


def test_a_repair_is_refused_for_a_report_of_another_index(sides: Sides, tmp_path: Path) -> None:
    report = write_report(sides, tmp_path / "report.jsonl", index="others")
    with pytest.raises(ConfigurationError, match=r"report\.jsonl is about the index 'others': name it with --index"):
        RepairReport(report).plan(sides.sync())
    report.write_text("{}\n")
    with pytest.raises(ConfigurationError, match="is not a report of this version's verify"):
        RepairReport(report).plan(sides.sync())
    with pytest.raises(ConfigurationError, match=r"gone\.jsonl can't be read \(No such file"):
        RepairReport(tmp_path / "gone.jsonl").plan(sides.sync())


def test_a_report_that_was_cut_off_still_repairs_what_it_names(sides: Sides, tmp_path: Path) -> None:
    damage(sides)
    report = write_report(sides, tmp_path / "report.jsonl")
    text = report.read_text().splitlines(keepends=True)
    report.write_text("".join(text[:3]) + text[3][:20])
    assert sides.run(RepairReport(report, patience_seconds=0.1)).counts["repaired"] == 2


def test_a_refused_repair_is_named_and_the_rest_is_done(sides: Sides) -> None:
    api.call(sides.node, "PUT", f"/{sides.name}/_mapping", {"properties": {"m": {"type": "long"}}})
    sides.put("bad", m={"S": "x"})
    sides.put("good", m={"N": "1"})
    checkpoint = sides.run(Repair(Verify(3, patience_seconds=0.1)))
    assert (checkpoint.counts["repaired"], checkpoint.counts["refused"]) == (1, 1)
    assert sides.differences() == [("missing", "bad")]


def test_what_differs_only_because_both_sides_move_is_no_difference(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = threading.Event()

    def write() -> None:
        number = 0
        while not stopped.wait(0.002):
            number += 1
            sides.put(f"i-{number % 90:04}", n={"N": str(number)})
            sides.delete(f"i-{(number * 7) % 90:04}")

    with sides.following(monkeypatch):
        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        try:
            for _ in range(2):
                assert sides.differences(patience_seconds=1.5) == []
        finally:
            stopped.set()
            writer.join()


def test_a_sync_that_stands_still_is_a_difference_though_the_item_moves_on(sides: Sides) -> None:
    stopped = threading.Event()

    def write() -> None:
        while not stopped.wait(0.01):
            sides.put("i-0009", n={"N": str(time.time_ns())})

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        assert sides.differences() == [("stale", "i-0009")]
    finally:
        stopped.set()
        writer.join()


def test_a_document_that_is_another_at_every_look_is_named_and_not_equal(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suspects, "LOOKS", 2)
    stopped = threading.Event()

    def write() -> None:
        while not stopped.wait(0.005):
            api.call(sides.node, "PUT", f"/{sides.name}/_doc/i-0009", {"pk": "i-0009", "n": 1})

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        checkpoint = sides.run(Verify(1, patience_seconds=0.1))
        assert [(one["kind"], one["id"]) for one in checkpoint.findings()] == [("changing", "i-0009")]
        assert checkpoint.counts["changing"] == 1
    finally:
        stopped.set()
        writer.join()


@pytest.mark.parametrize(
    ("keys", "items"),
    [
        ({"pk": "N"}, [{"pk": {"N": "12345678901234567890123456789012345678"}}, {"pk": {"N": "-0.5"}}]),
        ({"pk": "B"}, [{"pk": {"B": b"\xff\x00\xfe"}}, {"pk": {"B": b"x" * 800}}]),
        (
            {"pk": "S", "sk": "N"},
            [{"pk": {"S": "a|b\\"}, "sk": {"N": "1"}}, {"pk": {"S": "z" * 600}, "sk": {"N": "2"}}],
        ),
        ({"pk": "S", "_id": "S"}, [{"pk": {"S": "a"}, "_id": {"S": "b"}}, {"pk": {"S": "~" * 600}, "_id": {"S": "|"}}]),
        ({"pk": "S"}, [{"pk": {"S": "é" * 400}}, {"pk": {"S": "x~" + "0" * 64}}, {"pk": {"S": '"\\\n\x01'}}]),
    ],
)
def test_every_kind_of_key_is_found_again_from_the_documents_side(
    make_sides: MakeSides, keys: dict[str, str], items: list[dict[str, Any]]
) -> None:
    sides = make_sides(keys=keys)
    for item in items:
        sides.dynamodb.put_item(TableName=sides.name, Item={**item, "value": {"N": "1"}})
    sides.run(Backfill(1))
    assert sides.run(Verify(1, patience_seconds=0.1)).counts == {"items": len(items), "documents": len(items)}
    for item in items:
        sides.dynamodb.delete_item(TableName=sides.name, Key=item)
    ghosts = sides.run(Verify(1, patience_seconds=0.1))
    assert ghosts.counts["ghost"] == len(items)
    assert all(finding["keys"] for finding in ghosts.findings())
    sides.run(Repair(Verify(1, patience_seconds=0.1)))
    assert sides.versions() == {}


def test_an_index_of_many_pages_is_read_to_its_end(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dynamodb_opensearch.opensearch.layout.PAGE_HITS", 4)
    assert sides.run(Verify(1, patience_seconds=0)).counts["documents"] == 60


def test_a_large_shard_is_read_in_parts_and_nothing_falls_between_them(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dynamodb_opensearch.opensearch.layout.PAGE_HITS", 2)
    monkeypatch.setattr("dynamodb_opensearch.opensearch.reader.PART", 3)
    expected = damage(sides)
    units = [unit for unit in Verify(1).plan(sides.sync()) if isinstance(unit, ShardPart)]
    assert len(units) > 10
    assert [read_unit(json.loads(json.dumps(to_json(unit)))) for unit in units] == units
    checkpoint = sides.verified()
    assert sorted((one["kind"], one["id"]) for one in checkpoint.findings()) == expected
    assert checkpoint.counts["documents"] == api.decoded(sides.node, "GET", f"/{sides.name}/_count")["count"]
    api.call(sides.node, "PUT", f"/{sides.name}/_doc/very-late?refresh=true", {"pk": "very-late"})  # after the plan
    found = [
        one
        for unit in units
        for step in Verify(1, patience_seconds=0).run(sides.sync(), unit, None)
        if isinstance(step, Step)
        for one in step.findings
    ]
    assert "very-late" in {one["id"] for one in found}


def test_so_many_suspects_that_reading_waits_for_them_lose_none(
    make_sides: MakeSides, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suspects, "WAITING", 5)
    sides = make_sides()
    sides.fill(60)
    assert len(sides.differences()) == 60


def test_an_interrupted_verification_goes_on_and_names_all_differences(sides: Sides, tmp_path: Path) -> None:
    expected = damage(sides)
    path, job = tmp_path / "checkpoint.jsonl", Verify(3, patience_seconds=0.2)
    done, runs = False, 0
    while not done:
        checkpoint, stop = Checkpoint(path, {"job": "verify"}), Stop()
        workers = Workers(threads=1, page_items=5)
        done = run(job, sides.settings, workers, checkpoint, stop=stop, on_step=partial(_request, stop))
        found = sorted((one["kind"], one["id"]) for one in checkpoint.findings())
        counts = checkpoint.counts
        checkpoint.close()
        runs += 1
    assert found == expected
    assert counts["items"] == 61
    assert runs > 3


def _request(stop: Stop, _: Step) -> None:
    stop.request()


def test_a_sample_looks_at_its_share_only(sides: Sides) -> None:
    counts = sides.run(Verify(20, percent=25, seed=1, patience_seconds=0)).counts
    assert 0 < counts["items"] < 40
    assert 0 < counts["documents"] < 40


def test_a_missing_index_and_one_without_source_are_told(make_sides: MakeSides) -> None:
    sides = make_sides()
    sides.through("nowhere")
    with pytest.raises(ConfigurationError, match="INDEX is 'nowhere': it doesn't exist; create it"):
        Verify(1).plan(sides.sync())
    bare = f"{sides.name}-bare"
    api.call(sides.node, "PUT", f"/{bare}", {"mappings": {"_source": {"enabled": False}}})
    sides.through(bare)
    sides.fill(1)
    sides.run(Backfill(1))
    with pytest.raises(ConfigurationError, match="keeps no _source"):
        Verify(1).plan(sides.sync())


def write_report(sides: Sides, path: Path, *, index: str | None = None, keep: Any = bool, percent: float = 100) -> Path:
    """A report of what a verification names now."""
    sync = sides.sync()
    layout = sides.side(sync).layout
    compared = Compared(sync.table_arn, sync.table_id, index or layout.name, layout.uuid)
    with path.open("w") as file:
        writer = ReportWriter(file, compared=compared, started_at="2026-01-01T00:00:00Z")
        for finding in sides.run(Verify(3, patience_seconds=0.3, others=layout.others)).findings():
            if keep(finding):
                writer.add(finding)
        writer.end({"percent": percent})
    return path
