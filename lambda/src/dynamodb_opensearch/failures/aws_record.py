"""Reads the keys of a failed batch from AWS's own failure record, which Lambda's on-failure destination gets.

In SQS and SNS it holds no stream records, only where they are: they are read as long as the stream has them.

See: https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from dynamodb_opensearch.aws import ask
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ExpiredError, UnusableError
from dynamodb_opensearch.failures.body import read_object

_EMPTY_ANSWERS = 500
"""In a row. A shard that is still open has no end, and a sequence number that isn't in it never comes."""


def keys_of_record(failure: Mapping[str, Any], table_arn: str, streams: Any, deadline: Deadline) -> Iterable[Any]:
    """The keys of all records of the failed batch, in AWS's form.

    Raises:
        UnusableError: the failure is about another table's stream, or hasn't the form that AWS documents.
        ExpiredError: the records are gone from the stream.
        ConfigurationError: the stream can't be read.
        OutOfTimeError: the stream is throttled or out of reach.
    """
    try:
        batch = failure["DDBStreamBatchInfo"]
        stream_arn = batch["streamArn"]
        if not stream_arn.startswith(table_arn + "/stream/"):
            raise UnusableError(f"it is about another table's stream, {stream_arn:.200}")
        if payload := failure.get("payload"):
            event = read_object(payload) if isinstance(payload, str) else payload
            return [record["dynamodb"]["Keys"] for record in event["Records"]]
        start, end = int(batch["startSequenceNumber"]), int(batch["endSequenceNumber"])
        shard = str(batch["shardId"])
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UnusableError("it lacks what AWS documents for an on-failure record") from None
    try:
        return list(_Shard(streams, stream_arn, shard, deadline).keys(start, end))
    except _GoneError:
        raise ExpiredError(
            f"its records are no longer in the stream: run recover --since {_arrival(batch)}, then redrive "
            "--drop-expired"
        ) from None
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UnusableError("its stream's records aren't what AWS documents") from None


class _GoneError(Exception):
    """The stream no longer has the records."""


class _Shard:
    """A shard of the table's stream."""

    def __init__(self, streams: Any, stream_arn: str, shard: str, deadline: Deadline) -> None:
        self._streams, self._stream_arn, self._shard, self._deadline = streams, stream_arn, shard, deadline

    def keys(self, first: int, last: int) -> Iterator[Any]:
        """The keys of all records in the range. It may hold more than the batch did, by filters and other batches."""
        iterator: str | None = self._iterator(first)
        empty = 0
        while iterator and empty < _EMPTY_ANSWERS:
            answer = self._ask("GetRecords", ShardIterator=iterator)
            if answer is None:  # an iterator lives for some minutes, and the stream may be throttled for longer
                iterator = self._iterator(first)
                continue
            empty = 0 if answer["Records"] else empty + 1
            for record in answer["Records"]:
                first = int(record["dynamodb"]["SequenceNumber"])
                if first <= last:
                    yield record["dynamodb"]["Keys"]
                if first >= last:
                    return
            iterator = answer.get("NextShardIterator")
        if iterator:
            raise UnusableError(f"its last record, {last}, isn't in its shard")

    def _iterator(self, number: int) -> str:
        answer = self._ask(
            "GetShardIterator",
            StreamArn=self._stream_arn,
            ShardId=self._shard,
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=str(number),
        )
        if answer is None:
            raise _GoneError
        return str(answer["ShardIterator"])

    def _ask(self, call: str, **request: Any) -> Mapping[str, Any] | None:
        """The answer; None if the iterator has expired."""

        def answer() -> Mapping[str, Any] | None:
            method = self._streams.get_records if call == "GetRecords" else self._streams.get_shard_iterator
            try:
                found: Mapping[str, Any] = method(**request)
            except ParamValidationError:
                raise UnusableError("its shard or its sequence numbers aren't DynamoDB's") from None
            except ClientError as error:
                match error.response["Error"]["Code"]:
                    case "ExpiredIteratorException":
                        return None
                    case "TrimmedDataAccessException" | "ResourceNotFoundException":
                        raise _GoneError from None
                    case "ValidationException":
                        raise UnusableError("its shard or its sequence numbers aren't DynamoDB's") from None
                    case _:
                        raise
            return found

        return ask(answer, self._deadline, call, f"the stream {self._stream_arn}")


def _arrival(batch: Mapping[str, Any]) -> str:
    """When the batch's first record arrived, in the form that ``recover`` takes."""
    first = str(batch.get("approximateArrivalOfFirstRecord"))
    return first if re.fullmatch(r"[0-9TZ:.+-]{10,40}", first) else "its first record's time"
