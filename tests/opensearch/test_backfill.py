"""Backfill on real engines: beside a live stream, killed anywhere and resumed, with items that go while it writes."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dynamodb_opensearch.cli.run.engine import Workers
from dynamodb_opensearch.core.changes import Write
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import OutOfTimeError
from dynamodb_opensearch.jobs.backfill import Backfill
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.unit import Segment

from opensearch import api
from opensearch.sides import MakeSides, Sides

RUNS = int(os.environ.get("PROVE_BACKFILLS", "2"))
SEED = int(os.environ.get("PROVE_SEED", "0"))


@pytest.mark.parametrize("processes", [1, 2])
def test_every_item_gets_its_document_and_the_counts_add_up(make_sides: MakeSides, processes: int) -> None:
    sides = make_sides()
    sides.fill(100)
    counts = sides.run(Backfill(4), Workers(processes=processes, page_items=7)).counts
    assert counts["items"] == counts["written"] == 100
    assert sides.differences() == []


def test_a_second_backfill_changes_nothing_that_is_newer(
    make_sides: MakeSides, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = make_sides()
    with sides.following(monkeypatch):
        sides.fill(50)
    before = sides.versions()
    counts = sides.run(Backfill(2)).counts
    assert (counts["items"], counts["superseded"], counts["written"]) == (50, 50, 0)
    assert sides.versions() == before


def test_a_refused_item_is_named_and_the_others_are_written(make_sides: MakeSides) -> None:
    sides = make_sides()
    sides.fill(20)
    api.call(sides.node, "PUT", f"/{sides.name}/_mapping", {"properties": {"n": {"type": "long"}}})
    sides.put("bad", n={"S": "not a number"})
    checkpoint = sides.run(Backfill(2))
    assert (checkpoint.counts["written"], checkpoint.counts["refused"]) == (20, 1)
    [finding] = checkpoint.findings()
    assert (finding["id"], finding["keys"]) == ("bad", {"pk": {"S": "bad"}})
    assert "failed to parse field [n] of type [long]" in finding["reason"]
    assert "not a number" not in finding["reason"]
    assert sides.differences() == [("missing", "bad")]


@pytest.mark.parametrize("gc_deletes", ["0s", "1h"])
def test_an_item_that_is_deleted_while_it_is_written_does_not_come_back(make_sides: MakeSides, gc_deletes: str) -> None:
    sides = make_sides(index_settings={"gc_deletes": gc_deletes})
    sides.fill(30)

    class Meanwhile:
        """Between reading and writing an item goes, and the stream's delete finds no document."""

        def __init__(self, sync: Sync) -> None:
            self._sync = sync

        def write(self, writes: Iterable[Write], *arguments: Any, **options: Any) -> Iterator[Any]:
            writes = list(writes)
            for write in writes:
                if write.content is not None and write.id.endswith("3"):
                    sides.delete(write.id)
            yield from self._sync.writer.write(writes, *arguments, **options)

    sync = sides.sync()
    sync = sides.sync(writer=Meanwhile(sync))
    counts = [step.counts for unit in Backfill(1).plan(sync) for step in Backfill(1).run(sync, unit, None)]
    assert sum(one["gone"] for one in counts) == 3
    assert sum(one["items"] for one in counts) == sum(one["written"] + one["gone"] for one in counts) == 30
    assert sides.differences() == []


@pytest.mark.parametrize("recheck", [True, False])
def test_whoever_dies_between_writing_and_looking_leaves_the_next_run_to_look(
    make_sides: MakeSides, *, recheck: bool
) -> None:
    """With a tombstone that is forgotten at once."""

    class Dying:
        """Writes, and is never heard of again."""

        def __init__(self, sync: Sync) -> None:
            self._sync = sync

        def write(self, *arguments: Any, **options: Any) -> Iterator[Any]:
            yield from list(self._sync.writer.write(*arguments, **options))[:0]
            raise KeyboardInterrupt

    sides = make_sides(index_settings={"gc_deletes": "0s"})
    sides.fill(30)
    job, sync = Backfill(1, recheck), sides.sync()
    noted: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        noted.extend(json.dumps(step.position) for step in job.run(sides.sync(writer=Dying(sync)), Segment(0, 1), None))
    written = sorted(sides.versions())
    assert len(written) == 7
    sides.delete(written[3])  # and the stream's delete came before the write
    position = json.loads(noted[-1]) if noted else None
    counts = sum((step.counts for step in job.run(sync, Segment(0, 1), position)), Counter[str]())
    assert sides.differences() == ([] if recheck else [("ghost", written[3])])
    assert counts["items"] == sum(counts[name] for name in ("written", "superseded", "settled", "gone", "refused"))
    assert counts["gone"] == (1 if recheck else 0)


def test_a_cluster_that_takes_no_writes_stops_it_in_time_and_it_goes_on_later(make_sides: MakeSides) -> None:
    sides = make_sides()
    sides.fill(5)
    sync = sides.sync(deadline=lambda: Deadline.after(0.5))
    _block(sides, on=True)
    try:
        with pytest.raises(OutOfTimeError, match=r"5 documents couldn't be written in time \(cluster_block_exception"):
            list(Backfill(1).run(sync, Segment(0, 1), None))
    finally:
        _block(sides, on=False)
    assert [step.counts["written"] for step in Backfill(1).run(sync, Segment(0, 1), None)] == [0, 5]


def _block(sides: Sides, *, on: bool) -> None:
    api.call(sides.node, "PUT", f"/{sides.name}/_settings", {"index.blocks.write": on or None})


@pytest.mark.parametrize("seed", range(SEED, SEED + RUNS))
def test_killed_anywhere_and_resumed_beside_a_writer_it_ends_with_no_difference(
    make_sides: MakeSides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    draw = random.Random(seed)
    sides = make_sides(
        index_settings={"gc_deletes": draw.choice(["0s", "1h"]), "number_of_shards": draw.choice([1, 3])}
    )
    sides.fill(400)  # before anybody follows the stream
    trimmed = draw.random() < 0.5
    checkpoint = tmp_path / "checkpoint.jsonl"
    stop_writing = threading.Event()
    writer = threading.Thread(target=_write, args=(sides, random.Random(seed), stop_writing), daemon=True)
    with sides.following(monkeypatch, latest=trimmed):
        writer.start()
        kills = 0
        while _backfill_in_a_process(sides, checkpoint, kill_after=draw.uniform(0.8, 4.0) if kills < 3 else None):
            kills += 1
        time.sleep(0.3)
        stop_writing.set()
        writer.join()
    assert sides.differences() == []


def _write(sides: Sides, draw: random.Random, stopped: threading.Event) -> None:
    while not stopped.is_set():
        key = f"i-{draw.randrange(450):04}"
        if draw.random() < 0.4:
            sides.delete(key)
        else:
            sides.put(key, n={"N": str(draw.randrange(10**6))})


def _backfill_in_a_process(sides: Sides, checkpoint: Path, *, kill_after: float | None) -> bool:
    """Whether it was killed before its end. The checkpoint may end in half a line then."""
    command = [sys.executable, "-m", "opensearch.backfill_process", str(checkpoint)]
    with subprocess.Popen(command, env=os.environ | sides.environment, start_new_session=True) as process:
        try:
            code = process.wait(kill_after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            return True
    assert code == 0
    return False
