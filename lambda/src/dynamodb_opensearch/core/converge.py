"""Brings documents up to date: applies, settles, waits and tries again, until all are done or the time is over.

The sync and all jobs write documents through ``converge``; only a repair deletes documents where they are, through
``opensearch.reader``. Nothing is dropped: what is neither written nor refused permanently is reported as unfinished.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
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
    least_faults: int = LEAST_REFUSALS,
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
        least_faults: if a transform fails for so many items of an index, and for all, the transform is at fault.
        now: epoch seconds; a wrong clock costs reads, and nothing else.

    Raises:
        ConfigurationError: something must be changed first; how much was written by then is unknown. Also if an index
            refused so much that the documents can't be at fault.
    """
    waiting = {change.address: change for change in changes}
    work = _Work(waiting, projections, conflict_window, tally, now, answered=set(answered))
    attempt = 0
    while work.waiting:
        before = len(work.waiting)
        unanswered = set(work.waiting)
        for write, outcome in writer.write(work.writes(table, deadline), deadline, tally, work.halvings):
            unanswered.discard(write.address)
            if write.address in work.waiting:  # else its index was found to be blocked
                work.take(write, outcome)
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
class _Work:
    """What is still to be done, and what came of the rest."""

    waiting: dict[Address, Change]
    projections: Mapping[str, Projection]
    conflict_window: int
    tally: Tally
    now: Callable[[], float]
    refused: dict[Address, Refusal] = field(default_factory=dict)
    outrun: dict[Address, Change] = field(default_factory=dict)
    blocked: dict[str, ConfigurationError] = field(default_factory=dict)
    """Index -> what must be changed before it takes anything."""
    left: Counter[str] = field(default_factory=Counter)
    """Index -> how many changes were left when it was found to be blocked."""
    contentions: Counter[Address] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    """Index -> how many writes OpenSearch took, or refused only because the index holds a newer one."""
    accepted_contents: Counter[str] = field(default_factory=Counter)
    """The same without the deletes."""
    answered: set[str] = field(default_factory=set)
    """Indices whose transform made a document of some item, or said that there is none."""
    halvings: Counter[str] = field(default_factory=Counter)
    """Index -> how often its requests were made smaller, because one was too large or too slow to be answered."""
    done: Counter[str] = field(default_factory=Counter)
    """Index -> how many changes ended in this round."""
    overtaxed: set[str] = field(default_factory=set)
    """Indices whose requests were too large or too slow in this round."""
    is_busy: bool = False
    """Whether something must be tried again, after a pause."""
    last_reason: Reason | None = None

    def writes(self, table: Table, deadline: Deadline) -> Iterator[Write]:
        """The contents to apply, then the writes that settle the other keys, as the table is read."""
        changes = list(self.waiting.values())
        for change in changes:
            if isinstance(change, Write) and change.address in self.waiting:
                yield change
        settles = self._settles(changes)

        def refuse(key: Settle) -> None:
            for settle in settles[key.id]:
                if settle.address in self.waiting:  # else its index was found to be blocked
                    self._refuse(_delete(settle, settle.highest_own), _UNREADABLE)

        # One read of an item serves all indices. It begins after everything that is known of them was stored.
        for reading in table.read([group[0] for group in settles.values()], deadline, unreadable=refuse):
            for settle in settles[reading.id]:
                projection = self.projections[settle.index]
                write = settled(settle, reading, projection, self.conflict_window)
                if write and reading.item is not None and projection.has_answered(reading.item, write.content):
                    self.answered.add(settle.index)
                if write is not None and settle.address in self.waiting:
                    yield write

    def _settles(self, changes: Iterable[Change]) -> dict[str, list[Settle]]:
        """The settles that still wait, by document id; without those that no version is left for."""
        settles: dict[str, list[Settle]] = {}
        for change in changes:
            if isinstance(change, Settle) and change.address in self.waiting:
                if change.stored >= MAXIMUM:
                    self._refuse(_delete(change, change.stored), _EXHAUSTED)
                else:
                    settles.setdefault(change.id, []).append(change)
        return settles

    def begin_round(self) -> None:
        """Make the requests smaller for an index that is overtaxed and doesn't get on, larger for one that does."""
        for index in {*self.halvings, *self.overtaxed}:
            self.halvings[index] = (0 if self.done[index] else self.halvings[index]) + (index in self.overtaxed)
        self.done.clear()
        self.overtaxed.clear()
        self.is_busy = False

    def take(self, write: Write, outcome: Outcome) -> None:
        """Act on one write's outcome."""
        change = self.waiting[write.address]
        self._note(write, outcome)
        match outcome.kind:
            case Kind.DONE:
                self._end(write)
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
                    self.overtaxed.add(write.index)
            case Kind.CONFLICT if (outcome.stored or 0) >= MAXIMUM:
                self._refuse(write, _EXHAUSTED)
            case Kind.CONFLICT:
                self._take_conflict(write, change, outcome)

    def _note(self, write: Write, outcome: Outcome) -> None:
        """Note what the outcome says about the index as a whole."""
        has_content = write.content is not None
        if has_content and not isinstance(write.content, Faulty):
            self.answered.add(write.index)
        if outcome.kind in {Kind.DONE, Kind.CONFLICT}:
            self.accepted[write.index] += 1
            self.accepted_contents[write.index] += has_content

    def _take_conflict(self, write: Write, change: Change, outcome: Outcome) -> None:
        # A conflict never ends a settle: it writes what it read, or reads again.
        match Verdict.SETTLE if isinstance(change, Settle) else self._judge(write, outcome):
            case Verdict.SETTLE:
                self._settle(_settle_of(change), outcome)
            case Verdict.DONE:  # by an earlier attempt, whose answer was lost or whose batch came again
                self._end(write)
                self._count(write, change)
            case Verdict.SUPERSEDED:
                self._end(write)
                self.tally.superseded += 1

    def postpone(self, reason: Reason | None) -> None:
        """Note that something wasn't done, and may work later."""
        self.is_busy, self.last_reason = True, reason

    def refuse_to_drain(self, least_faults: int) -> None:
        """Block the indices whose refusals aren't the documents' fault; see ``_reason_to_block``."""
        by_index: dict[str, list[Refusal]] = {}
        for refusal in self.refused.values():
            by_index.setdefault(refusal.write.index, []).append(refusal)
        for index, refusals in by_index.items():
            error = _reason_to_block(
                refusals,
                accepted=self.accepted[index],
                accepted_anywhere=self.accepted.total(),
                accepted_contents=self.accepted_contents[index],
                has_answered=index in self.answered,
                least_faults=least_faults,
            )
            if error:
                self._block(index, error)

    def miss(self, standby: Collection[str]) -> None:
        """Count what the standby indices couldn't take as missed, and forget it."""
        for index in standby:
            self.tally.missed += self.left.pop(index, 0) + self._forget(index)
            self.blocked.pop(index, None)

    def error(self) -> ConfigurationError | None:
        """What must be changed first; None if nothing is blocked."""
        for index, error in self.blocked.items():
            return error if len(self.projections) == 1 else ConfigurationError(f"the index {index}: {error}")
        return None

    def _block(self, index: str, error: ConfigurationError) -> None:
        """Leave everything of an index undone: until something is changed, nothing more can be said of it."""
        self.blocked.setdefault(index, error)
        self.left[index] += self._forget(index)

    def _forget(self, index: str) -> int:
        """Forget what isn't done in an index, and return how much that was."""
        groups: tuple[dict[Address, Any], ...] = (self.refused, self.waiting, self.outrun)
        undone = [(group, address) for group in groups for address in group if address[0] == index]
        for group, address in undone:
            del group[address]
        return len(undone)

    def _end(self, write: Write) -> None:
        del self.waiting[write.address]
        self.done[write.index] += 1

    def _refuse(self, write: Write, reason: Reason, *, whole: bool = False) -> None:
        self._end(write)
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


def _reason_to_block(
    refusals: Collection[Refusal],
    *,
    accepted: int,
    accepted_anywhere: int,
    accepted_contents: int,
    has_answered: bool,
    least_faults: int,
) -> ConfigurationError | None:
    """What must be changed, if an index's refusals aren't the documents' fault; None if they may be.

    An index that takes nothing must never drain the stream into dead letters. ``answers`` recognises the known texts of
    such an index; this function catches the others. A reason that names a field or a limit is a document's.

    Args:
        refusals: all refusals of this index in this call of ``converge``.
        accepted: how many actions OpenSearch carried out, or found to be older than what the index holds.
        accepted_anywhere: the same for all indices, which share the table and its keys.
        accepted_contents: how many of this index's weren't deletes, which pass no pipeline and no index mapping.
        has_answered: whether the index's transform works for some item.
        least_faults: see ``converge``.
    """
    if not accepted_anywhere and any(refusal.reason == _UNREADABLE for refusal in refusals):
        return ConfigurationError(
            "DynamoDB refuses to read the keys (ValidationException), and nothing else was written: check that "
            "TABLE_NAME and TABLE_KEYS are the table's, and that its keys have the same types as the records' keys"
        )
    untransformed = [refusal for refusal in refusals if refusal.reason.type == TRANSFORM_ERROR]
    if len(untransformed) >= least_faults and not has_answered:
        index, reason = untransformed[0].write.index, untransformed[0].reason
        return ConfigurationError(
            f"the transform of the index {index} failed for all {len(untransformed)} items ({reason}): correct it, and "
            "publish its layer again"
        )
    unnamed = [refusal for refusal in refusals if not refusal.reason.message]
    types = {refusal.reason.type for refusal in unnamed}
    whole = any(refusal.whole for refusal in unnamed) and not accepted
    if whole or (len(unnamed) >= LEAST_REFUSALS and len(types) == 1 and not accepted_contents):
        return ConfigurationError(
            f"OpenSearch refused all {len(unnamed)} documents alike ({', '.join(sorted(types))}) and named no field: "
            "the index, or something in front of it, is at fault; check its settings, templates and pipelines, and "
            "index one document by hand to see the whole reason"
        )
    return None
