"""External versions: they make any order of arrival end in the same index.

A version is a 63-bit integer that reads in decimal as ``SSSSSSSSSS TTTTTT DDD``: the second of the change, its order
within that second, and 000 for a record's **own** version or anything else for a **derived** one. Every write uses
``version_type=external``, which refuses what isn't strictly newer.

The rules rest on two bounds: the times of one item's records disagree by less than the conflict window minus a second,
and a request still in flight lands before the tombstones of its index expire. ``simulation.model`` explores histories
under these rules, and shows for each rule that histories go wrong without it.
"""

import re
from enum import Enum

from dynamodb_opensearch.core.errors import UndecodableError

_SECOND = 1_000_000_000
_TIE = 1_000
MAXIMUM = 2**63 - 1
"""OpenSearch's highest version. A higher one makes it refuse the whole bulk request."""

# The id comes before these words and may hold anything, even these words, so the match must end where the text ends.
_CONFLICT = re.compile(
    r"version conflict, current version \[(-?\d+)\] is higher (?:or equal to|than) the one provided \[-?\d+\]\Z"
)


class Verdict(Enum):
    """What a version conflict means for the write that met it."""

    DONE = "done"
    SUPERSEDED = "superseded"
    SETTLE = "settle"


def own_version(created_at: float, sequence_number: str) -> int:
    """A stream record's own version.

    Args:
        created_at: ApproximateCreationDateTime, epoch seconds.
        sequence_number: a decimal number. AWS's leading digits count a partition's records up by one; DynamoDB Local
            has only the low digits. AWS doesn't promise this order, and needn't: the conflict rule catches a wrong one.

    Raises:
        UndecodableError: one of the two isn't a number, or the version is out of OpenSearch's range.
    """
    try:
        second, number = int(created_at), int(sequence_number)
    except (OverflowError, TypeError, ValueError):
        raise UndecodableError("the record has no creation time or no sequence number") from None
    version = second * _SECOND + (number // 10**20 or number) % 1_000_000 * _TIE
    if second < 0 or number < 0 or version > MAXIMUM - _TIE:
        raise UndecodableError("the record's creation time or sequence number is out of range")
    return version


def coalesced_version(own: int, highest_earlier: int) -> int:
    """The version of a document's last change in a batch, given the highest own version of its earlier ones.

    Clocks may disagree, but the last change must not lose to an earlier one. Only own versions are ever raised.
    """
    return own if own > highest_earlier else highest_earlier + 1


def settled_version(*, stored: int, highest_own: int, read_at: int, conflict_window: int) -> int | None:
    """The version for what a consistent read found; None if no number is left between two own versions.

    Args:
        stored: the version known to be in the index **before** the read, 0 if none is known.
        highest_own: the highest own version of the document's records in this batch, 0 if there are none.
        read_at: epoch second of the read, by DynamoDB's clock.
        conflict_window: seconds.
    """
    version = max(stored, highest_own, scan_version(read_at, conflict_window) - 1) + 1
    if version % _TIE == 0 and is_future(version, read_at):
        version += 1  # no record has that own version, and no later read would get another
    return None if version % _TIE == 0 or version > MAXIMUM else version


def scan_version(read_at: int, conflict_window: int) -> int:
    """The version of what a page of a scan read: everything that conflicts with it is newer."""
    return max(read_at - conflict_window, 0) * _SECOND + 1


def is_own(version: int) -> bool:
    """Whether the version is a record's own: neither raised nor made by a settle."""
    return version % _TIE == 0


def stored_version(reason: str) -> int | None:
    """The version in the index, from the reason of a version conflict; None if the text has another form."""
    found = _CONFLICT.search(reason)
    return int(found[1]) if found else None


def judge_conflict(ours: int, stored: int | None, conflict_window: int, now: float) -> Verdict:
    """The conflict rule: an equal own version is this very record, a far higher one supersedes it; else settle.

    A version from the future is no change's: another sync left it, and it would supersede all changes to come.

    Args:
        conflict_window: seconds.
        now: epoch seconds. A wrong clock costs a read at most.
    """
    if stored is None:
        return Verdict.SETTLE
    if stored == ours and is_own(ours):
        return Verdict.DONE
    if stored - ours > conflict_window * _SECOND and not is_future(stored, now):
        return Verdict.SUPERSEDED
    return Verdict.SETTLE


def is_time(version: int, now: int) -> bool:
    """Whether the version can be one of ours: a time since DynamoDB's launch, and not in the future.

    Args:
        now: epoch second.
    """
    return version >= _FIRST_SECOND * _SECOND and not is_future(version, now)


def is_future(version: int, now: float) -> bool:
    """Whether no clock of AWS's can have given this version by ``now``, in epoch seconds."""
    return version >= (int(now) + _FUTURE_SECONDS) * _SECOND


_FIRST_SECOND = 1_326_844_800  # 18 January 2012
_FUTURE_SECONDS = 3600  # the widest conflict window
