"""Brings documents up to date: applies, settles, waits and tries again, until all are done or the time is over.

The sync and all jobs write documents through ``converge``; only a repair deletes documents where they are, through
``opensearch.reader``. Nothing is dropped: what is neither written nor refused permanently is reported as unfinished.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Protocol

from dynamodb_opensearch.core.answers import Kind, Outcome
from dynamodb_opensearch.core.changes import Change, Settle, Write
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError
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


class Index(Protocol):
    """What is written to: ``opensearch.bulk.Index``, or a wrapper around it."""

    def write(
        self, writes: Iterable[Write], deadline: Deadline, tally: Tally, halvings: int = 0
    ) -> Iterator[tuple[Write, Outcome]]:
        """See ``opensearch.bulk.Index.write``."""


class Table(Protocol):
    """What is read from: ``dynamodb.table.Table``, or a test's table."""

    def settle(
        self, settles: Iterable[Settle], deadline: Deadline, unreadable: Callable[[Settle], None], /
    ) -> Iterator[Write]:
        """See ``dynamodb.table.Table.settle``."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A write that OpenSearch refuses permanently, and the reason."""

    write: Write
    reason: Reason
    whole: bool = False
    """Whether OpenSearch refused the whole request, although it held only this write."""


@dataclass(frozen=True, slots=True)
class Result:
    """What isn't done, by document id. Everything else is."""

    refused: Mapping[str, Refusal]
    unfinished: Mapping[str, Change]
    last_reason: Reason | None
    """Why the last of the unfinished changes wasn't done, if known."""


def converge(
    changes: Iterable[Change],
    *,
    index: Index,
    table: Table,
    deadline: Deadline,
    conflict_window: int,
    tally: Tally,
    now: Callable[[], float] = time.time,
) -> Result:
    """Write the changes, settle what must be settled, and retry what may work later, as long as the deadline allows.

    Args:
        changes: at most one per document.
        conflict_window: seconds.
        now: epoch seconds; a wrong clock costs reads, and nothing else.

    Raises:
        ConfigurationError: something must be changed first; how much was written by then is unknown. Also if so much
            was refused that the documents can't be at fault.
    """
    work = _Work({change.id: change for change in changes}, conflict_window, tally, now)
    attempt = halvings = 0
    while work.waiting:
        writes = work.writes(table, deadline)
        before = len(work.waiting)
        unanswered = set(work.waiting)
        for write, outcome in index.write(writes, deadline, tally, halvings):
            unanswered.discard(write.id)
            work.take(write, outcome)
        if unanswered & work.waiting.keys():
            work.postpone(Reason("unread", "the table couldn't be read: throttled, out of reach, or no time was left"))
        if work.waiting and work.busy:
            progressed = len(work.waiting) < before
            attempt = 1 if progressed else attempt + 1
            halvings = (0 if progressed else halvings) + work.overtaxed
            work.busy = work.overtaxed = False
            tally.retries += 1
            if not deadline.back_off(attempt):
                break
    _refuse_to_drain(work.refused.values(), accepted=work.accepted, accepted_images=work.accepted_images)
    return Result(work.refused, work.waiting | work.outrun, work.last_reason)


@dataclass(slots=True)
class _Work:
    """What is still to be done, and what came of the rest."""

    waiting: dict[str, Change]
    conflict_window: int
    tally: Tally
    now: Callable[[], float]
    refused: dict[str, Refusal] = field(default_factory=dict)
    outrun: dict[str, Change] = field(default_factory=dict)
    contentions: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    accepted_images: int = 0
    """How many writes, without the deletes, OpenSearch took or refused only because the index holds a newer one."""
    busy: bool = False
    """Whether something must be tried again, after a pause."""
    overtaxed: bool = False
    """Whether a request was too large or too slow to be answered: smaller ones may do better."""
    last_reason: Reason | None = None

    def writes(self, table: Table, deadline: Deadline) -> Iterable[Write]:
        """The images to apply, then the writes that settle the other keys, as the table is read."""
        applied = [change for change in self.waiting.values() if isinstance(change, Write)]
        settles = [change for change in self.waiting.values() if isinstance(change, Settle)]
        for settle in settles:
            if settle.stored >= MAXIMUM:
                self._refuse(Write(settle.id, settle.keys, settle.stored, 0, settle.sequence_number, None), _EXHAUSTED)
        settles = [settle for settle in settles if settle.id in self.waiting]
        return chain(applied, table.settle(settles, deadline, self.unreadable))

    def take(self, write: Write, outcome: Outcome) -> None:
        """Act on one write's outcome."""
        change = self.waiting[write.id]
        if outcome.kind in {Kind.DONE, Kind.CONFLICT}:
            self.accepted += 1
            self.accepted_images += write.image is not None
        match outcome.kind:
            case Kind.DONE:
                del self.waiting[write.id]
                self._count(write, change)
            case Kind.CONTENDED if self._contends(write):
                self.postpone(outcome.reason)
            case Kind.REFUSED | Kind.CONTENDED:
                self._refuse(write, outcome.reason or Reason("refused"), whole=outcome.whole)
            case Kind.LATER:
                self.postpone(outcome.reason)
                # Where queues are full, smaller requests would only be more of them.
                self.overtaxed |= "rejected_execution_exception" not in str(outcome.reason)
            case Kind.CONFLICT if (outcome.stored or 0) >= MAXIMUM:
                self._refuse(write, _EXHAUSTED)
            case Kind.CONFLICT:
                self._take_conflict(write, change, outcome)

    def _take_conflict(self, write: Write, change: Change, outcome: Outcome) -> None:
        # A conflict never ends a settle: it writes what it read, or reads again.
        match Verdict.SETTLE if isinstance(change, Settle) else self._judge(write, outcome):
            case Verdict.SETTLE:
                self._settle(_settle_of(change), outcome)
            case Verdict.DONE:  # by an earlier attempt, whose answer was lost or whose batch came again
                del self.waiting[write.id]
                self._count(write, change)
            case Verdict.SUPERSEDED:
                del self.waiting[write.id]
                self.tally.superseded += 1

    def unreadable(self, settle: Settle) -> None:
        """Refuse a key that DynamoDB refuses to read."""
        self._refuse(Write(settle.id, settle.keys, settle.highest_own, 0, settle.sequence_number, None), _UNREADABLE)

    def postpone(self, reason: Reason | None) -> None:
        """Note that something wasn't done, and may work later."""
        self.busy, self.last_reason = True, reason

    def _refuse(self, write: Write, reason: Reason, *, whole: bool = False) -> None:
        del self.waiting[write.id]
        self.refused[write.id] = Refusal(write, reason, whole)

    def _contends(self, write: Write) -> bool:
        self.contentions[write.id] += 1
        return self.contentions[write.id] < MAXIMUM_CONTENTIONS

    def _judge(self, write: Write, outcome: Outcome) -> Verdict:
        now = self.now()
        self.tally.from_the_future += outcome.stored is not None and is_future(outcome.stored, now)
        return judge_conflict(write.version, outcome.stored, self.conflict_window, now)

    def _settle(self, settle: Settle, outcome: Outcome) -> None:
        settle = replace(settle, stored=max(settle.stored, outcome.stored or 0), conflicts=settle.conflicts + 1)
        self.waiting[settle.id] = settle
        if settle.conflicts > MAXIMUM_CONFLICTS:
            self.outrun[settle.id] = self.waiting.pop(settle.id)
            self.last_reason = Reason("outrun", "other writers kept changing the document")

    def _count(self, write: Write, change: Change) -> None:
        self.tally.settled += isinstance(change, Settle)
        if write.image is None:
            self.tally.deletes += 1
        else:
            self.tally.writes += 1


def _settle_of(change: Change) -> Settle:
    """The settle for a change. Once a key must be settled, it never falls back to applying an image."""
    if isinstance(change, Settle):
        return change
    return Settle(change.id, change.keys, change.highest_own, change.sequence_number)


def _refuse_to_drain(refusals: Collection[Refusal], *, accepted: int, accepted_images: int) -> None:
    """Raise if the refusals aren't the documents' fault. A reason that names a field or a limit is a document's.

    An index that takes nothing must never drain the stream into dead letters. ``answers`` recognises the known texts of
    such an index; this function catches the others.

    Args:
        refusals: all refusals of this call of ``converge``.
        accepted: how many actions OpenSearch carried out, or found to be older than what the index holds.
        accepted_images: how many of them weren't deletes, which pass no pipeline and no index mapping.

    Raises:
        ConfigurationError: the index, or something in front of it, takes nothing.
    """
    if not accepted and any(refusal.reason == _UNREADABLE for refusal in refusals):
        raise ConfigurationError(
            "DynamoDB refuses to read the keys (ValidationException), and nothing else was written: check that "
            "TABLE_NAME and TABLE_KEYS are the table's, and that its keys have the same types as the records' keys"
        )
    unnamed = [refusal for refusal in refusals if not refusal.reason.message]
    types = {refusal.reason.type for refusal in unnamed}
    whole = any(refusal.whole for refusal in unnamed) and not accepted
    if whole or (len(unnamed) >= LEAST_REFUSALS and len(types) == 1 and not accepted_images):
        raise ConfigurationError(
            f"OpenSearch refused all {len(unnamed)} documents alike ({', '.join(sorted(types))}) and named no field: "
            "the index, or something in front of it, is at fault; check its settings, templates and pipelines, and "
            "index one document by hand to see the whole reason"
        )
