"""Fills the index with what the table holds, beside the live stream: what conflicts with a backfill is newer.

An item that is deleted between its reading and its writing must not come back, and tombstones can't be relied on: a
node's restart forgets them. So the page is read once more after its writing, and what has gone is settled. Whoever dies
between the two has noted the page's keys before, and the next run looks them up. Without that second look, ``verify``
has to tell afterwards.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from dynamodb_opensearch.core.answers import Kind, Outcome
from dynamodb_opensearch.core.changes import Change, Settle, Write
from dynamodb_opensearch.core.converge import Index, Refusal, converge
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import OutOfTimeError
from dynamodb_opensearch.core.items import Item, as_json
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.jobs.sync import Sync


def fill(
    sync: Sync, items: Iterable[Item], version: int, deadline: Deadline, *, look: Callable[[], set[str]] | None = set
) -> tuple[Counter[str], list[dict[str, Any]]]:
    """Write items as they were once, unless something newer stands there; settle those that are gone by now.

    Args:
        look: a cheap second look at the table, after the writing: ids that are there. The others are looked up one by
            one. None: no second look.

    Returns:
        Counts of which the others sum up to ``items``: ``written``, ``superseded`` (something newer stands there),
        ``settled`` (read again after a conflict), ``gone`` (deleted meanwhile), ``refused``; and the refused ones.

    Raises:
        ConfigurationError: as ``converge``.
        OutOfTimeError: some were neither written nor refused until the deadline.
    """
    schema = sync.settings.key_schema
    writes = [Write(schema.id_of(item), schema.keys_of(item), version, 0, None, item) for item in items]
    recorder, tally = _Recorder(sync.index, version), Tally()
    # A window of 0: the version lies a whole window back already, so whatever stands above it is newer.
    refused = finish(sync, writes, deadline, tally, index=recorder, conflict_window=0)
    counts = Counter(
        items=len(writes),
        written=tally.writes + tally.deletes - tally.settled,
        superseded=tally.superseded,
        settled=tally.settled,
        gone=0,
        refused=len(refused),
    )
    if look and recorder.ends:
        seen = look()
        unseen = [
            Settle(write.id, write.keys) for write in writes if write.id in recorder.ends and write.id not in seen
        ]
        gone, refused_now = take_back(sync, unseen, deadline)
        counts.subtract(recorder.ends[settle.id] for settle in gone)
        counts.update(gone=len(gone) - len(refused_now), refused=len(refused_now))
        refused += refused_now
    return counts, [finding(refusal) for refusal in refused]


def take_back(sync: Sync, settles: Sequence[Settle], deadline: Deadline) -> tuple[list[Settle], list[Refusal]]:
    """Settle those whose items are gone from the table: which they are, and which of them were refused."""
    missing = {one.id for one in sync.table.read_all(settles, deadline, keys_only=True) if one.item is None}
    gone = [settle for settle in settles if settle.id in missing]
    return gone, finish(sync, gone, deadline, Tally())


def finish(
    sync: Sync,
    changes: Sequence[Change],
    deadline: Deadline,
    tally: Tally,
    *,
    index: Index | None = None,
    conflict_window: int | None = None,
) -> list[Refusal]:
    """Converge to the end: the documents that were refused; all others are done.

    Raises:
        ConfigurationError: as ``converge``.
        OutOfTimeError: some weren't done until the deadline.
    """
    result = converge(
        changes,
        index=index or sync.index,
        table=sync.table,
        deadline=deadline,
        conflict_window=sync.conflict_window if conflict_window is None else conflict_window,
        tally=tally,
    )
    if result.unfinished:
        raise OutOfTimeError(f"{len(result.unfinished)} documents couldn't be written in time ({result.last_reason})")
    return list(result.refused.values())


def finding(refusal: Refusal) -> dict[str, Any]:
    """A refused document as a step tells of it."""
    write = refusal.write
    return {"kind": "refused", "id": write.id, "keys": as_json(write.keys), "reason": str(refusal.reason)}


class _Recorder:
    """The index, with a memory of the documents that were written. A write whose answer was lost is settled later."""

    def __init__(self, index: Index, version: int) -> None:
        self._index, self._version = index, version
        self.ends: dict[str, str] = {}
        """Document id -> the count that it is in."""

    def write(
        self, writes: Iterable[Write], deadline: Deadline, tally: Tally, halvings: int = 0
    ) -> Iterator[tuple[Write, Outcome]]:
        for write, outcome in self._index.write(writes, deadline, tally, halvings):
            if outcome.kind is Kind.DONE and write.image is not None:
                self.ends[write.id] = "written" if write.version == self._version else "settled"
            yield write, outcome
