"""Takes failures from a queue or bucket and settles their keys: what is done is deleted, the rest kept with a reason.

The source is an SQS queue, which may subscribe to an SNS topic, or an S3 bucket, where failure records hold the whole
event. A failure is deleted only after its keys are settled, or after what remains of it has been put back.
"""

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3

from dynamodb_opensearch.aws import ASKED_ONCE, briefly
from dynamodb_opensearch.core.changes import Address, Settle
from dynamodb_opensearch.core.converge import Refusal
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import (
    ConfigurationError,
    ExpiredError,
    KeylessError,
    OutOfTimeError,
    UnusableError,
)
from dynamodb_opensearch.core.items import Item
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.failures.bucket import Bucket
from dynamodb_opensearch.failures.letter import DeadLetter
from dynamodb_opensearch.failures.queue import Batch, Message, Queue
from dynamodb_opensearch.failures.reader import FailureReader
from dynamodb_opensearch.jobs.fill import finding, finish
from dynamodb_opensearch.jobs.job import Step
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.unit import Unit, Whole

_ROUNDS = 10
"""How often all messages that are left in a queue may show up again without a fresh one, before the run ends."""


@dataclass(frozen=True, slots=True)
class Redrive:
    """Redrives all failures of a queue or bucket."""

    source: str
    """The ARN of an SQS queue or S3 bucket."""
    drop_expired: bool = False
    """Whether to delete failures whose records are gone from the stream. Recover their time first."""
    drop_keyless: bool = False
    """Whether to delete failures that hold no key of the table. Run ``verify`` first."""

    def plan(self, sync: Sync) -> Sequence[Unit]:
        """One unit for a queue; for a bucket, one for each object.

        Raises:
            ConfigurationError: the source is neither a queue nor a bucket, or can't be read.
            OutOfTimeError: it couldn't be reached for some seconds.
        """
        del sync
        match self.source.split(":")[2:3]:
            case ["sqs"]:
                Queue(self.source).check()
                return [Whole("messages")]
            case ["s3"]:
                return list(map(Whole, Bucket(self.source).keys()))
            case ["sns"]:
                raise ConfigurationError(
                    f"the source {self.source!r} is a topic and keeps nothing: give the ARN of a queue that subscribes"
                )
            case _:
                raise ConfigurationError(f"the source {self.source!r}: it must be the ARN of an SQS queue or S3 bucket")

    def run(self, sync: Sync, unit: Unit, position: Any) -> Iterator[Step]:
        """Yield a step for each handful of failures. See ``job.Job.run``.

        A queue's position is the run's name, when the run began, and how many failures it took.
        """
        settler = _Settler(sync, drop_expired=self.drop_expired, drop_keyless=self.drop_keyless)
        if self.source.split(":")[2] == "s3":
            yield _redrive_object(Bucket(self.source), str(unit), settler, sync.deadline())
        else:
            name, began_ms, taken = position or (str(uuid.uuid4()), None, 0)
            yield from _QueueRun(Queue(self.source), settler, name, began_ms, taken).steps(sync)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What became of one failure. Empty: all of its keys are settled."""

    refused: Sequence[Refusal] = ()
    problem: str | None = None
    """Why the failure couldn't be used at all."""


class _Settler:
    """Settles the keys of failures."""

    def __init__(self, sync: Sync, *, drop_expired: bool, drop_keyless: bool) -> None:
        self._sync = sync
        self._dropped = tuple(
            kind for kind, is_dropped in ((ExpiredError, drop_expired), (KeylessError, drop_keyless)) if is_dropped
        )
        self._reader = FailureReader(
            sync.table_arn,
            sync.settings.table_name,
            sync.projections,
            bool(sync.settings.unselected),
            sync.settings.key_schema,
            sync.key_types,
            boto3.client("dynamodbstreams", config=ASKED_ONCE),
        )

    def settle(self, bodies: Sequence[str | bytes], deadline: Deadline) -> list[_Verdict]:
        """Return a verdict for each failure. A key that several failures hold is settled once.

        Raises:
            ConfigurationError, OutOfTimeError: nothing may be deleted.
        """
        wanted: list[dict[Address, Item] | str] = [self._keys(body, deadline) for body in bodies]
        settles = {
            address: Settle(*address, keys)
            for found in wanted
            if isinstance(found, dict)
            for address, keys in found.items()
        }
        refusals = finish(self._sync, list(settles.values()), deadline, Tally())
        refused = {refusal.write.address: refusal for refusal in refusals}
        return [
            _Verdict(problem=found)
            if isinstance(found, str)
            else _Verdict(refused=[refused[address] for address in found if address in refused])
            for found in wanted
        ]

    def letter(self, refusal: Refusal) -> str:
        """Return a new dead letter, with the new reason."""
        letter = DeadLetter.of(refusal.write, refusal.reason, self._sync.settings.table_name)
        return letter.to_json(datetime.now(UTC))

    def _keys(self, body: str | bytes, deadline: Deadline) -> dict[Address, Item] | str:
        try:
            return self._reader.keys_of(body, deadline)
        except self._dropped:
            return {}
        except UnusableError as error:
            return str(error)


class _QueueRun:
    """One run through a queue, until it holds only messages that are left there."""

    def __init__(self, queue: Queue, settler: _Settler, name: str, began_ms: int | None, taken: int) -> None:
        self._queue, self._settler = queue, settler
        self._name, self._began_ms, self._taken = name, began_ms, taken
        self._left: dict[str, Message] = {}
        """By their ids: the messages that stay, and those that aren't done yet."""
        self._put_ms: dict[bytes, int] = {}
        """Digest of a failure -> when this run put it back: once for all equal ones, or they would multiply."""

    def steps(self, sync: Sync) -> Iterator[Step]:
        """Yield a step for each handful of messages."""
        repeated = 0
        try:
            # Messages that are left show up again after their visibility timeout, in any order, between fresh ones.
            while repeated <= _ROUNDS * len(self._left):
                batch = self._queue.receive(sync.deadline())
                if not batch.messages:
                    break
                repeated = repeated + len(batch.messages) if batch.ids <= self._left.keys() else 0
                counts, findings = self._redrive(batch)
                self._taken += counts["failures"]
                yield Step([self._name, self._began_ms, self._taken], counts, findings)
        finally:
            with suppress(OutOfTimeError):  # SQS shows them by itself before long
                self._queue.release(self._left.values(), briefly())
        yield Step(None)

    def _redrive(self, batch: Batch) -> tuple[Counter[str], list[dict[str, Any]]]:
        self._began_ms = began_ms = self._began_ms or batch.next_second_ms
        fresh = [
            message
            for message in batch.messages
            if message.id not in self._left and not message.is_later(self._name, began_ms)
        ]
        self._left.update({message.id: message for message in batch.messages})
        verdicts = self._settler.settle([message.body for message in fresh], batch.deadline)
        if not batch.is_ours:  # the machine slept: they show up again
            for message in fresh:
                del self._left[message.id]
            return Counter(), []
        for message, verdict in zip(fresh, verdicts, strict=True):
            if self._is_kept(message, verdict, batch.deadline):
                self._queue.delete(message, batch.deadline)
                del self._left[message.id]
        return _summary(verdicts, [f"message {message.id}" for message in fresh])

    def _is_kept(self, message: Message, verdict: _Verdict, deadline: Deadline) -> bool:
        """Put what is left of a message back into the queue. Return whether all of it is there."""
        for refusal in verdict.refused:
            digest = _digest(f"document {refusal.write.index} {refusal.write.id}")
            if not self._is_there(digest, message):
                letter = self._settler.letter(refusal)
                self._put_ms[digest] = self._queue.put_letter(letter, self._name, deadline)
        if verdict.problem and not self._is_there(digest := _digest(f"message {message.body}"), message):
            put_ms = self._queue.put_back(message, self._name, verdict.problem, deadline)
            if put_ms is None:
                return False
            self._put_ms[digest] = put_ms
        return True

    def _is_there(self, digest: bytes, message: Message) -> bool:
        """Whether this run has put an equal one back since. A later message may be another run's copy."""
        return message.sent_ms < self._put_ms.get(digest, 0)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _redrive_object(bucket: Bucket, key: str, settler: _Settler, deadline: Deadline) -> Step:
    place = bucket.place(key)
    try:
        bodies = bucket.failures(key, deadline)
    except UnusableError as error:
        return Step(None, *_summary([_Verdict(problem=str(error))], [place]))
    verdicts = settler.settle(bodies, deadline)
    refused = {refusal.write.address: refusal for verdict in verdicts for refusal in verdict.refused}
    kept = [settler.letter(refusal).encode() for refusal in refused.values()]
    kept += [body for body, verdict in zip(bodies, verdicts, strict=True) if verdict.problem]
    if kept != bodies:
        bucket.replace(key, kept, deadline)
    return Step(None, *_summary(verdicts, [f"{place}, line {number}" for number in range(1, len(bodies) + 1)]))


def _summary(verdicts: Sequence[_Verdict], places: Sequence[str]) -> tuple[Counter[str], list[dict[str, Any]]]:
    """Return the counts, where ``failures`` = ``redriven`` + ``kept``; and what is kept, with its reason."""
    kept = [verdict for verdict in verdicts if verdict.problem or verdict.refused]
    findings: list[dict[str, Any]] = [
        {"kind": "kept", "reason": f"{place}: {verdict.problem}"}
        for place, verdict in zip(places, verdicts, strict=True)
        if verdict.problem
    ]
    findings += [finding(refusal) for verdict in kept for refusal in verdict.refused]
    return Counter(failures=len(verdicts), redriven=len(verdicts) - len(kept), kept=len(kept)), findings
