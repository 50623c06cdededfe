"""Brings documents up to date: applies, settles, waits and tries again, until all are done or the time is over.

The sync and all jobs write documents through ``converge``; only a repair deletes documents where they are, through
``opensearch.reader``. Nothing is dropped: what is neither written nor refused permanently is reported as unfinished.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from dynamodb_opensearch.core.answers import Kind, Outcome
from dynamodb_opensearch.core.changes import Address, Change, Reading, Settle, Write, settled
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.projections import TRANSFORM_ERROR, Faulty, Projection
from dynamodb_opensearch.core.reasons import Reason
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.core.versions import MAXIMUM, Verdict, is_future, judge_conflict

MAXIMUM_CONFLICTS = 10
"""How often other writers may outrun the settling of one key, before it is left to the next invocation."""

MAXIMUM_CONTENTIONS = 3
"""How many refusals over a new field's type make a document's refusal permanent. Two writes at once may have given the
field two types, and the next try meets an index mapping; a document that itself holds both types never fits."""

LEAST_REFUSALS = 10
"""If so many documents are refused alike, and none is written beside them, the index is at fault. Fewer may be at fault
themselves: they are set aside, because a dead letter can be redriven, while a blocked shard stops all of its items."""

_UNREADABLE = Reason("unreadable_key", "DynamoDB refuses the key: it isn't of the type that the table's key has")

_EXHAUSTED = Reason(
    "version_exhausted",
    "the document has the highest possible version: delete it by hand, without a version, and redrive this",
)


class Writer(Protocol):
    """What is written to: ``opensearch.bulk.Writer``, or a wrapper around it."""

    def write(
        self, writes: Iterable[Write], deadline: Deadline, tally: Tally, halvings: Mapping[str, int], /
    ) -> Iterator[tuple[Write, Outcome]]:
        """See ``opensearch.bulk.Writer.write``."""


class Table(Protocol):
    """What is read from: ``dynamodb.table.Table``, or a test's table."""

    def read(
        self, keys: Iterable[Settle], deadline: Deadline, *, unreadable: Callable[[Settle], None]
    ) -> Iterator[Reading]:
        """See ``dynamodb.table.Table.read``."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A write that OpenSearch refuses permanently, and the reason."""

    write: Write
    reason: Reason
    whole: bool = False
    """Whether OpenSearch refused the whole request, although it held only this write."""


@dataclass(frozen=True, slots=True)
class Result:
    """What isn't done. Everything else is."""

    refused: Mapping[Address, Refusal]
    unfinished: Mapping[Address, Change]
    last_reason: Reason | None
    """Why the last of the unfinished changes wasn't done, if known."""


def converge(
    changes: Iterable[Change],
    *,
    projections: Mapping[str, Projection],
    writer: Writer,
    table: Table,
    deadline: Deadline,
    conflict_window: int,
    tally: Tally,
    standby: Collection[str] = (),
    answered: Collection[str] = (),
    least_faults: int | None = None,
    now: Callable[[], float] = time.time,
) -> Result:
    """Write the changes, settle what must be settled, and retry what may work later, as long as the deadline allows.

    The indices are independent: a conflict, a refusal or an outage in one says nothing of another. What is blocked in
    one is reported after the others are done.

    Args:
        changes: at most one per index and document.
        projections: what each index holds of an item, by the name of the index.
        conflict_window: seconds.
        standby: indices that are being filled. What they can't take is counted as missed, and is done.
        answered: indices whose transform is known to work for some item.
        least_faults: if a transform fails for so many items of an index, and for all, the transform is at fault. None:
            the items are, however many.
        now: epoch seconds; a wrong clock costs reads, and nothing else.

    Raises:
        ConfigurationError: something must be changed first; how much was written by then is unknown. Also if an index
            refused so much that the documents can't be at fault.
    """
    waiting = {change.address: change for change in changes}
    indices = {index: _Index(projection, index in answered) for index, projection in projections.items()}
    work = _Work(waiting, indices, conflict_window, tally, now)
    attempt = 0
    while work.waiting:
        before = len(work.waiting)
        unanswered = set(work.waiting)
        halvings = {index: known.halvings for index, known in indices.items()}
        for write, outcome in writer.write(work.writes(table, deadline), deadline, tally, halvings):
            address = write[:2]  # its address; this loop is hot
            unanswered.discard(address)
            if (change := work.waiting.get(address)) is not None:  # else its index was found to be blocked
                work.take(address, change, write, outcome)
        if unanswered & work.waiting.keys():
            work.postpone(Reason("unread", "the table couldn't be read: throttled, out of reach, or no time was left"))
        if work.waiting and work.is_busy:
            attempt = 1 if len(work.waiting) < before else attempt + 1
            work.begin_round()
            tally.retries += 1
            if not deadline.back_off(attempt):
                break
    work.refuse_to_drain(least_faults)
    work.miss(standby)
    if error := work.error():
        raise error
    return Result(work.refused, work.waiting | work.outrun, work.last_reason)


@dataclass(slots=True)
class _Index:
    """What is known of one index."""

    projection: Projection
    has_answered: bool
    """Whether its transform made a document of some item, or said that there is none."""
    accepted: int = 0
    """How many writes OpenSearch took, or refused only because the index holds a newer one."""
    accepted_contents: int = 0
    """The same without the deletes."""
    ended: int = 0
    """How many changes ended in this round."""
    is_overtaxed: bool = False
    """Whether a request was too large or too slow to be answered in this round: smaller ones may do better."""
    halvings: int = 0
    """How often its requests were made smaller."""
    error: ConfigurationError | None = None
    """What must be changed before it takes anything."""
    left: int = 0
    """How many changes were left when that was found."""

    def begin_round(self) -> None:
        """Make requests smaller if they are overtaxing and nothing ends, and larger again if something does."""
        self.halvings = (0 if self.ended else self.halvings) + self.is_overtaxed
        self.ended, self.is_overtaxed = 0, False


@dataclass(slots=True)
class _Work:
    """What is still to be done, and what came of the rest."""

    waiting: dict[Address, Change]
    indices: Mapping[str, _Index]
    conflict_window: int
    tally: Tally
    now: Callable[[], float]
    refused: dict[Address, Refusal] = field(default_factory=dict)
    outrun: dict[Address, Change] = field(default_factory=dict)
    contentions: Counter[Address] = field(default_factory=Counter)
    is_busy: bool = False
    """Whether something must be tried again, after a pause."""
    last_reason: Reason | None = None

    def writes(self, table: Table, deadline: Deadline) -> Iterator[Write]:
        """The contents to apply, then the writes that settle the other keys, as the table is read."""
        settles = []
        for address, change in list(self.waiting.items()):
            if isinstance(change, Settle):
                settles.append(change)
            elif address in self.waiting:
                yield change
        yield from self._settled(self._by_id(settles), table, deadline)

    def _settled(self, by_id: Mapping[str, Sequence[Settle]], table: Table, deadline: Deadline) -> Iterator[Write]:
        def refuse(key: Settle) -> None:
            for settle in by_id[key.id]:
                if settle.address in self.waiting:  # else its index was found to be blocked
                    self._refuse(_delete(settle, settle.highest_own), _UNREADABLE)

        # One read of an item serves all indices. It begins after everything that is known of them was stored.
        for reading in table.read([group[0] for group in by_id.values()], deadline, unreadable=refuse):
            for settle in by_id[reading.id]:
                index = self.indices[settle.index]
                write = settled(settle, reading, index.projection, self.conflict_window)
                if write is None:
                    continue
                if reading.item is not None:
                    index.has_answered |= index.projection.has_answered(reading.item, write.content)
                if settle.address in self.waiting:
                    yield write

    def _by_id(self, settles: Iterable[Settle]) -> dict[str, list[Settle]]:
        """The settles that still wait, by document id; without those that no version is left for."""
        by_id: dict[str, list[Settle]] = {}
        for settle in settles:
            if settle.address in self.waiting:
                if settle.stored >= MAXIMUM:
                    self._refuse(_delete(settle, settle.stored), _EXHAUSTED)
                else:
                    by_id.setdefault(settle.id, []).append(settle)
        return by_id

    def begin_round(self) -> None:
        """Begin a round with what must be tried again."""
        for index in self.indices.values():
            index.begin_round()
        self.is_busy = False

    def take(self, address: Address, change: Change, write: Write, outcome: Outcome) -> None:
        """Act on the outcome of a change's write."""
        index = self.indices[write.index]
        index.has_answered |= index.projection.transform is not None and _is_document(write)
        if outcome.kind is Kind.DONE or outcome.kind is Kind.CONFLICT:
            index.accepted += 1
            index.accepted_contents += write.content is not None
        match outcome.kind:
            case Kind.DONE:
                self._end(address)
                self._count(write, change)
            case Kind.BLOCKED if outcome.error:
                self._block(write.index, outcome.error)
            case Kind.CONTENDED if self._contends(write):
                self.postpone(outcome.reason)
            case Kind.REFUSED | Kind.CONTENDED:
                self._refuse(write, outcome.reason or Reason("refused"), whole=outcome.whole)
            case Kind.LATER:
                self.postpone(outcome.reason)
                # Where queues are full, smaller requests would only be more of them.
                if "rejected_execution_exception" not in str(outcome.reason):
                    index.is_overtaxed = True
            case Kind.CONFLICT if (outcome.stored or 0) >= MAXIMUM:
                self._refuse(write, _EXHAUSTED)
            case Kind.CONFLICT:
                self._take_conflict(address, change, write, outcome)

    def _take_conflict(self, address: Address, change: Change, write: Write, outcome: Outcome) -> None:
        # A conflict never ends a settle: it writes what it read, or reads again.
        match Verdict.SETTLE if isinstance(change, Settle) else self._judge(write, outcome):
            case Verdict.SETTLE:
                self._settle(_settle_of(change), outcome)
            case Verdict.DONE:  # by an earlier attempt, whose answer was lost or whose batch came again
                self._end(address)
                self._count(write, change)
            case Verdict.SUPERSEDED:
                self._end(address)
                self.tally.superseded += 1

    def postpone(self, reason: Reason | None) -> None:
        """Note that something wasn't done, and may work later."""
        self.is_busy, self.last_reason = True, reason

    def refuse_to_drain(self, least_faults: int | None) -> None:
        """Block the indices whose refusals aren't the documents' fault; see ``_reason_to_block``."""
        by_index: dict[str, list[Refusal]] = {}
        for refusal in self.refused.values():
            by_index.setdefault(refusal.write.index, []).append(refusal)
        accepted_anywhere = sum(index.accepted for index in self.indices.values())
        for name, refusals in by_index.items():
            if error := _reason_to_block(refusals, self.indices[name], accepted_anywhere, least_faults):
                self._block(name, error)

    def miss(self, standby: Collection[str]) -> None:
        """Count what the standby indices couldn't take as missed, and forget it."""
        for name in standby:
            index = self.indices[name]
            reasons = [self.last_reason]
            reasons += [refusal.reason for refusal in self.refused.values() if refusal.write.index == name]
            if missed := index.left + self._forget(name):
                self.tally.missed += missed
                self.tally.missed_by[name] = missed, str(index.error or reasons[-1])
            index.left, index.error = 0, None

    def error(self) -> ConfigurationError | None:
        """What must be changed first; None if nothing is blocked."""
        errors = {name: index.error for name, index in self.indices.items() if index.error}
        if len(self.indices) == 1 or not errors:
            return next(iter(errors.values()), None)
        return ConfigurationError("; ".join(f"the index {name}: {error}" for name, error in errors.items()))

    def _block(self, name: str, error: ConfigurationError) -> None:
        """Leave everything of an index undone: until something is changed, nothing more can be said of it."""
        index = self.indices[name]
        index.error = index.error or error
        index.left += self._forget(name)

    def _forget(self, index: str) -> int:
        """Forget what isn't done in an index, and return how much that was."""
        groups: tuple[dict[Address, Any], ...] = (self.refused, self.waiting, self.outrun)
        undone = [(group, address) for group in groups for address in group if address[0] == index]
        for group, address in undone:
            del group[address]
        return len(undone)

    def _end(self, address: Address) -> None:
        del self.waiting[address]
        self.indices[address[0]].ended += 1

    def _refuse(self, write: Write, reason: Reason, *, whole: bool = False) -> None:
        self._end(write.address)
        self.refused[write.address] = Refusal(write, reason, whole)

    def _contends(self, write: Write) -> bool:
        self.contentions[write.address] += 1
        return self.contentions[write.address] < MAXIMUM_CONTENTIONS

    def _judge(self, write: Write, outcome: Outcome) -> Verdict:
        now = self.now()
        self.tally.from_the_future += outcome.stored is not None and is_future(outcome.stored, now)
        return judge_conflict(write.version, outcome.stored, self.conflict_window, now)

    def _settle(self, settle: Settle, outcome: Outcome) -> None:
        settle = replace(settle, stored=max(settle.stored, outcome.stored or 0), conflicts=settle.conflicts + 1)
        self.waiting[settle.address] = settle
        if settle.conflicts > MAXIMUM_CONFLICTS:
            self.outrun[settle.address] = self.waiting.pop(settle.address)
            self.last_reason = Reason("outrun", "other writers kept changing the document")

    def _count(self, write: Write, change: Change) -> None:
        self.tally.settled += isinstance(change, Settle)
        if write.content is None:
            self.tally.deletes += 1
        else:
            self.tally.writes += 1


def _settle_of(change: Change) -> Settle:
    """The settle for a change. Once a key must be settled, it never falls back to applying an image."""
    if isinstance(change, Settle):
        return change
    return Settle(change.index, change.id, change.keys, change.highest_own, change.sequence_number)


def _delete(settle: Settle, version: int) -> Write:
    """A settle that can't be carried out, in the form in which its refusal is reported."""
    return Write(settle.index, settle.id, settle.keys, version, 0, settle.sequence_number, None)


def _is_document(write: Write) -> bool:
    return write.content is not None and not isinstance(write.content, Faulty)


def _reason_to_block(
    refusals: Collection[Refusal], index: _Index, accepted_anywhere: int, least_faults: int | None
) -> ConfigurationError | None:
    """What must be changed, if an index's refusals aren't the documents' fault; None if they may be.

    An index that takes nothing must never drain the stream into dead letters. ``answers`` recognises the known texts of
    such an index; this function catches the others. A reason that names a field or a limit is a document's.

    Args:
        refusals: all refusals of this index in this call of ``converge``.
        accepted_anywhere: how many writes all indices accepted, which share the table and its keys.
        least_faults: see ``converge``.
    """
    if not accepted_anywhere and any(refusal.reason == _UNREADABLE for refusal in refusals):
        return ConfigurationError(
            "DynamoDB refuses to read the keys (ValidationException), and nothing else was written: check that "
            "TABLE_NAME and TABLE_KEYS are the table's, and that its keys have the same types as the records' keys"
        )
    untransformed = [refusal for refusal in refusals if refusal.reason.type == TRANSFORM_ERROR]
    if least_faults is not None and len(untransformed) >= least_faults and not index.has_answered:
        name, reason = index.projection.index, untransformed[0].reason
        return ConfigurationError(
            f"the transform of the index {name} failed for all {len(untransformed)} items ({reason}): correct it, and "
            "publish its layer again"
        )
    unnamed = [refusal for refusal in refusals if not refusal.reason.message]
    types = {refusal.reason.type for refusal in unnamed}
    whole = any(refusal.whole for refusal in unnamed) and not index.accepted
    if whole or (len(unnamed) >= LEAST_REFUSALS and len(types) == 1 and not index.accepted_contents):
        return ConfigurationError(
            f"OpenSearch refused all {len(unnamed)} documents alike ({', '.join(sorted(types))}) and named no field: "
            "the index, or something in front of it, is at fault; check its settings, templates and pipelines, and "
            "index one document by hand to see the whole reason"
        )
    return None
