"""The sync's handler: takes one batch of stream records from event to answer.

``handle`` reads from top to bottom: decode and coalesce, converge, set aside what is refused, and answer with the first
record that isn't done. Nothing is dropped: a record is done, or delivered as a dead letter, or reported for a retry.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, Protocol

from dynamodb_opensearch import telemetry
from dynamodb_opensearch.core.changes import Batch, coalesce
from dynamodb_opensearch.core.converge import Refusal, Result, converge
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.reasons import Reason
from dynamodb_opensearch.core.records import Undecodable
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.dynamodb import wire
from dynamodb_opensearch.dynamodb.table import DynamoDB, Table
from dynamodb_opensearch.failures import destination
from dynamodb_opensearch.failures.letter import DeadLetter
from dynamodb_opensearch.opensearch.bulk import Limits, Writer
from dynamodb_opensearch.opensearch.client import Client
from dynamodb_opensearch.parameter import with_indices
from dynamodb_opensearch.settings import Settings, read_settings
from dynamodb_opensearch.sources.dynamodb_stream import answer, decode, records_of, refuse_as_a_whole, sequence_number

_LEAST_FAULTS = 2
"""If a transform fails for all items of a batch, it is at fault. Of one alone, the item may be: it is set aside."""


class Context(Protocol):
    """The part of Lambda's context object that is used."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """See https://docs.aws.amazon.com/lambda/latest/dg/python-context.html."""


class SyncFunction:
    """What the function keeps between invocations: settings and connections. Created without I/O."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._logger = telemetry.make_logger(settings.sync_name, settings.log_level)
        self._projections = {projection.index: projection for projection in settings.projections}
        self._standby = [projection.index for projection in settings.projections if projection.standby]
        self._writer = Writer(
            Client(settings),
            settings.projections,
            Limits(settings.bulk_bytes, settings.bulk_actions),
            settings.bulk_connections,
            settings.request_timeout_seconds,
        )
        self._table = Table(_dynamodb, settings.table_name, settings.key_schema)

    def handle(self, event: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """Bring the documents of a batch up to date.

        Args:
            event: ``{"Records": [...]}``, as Lambda delivers records of a DynamoDB stream.

        Returns:
            ``{"batchItemFailures": [...]}`` with the sequence number of the first record that isn't done, if any:
            Lambda retries everything from there on.

        Raises:
            ConfigurationError: something must be changed before anything can work. The whole batch is retried.
        """
        settings, tally = self._settings, Tally()
        deadline = Deadline(context.get_remaining_time_in_millis)
        records: Sequence[Mapping[str, Any]] = []
        self._logger.append_keys(request_id=context.aws_request_id, **_range_of(records))
        try:
            records = records_of(event, settings.table_name)
            self._logger.append_keys(**_range_of(records))
            batch = coalesce(decode(records, settings.key_schema), settings.projections)
            if records and len(batch.undecodable) == len(records):
                refuse_as_a_whole(records, settings.key_schema)
            result = converge(
                batch.changes.values(),
                projections=self._projections,
                writer=self._writer,
                table=self._table,
                deadline=deadline,
                conflict_window=settings.conflict_window_seconds,
                tally=tally,
                standby=self._standby,
                answered=batch.answered,
                least_faults=_LEAST_FAULTS,
            )
        except ConfigurationError as error:
            # Without the stack trace: it would bury the one line that says what to do.
            self._logger.error("configuration error: the batch waits", extra={"error": str(error)})  # noqa: TRY400
            tally.records = tally.unfinished = len(records)
            self._emit(tally, deadline)
            raise
        undone = {batch.first_positions[address] for address in result.unfinished}
        undone |= self._set_aside(self._letters(records, batch, result, undone), context.aws_request_id, tally)
        if result.unfinished:
            self._logger.warning(
                "not done in time: Lambda retries",
                extra={"unfinished": len(result.unfinished), "reason": str(result.last_reason)},
            )
        for index, (documents, reason) in tally.missed_by.items():
            self._logger.warning(
                "a standby index missed documents", extra={"index": index, "documents": documents, "reason": reason}
            )
        if tally.from_the_future:
            self._logger.warning(
                "documents have versions from the future, as another sync may have left them: each of their changes "
                "costs a read of the table, until the index is recreated",
                extra={"documents": tally.from_the_future},
            )
        tally.records = len(records)
        tally.coalesced, tally.dropped, tally.skipped = batch.coalesced, batch.dropped, batch.skipped
        tally.unfinished = len(undone)
        self._emit(tally, deadline, batch.latest_second)
        return answer(records, undone)

    def _emit(self, tally: Tally, deadline: Deadline, latest_second: int = 0) -> None:
        telemetry.emit(
            tally,
            sync_name=self._settings.sync_name,
            latest_second=latest_second,
            remaining_seconds=deadline.remaining_seconds(),
        )

    def _letters(
        self, records: Sequence[Any], batch: Batch, result: Result, undone: Collection[int]
    ) -> list[tuple[int, DeadLetter]]:
        """Return the dead letters before the first undone record, each with its record's position, in order.

        Lambda sends all records from the first undone one on again, and so their letters would come again. If a
        document has several records, the last one counts: it is the one that would come again.
        """
        first_undone = min(undone, default=len(records))
        positions = {sequence_number(record): position for position, record in enumerate(records)}
        letters = [(record.position, record.position, self._letter_of_record(record)) for record in batch.undecodable]
        for address, refusal in result.refused.items():
            first = batch.first_positions[address]
            last = positions.get(refusal.write.sequence_number, first)
            letters.append((first, last, self._letter_of_document(refusal)))
        return [(first, letter) for first, last, letter in sorted(letters, key=itemgetter(0)) if last < first_undone]

    def _set_aside(self, letters: Sequence[tuple[int, DeadLetter]], request_id: str, tally: Tally) -> set[int]:
        """Deliver the dead letters. Return the positions of records whose letter isn't confirmed."""
        if not letters:
            return set()
        undelivered = self._deliver([letter for _, letter in letters], request_id)
        for number, (_, letter) in enumerate(letters):
            known = {"index": letter.index, "reason": str(letter.reason), "sequence_number": letter.sequence_number}
            if number in undelivered:
                self._logger.error(
                    "dead letter not delivered: Lambda retries", extra={**known, "delivery": undelivered[number]}
                )
            else:
                self._logger.error("dead letter", extra=known)
                tally.dead_letters[letter.reason.type] += 1
                if letter.index is not None:
                    tally.dead_letters_of[letter.index] += 1
        return {letters[number][0] for number in undelivered}

    def _deliver(self, letters: Sequence[DeadLetter], request_id: str) -> dict[int, str]:
        arn = self._settings.dead_letter_arn
        if arn is None:
            return dict.fromkeys(range(len(letters)), "DEAD_LETTER_ARN is not set")
        now = datetime.now(UTC)
        return destination.connect(arn).deliver([letter.to_json(now) for letter in letters], request_id)

    def _letter_of_document(self, refusal: Refusal) -> DeadLetter:
        return DeadLetter.of(refusal.write, refusal.reason, self._settings.table_name)

    def _letter_of_record(self, record: Undecodable) -> DeadLetter:
        return DeadLetter(
            table=self._settings.table_name,
            keys=record.keys,
            index=None,
            id=None,
            action=None,
            version=None,
            sequence_number=record.sequence_number,
            reason=Reason("undecodable", record.reason),
        )


def _range_of(records: Sequence[Any]) -> dict[str, Any]:
    """Return the batch's range in the stream, for the log."""
    return {
        "records": len(records),
        "first_sequence_number": sequence_number(records[0]) if records else None,
        "last_sequence_number": sequence_number(records[-1]) if records else None,
    }


def _dynamodb() -> DynamoDB:
    client: DynamoDB = wire.connect(connections=10, read_timeout_seconds=10)
    return client


_function = SyncFunction(read_settings(with_indices(os.environ)))
handler = _function.handle
