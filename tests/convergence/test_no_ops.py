"""What a record does to each index, over random histories: judged in any other way, some history diverges.

A record that changes nothing in an index is dropped for it: by itself, by both its images, before anything else. The
mistakes here are those of other tools, and those that suggest themselves.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from dynamodb_opensearch.core import changes, converge
from dynamodb_opensearch.core.changes import Batch, Change, Reading, Settle, Write, coalesce, settled
from dynamodb_opensearch.core.converge import Result
from dynamodb_opensearch.core.converge import converge as really_converge
from dynamodb_opensearch.core.projections import Projection
from dynamodb_opensearch.core.records import UNSEEN, Image, Record, Undecodable

from simulation.model import History

_ENOUGH = 20_000  # histories, from the given seed on, within which each mistake has shown long before

Records = Sequence[Record]
Count = Callable[[Records, Projection], Records]


def _is_no_op(record: Record, projection: Projection) -> bool:
    """Whether both images are seen, and neither is in the index; or both make one document, which isn't written."""
    if record.new is UNSEEN or record.old is UNSEEN:
        return False
    before, after = (image and projection.document(image) for image in (record.old, record.new))
    return before == after and (after is None or projection.skip_unchanged)


def _may_hold(projection: Projection, image: Image) -> bool:
    """Whether the index holds the item, or may: it isn't shown."""
    return image is UNSEEN or (image is not None and projection.document(image) is not None)


def _count_one_by_one(records: Records, projection: Projection) -> Records:
    return [record for record in records if not _is_no_op(record, projection)]


def _count_by_net_effect(records: Records, projection: Projection) -> Records:
    return [] if _is_no_op(records[-1]._replace(old=records[0].old), projection) else records


def _count_by_the_last_record(records: Records, projection: Projection) -> Records:
    return [] if _is_no_op(records[-1], projection) else records


def _count_all_or_none(records: Records, projection: Projection) -> Records:
    return records if _count_one_by_one(records, projection) else []


def _delete_by_the_last_old_image(records: Records, projection: Projection) -> Records:
    counted, old = _count_one_by_one(records, projection), records[-1].old
    deletes = bool(counted) and not _may_hold(projection, counted[-1].new)
    return counted if not deletes or _may_hold(projection, old) else []


def _count_what_the_index_holds(records: Records, projection: Projection) -> Records:
    return [record for record in records if record.new is None or _may_hold(projection, record.new)]


def _take_an_unseen_old_image_as_none(records: Records, projection: Projection) -> Records:
    return _count_one_by_one([r._replace(old=None) if r.old is UNSEEN else r for r in records], projection)


def _counting(count: Count) -> Callable[..., Batch]:
    """Return a ``coalesce`` that takes these records for each index, and no others. There is one document."""

    def coalesce_counted(records: Iterable[Record | Undecodable], projections: Iterable[Projection]) -> Batch:
        decoded = [record for record in records if isinstance(record, Record)]
        changed: dict[Any, Any] = {}
        first_positions: dict[Any, int] = {}
        for projection in projections:
            counted = {record.sequence_number for record in count(decoded, projection)}
            shown = [
                record._replace(old=UNSEEN)  # so that it counts
                if record.sequence_number in counted
                else Undecodable(position, "", None, None)
                for position, record in enumerate(decoded)
            ]
            batch = coalesce(shown, [projection])
            changed |= batch.changes
            first_positions |= batch.first_positions
        return Batch(changed, first_positions, [], 0)

    return coalesce_counted


def _coalesce_with_raises_by_no_ops(
    records: Iterable[Record | Undecodable], projections: Collection[Projection]
) -> Batch:
    """The versions of dropped records count as those of earlier ones. There is one document."""
    decoded = [record for record in records if isinstance(record, Record)]
    batch = coalesce(decoded, projections)
    highest = max(record.own for record in decoded)
    changed = {
        address: change._replace(version=max(change.version, highest + (change.version < highest)), highest_own=highest)
        if isinstance(change, Write)
        else replace(change, highest_own=highest)
        for address, change in batch.changes.items()
    }
    return replace(batch, changes=changed)


def _coalesce_with_last_positions(
    records: Iterable[Record | Undecodable], projections: Collection[Projection]
) -> Batch:
    """A retry begins with the record that was to be written, and not with the first that counts."""
    decoded = [record for record in records if isinstance(record, Record)]
    batch = coalesce(decoded, projections)
    positions = {record.sequence_number: position for position, record in enumerate(decoded)}
    last = {address: positions[change.sequence_number] for address, change in batch.changes.items()}
    return replace(batch, first_positions=last)


def _settle_without_the_rule(
    settle: Settle, reading: Reading, projection: Projection, conflict_window: int
) -> Write | None:
    return settled(settle, reading, Projection(projection.index, shape=projection.shape), conflict_window)


def _converge_until_one_index_is_done(pending: Iterable[Change], **options: Any) -> Result:
    changes_of_all = list(pending)
    result = really_converge(changes_of_all, **options)
    is_done_somewhere = len(result.unfinished) < len(changes_of_all)
    return replace(result, unfinished={}) if is_done_somewhere else result


Replacement = tuple[Any, str, Callable[..., Any]]

# With each mistake the seed to start from: some show in one history of thousands only.
MISTAKES: dict[str, tuple[int, Replacement]] = {
    "a batch is judged by its net effect": (0, (changes, "coalesce", _counting(_count_by_net_effect))),
    "the last record alone is judged": (0, (changes, "coalesce", _counting(_count_by_the_last_record))),
    "a key is skipped only if each of its records is a no-op": (
        2_000,
        (changes, "coalesce", _counting(_count_all_or_none)),
    ),
    "a delete is judged by the last old image": (0, (changes, "coalesce", _counting(_delete_by_the_last_old_image))),
    "only what the index holds counts": (0, (changes, "coalesce", _counting(_count_what_the_index_holds))),
    "an old image that isn't shown counts as none": (
        0,
        (changes, "coalesce", _counting(_take_an_unseen_old_image_as_none)),
    ),
    "a dropped record raises versions all the same": (2_000, (changes, "coalesce", _coalesce_with_raises_by_no_ops)),
    "a retry begins with the last record of a document": (
        2_100,
        (changes, "coalesce", _coalesce_with_last_positions),
    ),
    "a settle writes what the rule leaves out": (0, (converge, "settled", _settle_without_the_rule)),
    "a record is done once one index has it": (0, (converge, "converge", _converge_until_one_index_is_done)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_with_this_mistake_some_history_diverges(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first_seed, replacement = MISTAKES[mistake]
    monkeypatch.setattr(*replacement)

    seeds = range(first_seed, first_seed + _ENOUGH)
    assert any(History(seed, several=True).run() is not None for seed in seeds)


def test_records_that_are_judged_one_by_one_let_no_history_diverge(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mistakes above are mistakes of what is counted, not of the way in which the tests count it."""
    monkeypatch.setattr(changes, "coalesce", _counting(_count_one_by_one))

    assert not any(History(seed, several=True).run() for seed in range(1000))
