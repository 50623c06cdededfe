"""Fills the indices with the table's items, beside the live stream: in a conflict, what an index has is newer.

An item that is deleted, or leaves an index, after it was read and before it is written must not come back. Tombstones
don't ensure that, because a node forgets them when it restarts. So each page is read again after it was written, and
what an index doesn't hold any more is settled. The page's keys are noted before the writing: if the run dies in
between, the next run looks them up. Without the second look, only ``verify`` finds such documents.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from dynamodb_opensearch.core.answers import Kind, Outcome
from dynamodb_opensearch.core.changes import Change, Settle, Write
from dynamodb_opensearch.core.converge import Refusal, Writer, converge
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError, OutOfTimeError
from dynamodb_opensearch.core.items import Item, as_json
from dynamodb_opensearch.core.projections import Projection
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.jobs.sync import Sync


def fill(
    sync: Sync,
    items: Sequence[Item],
    version: int,
    deadline: Deadline,
    *,
    look: Callable[[], Iterable[Item]] | None = tuple,
) -> tuple[Counter[str], list[dict[str, Any]]]:
    """Write items as they were read into each index that holds them, unless the index has something newer.

    What an index doesn't hold any more by the time of the second look is settled.

    Args:
        look: a cheap second look at the table after the writing, which returns the items that still exist; their keys
            are enough if ``needs_whole_items`` says so. The other items are looked up one by one. None: no second look.

    Returns:
        The counts, and the refusals. ``items`` is how many there were. In a sync of one index that is the sum of the
        other counts: ``outside`` (the index doesn't hold the item), ``written``, ``superseded`` (the index has
        something newer), ``settled`` (read again after a conflict), ``gone`` (not in the index any more), ``refused``.

    Raises:
        ConfigurationError: as ``converge``.
        OutOfTimeError: some items were neither written nor refused by the deadline.
    """
    counts, refusals = Counter(items=len(items)), list[Refusal]()
    written: list[tuple[Projection, dict[str, str], dict[str, Item]]] = []
    for projection in sync.projections.values():
        writes = _writes(sync, projection, items, version)
        recorder, tally = _Recorder(sync.writer, version), Tally()
        # A window of 0: the version already lies a whole window back, so any higher version is newer.
        refused = finish(sync, writes, deadline, tally, writer=recorder, conflict_window=0)
        own = {
            "outside": len(items) - len(writes),
            "written": tally.writes + tally.deletes - tally.settled,
            "superseded": tally.superseded,
            "settled": tally.settled,
            "refused": len(refused),
        }
        counts += sync.counted(projection.index, own)
        refusals += refused
        # Without the contents, which the second look doesn't need.
        written.append((projection, recorder.ends, {write.id: write.keys for write in writes}))
    if look and any(ends for _, ends, _ in written):
        present = list(look())
        for projection, ends, keys in written:
            seen = {sync.settings.key_schema.id_of(item) for item in present if projection.project(item) is not None}
            unseen = [Settle(projection.index, key, keys[key]) for key in ends if key not in seen]
            gone, refused = take_back(sync, projection, unseen, deadline)
            counts.subtract(sync.counted(projection.index, Counter(ends[settle.id] for settle in gone)))
            counts.update(sync.counted(projection.index, {"gone": len(gone) - len(refused), "refused": len(refused)}))
            refusals += refused
    return counts, [finding(refusal) for refusal in refusals]


def digest_of(sync: Sync) -> str:
    """Return a short text that changes when the indices are to hold something else; empty for one whole index."""
    if len(sync.projections) == 1 and all(projection.is_whole for projection in sync.projections.values()):
        return ""
    texts = [f"{index} {projection.digest}" for index, projection in sorted(sync.projections.items())]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]


def check_digest(sync: Sync, planned: str) -> None:
    """Refuse to go on with a plan that was made for other indices, or for other rules and shapes.

    Raises:
        ConfigurationError: see above.
    """
    if digest_of(sync) != planned:
        raise ConfigurationError(
            "since this was planned, the sync's indices, or what they are to hold, were changed: start again from the "
            "beginning (--restart)"
        )


def needs_whole_items(sync: Sync) -> bool:
    """Whether an item's key isn't enough to say which indices hold the item."""
    return not all(projection.is_decided_by_key for projection in sync.projections.values())


def _writes(sync: Sync, projection: Projection, items: Iterable[Item], version: int) -> list[Write]:
    schema = sync.settings.key_schema
    return [
        Write(projection.index, schema.id_of(item), schema.keys_of(item), version, 0, None, content)
        for item in items
        if (content := projection.project(item)) is not None
    ]


def take_back(
    sync: Sync, projection: Projection, settles: Sequence[Settle], deadline: Deadline
) -> tuple[list[Settle], list[Refusal]]:
    """Settle the keys of items that the index doesn't hold any more. Return these settles, and the refusals among them.

    Args:
        settles: all of this projection's index.
    """
    readings = sync.table.read_all(settles, deadline, keys_only=projection.is_decided_by_key)
    missing = {reading.id for reading in readings if reading.item is None or projection.project(reading.item) is None}
    gone = [settle for settle in settles if settle.id in missing]
    return gone, finish(sync, gone, deadline, Tally())


def finish(
    sync: Sync,
    changes: Sequence[Change],
    deadline: Deadline,
    tally: Tally,
    *,
    writer: Writer | None = None,
    conflict_window: int | None = None,
) -> list[Refusal]:
    """Converge all changes. Return the refusals; all other changes are done.

    A job works on a standby index as on any other: filling it is what makes it whole.

    Raises:
        ConfigurationError: as ``converge``.
        OutOfTimeError: some weren't done by the deadline.
    """
    result = converge(
        changes,
        projections=sync.projections,
        writer=writer or sync.writer,
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
    return {
        "kind": "refused",
        "index": write.index,
        "id": write.id,
        "keys": as_json(write.keys),
        "reason": str(refusal.reason),
    }


class _Recorder:
    """The writer, which also notes the documents that were written. A write whose answer was lost is settled later."""

    def __init__(self, writer: Writer, version: int) -> None:
        self._writer, self._version = writer, version
        self.ends: dict[str, str] = {}
        """Document id -> the count that includes it."""

    def write(
        self, writes: Iterable[Write], deadline: Deadline, tally: Tally, halvings: Mapping[str, int], /
    ) -> Iterator[tuple[Write, Outcome]]:
        for write, outcome in self._writer.write(writes, deadline, tally, halvings):
            if outcome.kind is Kind.DONE and write.content is not None:
                self.ends[write.id] = "written" if write.version == self._version else "settled"
            yield write, outcome
