"""Fills the index with the table's items, beside the live stream: in a conflict, what the index holds is newer.

An item that is deleted after it was read and before it is written must not come back. Tombstones don't ensure that,
because a node forgets them when it restarts. So each page is read again after it was written, and the items that are
gone are settled. The page's keys are noted before the writing: if the run dies in between, the next run looks them up.
Without the second look, only ``verify`` finds such documents.
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
    """Write items as they were read, unless the index holds something newer, and settle those that are gone by now.

    Args:
        look: a cheap second look at the table after the writing, which returns the ids that still exist. The other ids
            are looked up one by one. None: no second look.

    Returns:
        The counts, and the refusals. ``items`` is the sum of the other counts: ``written``, ``superseded`` (the index
        holds something newer), ``settled`` (read again after a conflict), ``gone`` (deleted meanwhile), ``refused``.

    Raises:
        ConfigurationError: as ``converge``.
        OutOfTimeError: some items were neither written nor refused by the deadline.
    """
    schema = sync.settings.key_schema
    writes = [Write(schema.id_of(item), schema.keys_of(item), version, 0, None, item) for item in items]
    recorder, tally = _Recorder(sync.index, version), Tally()
    # A window of 0: the version already lies a whole window back, so any higher version is newer.
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
    """Settle the keys whose items are gone from the table. Return these settles, and the refusals among them."""
    missing = {reading.id for reading in sync.table.read_all(settles, deadline, keys_only=True) if reading.item is None}
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
    """Converge all changes. Return the refusals; all other changes are done.

    Raises:
        ConfigurationError: as ``converge``.
        OutOfTimeError: some weren't done by the deadline.
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
    """Return a refusal as a step reports it."""
    write = refusal.write
    return {"kind": "refused", "id": write.id, "keys": as_json(write.keys), "reason": str(refusal.reason)}


class _Recorder:
    """The index, which also notes the documents that were written. A write whose answer was lost is settled later."""

    def __init__(self, index: Index, version: int) -> None:
        self._index, self._version = index, version
        self.ends: dict[str, str] = {}
        """Document id -> the count that includes it."""

    def write(
        self, writes: Iterable[Write], deadline: Deadline, tally: Tally, halvings: int = 0
    ) -> Iterator[tuple[Write, Outcome]]:
        for write, outcome in self._index.write(writes, deadline, tally, halvings):
            if outcome.kind is Kind.DONE and write.image is not None:
                self.ends[write.id] = "written" if write.version == self._version else "settled"
            yield write, outcome
