"""What a failure says: which keys must be settled. Reads our dead letters and AWS's own on-failure records.

AWS's records in SQS and SNS hold no stream records, only where those are; that is followed while the stream has them.

See: https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from dynamodb_opensearch.deadline import Deadline
from dynamodb_opensearch.errors import SyncError, UndecodableError
from dynamodb_opensearch.items import Item, binary
from dynamodb_opensearch.jobs.pair import Pair, ask

_EMPTY_ANSWERS = 500
"""In a row: a shard that is still open has no end, and a sequence number that isn't there never comes."""
_KEY_BYTES = (2048, 1024)  # of a partition key, of a sort key


class UnusableError(SyncError):
    """A failure that can't be redriven; the message says why, and what to do instead."""


class ExpiredError(UnusableError):
    """It points to stream records that are gone."""


class KeylessError(UnusableError):
    """It is this pair's, and tells no key that the table could hold."""


def keys_of_failure(body: str | bytes, pair: Pair, streams: Any, deadline: Deadline) -> dict[str, Item]:
    """Document id -> primary key, of all that a failure is about.

    Args:
        body: a message's, an object's, or a line of one.
        streams: boto3's DynamoDB Streams client.

    Raises:
        UnusableError: it's no failure of this pair, or tells no keys.
        ConfigurationError: the stream can't be read.
        OutOfTimeError: it is throttled or out of reach.
    """
    failure = _object(body)
    if failure.get("Type") == "Notification" and "Message" in failure:  # SNS's envelope
        failure = _object(failure["Message"])
    if "reason" in failure and "keys" in failure:
        return _by_id([_key_of_letter(failure, pair)], pair)
    if "DDBStreamBatchInfo" in failure:
        return _by_id(_keys_of_batch(failure, pair, streams, deadline), pair)
    raise UnusableError("it is neither a dead letter of ours nor an on-failure record of AWS's for a DynamoDB stream")


def _key_of_letter(letter: Mapping[str, Any], pair: Pair) -> Any:
    table, index = letter.get("table"), letter.get("index")
    name = pair.table_arn.rpartition("/")[2]
    if table not in [pair.table_arn, name, pair.settings.table_name]:
        raise UnusableError(f"it is of another table, {table!r:.200}")
    if index not in [None, pair.settings.index]:
        raise UnusableError(f"it is of another index, {index!r:.200}")
    if letter["keys"] is None:
        raise KeylessError(f"the record's keys couldn't be read; {_WITHOUT_KEYS}")
    return letter["keys"]


_WITHOUT_KEYS = "verify tells what is missing; after that, redrive --drop-keyless deletes it"


def _keys_of_batch(failure: Mapping[str, Any], pair: Pair, streams: Any, deadline: Deadline) -> Iterable[Any]:
    try:
        batch = failure["DDBStreamBatchInfo"]
        stream_arn = batch["streamArn"]
        if not stream_arn.startswith(pair.table_arn + "/stream/"):
            raise UnusableError(f"it is of another table's stream, {stream_arn:.200}")
        if payload := failure.get("payload"):
            event = _object(payload) if isinstance(payload, str) else payload
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
    """The stream has no such records any more."""


class _Shard:
    """A shard of the table's stream."""

    def __init__(self, streams: Any, stream_arn: str, shard: str, deadline: Deadline) -> None:
        self._streams, self._stream_arn, self._shard, self._deadline = streams, stream_arn, shard, deadline

    def keys(self, first: int, last: int) -> Iterator[Any]:
        """Keys of all records of the range; filters and other batches left more in it."""
        iterator: str | None = self._iterator(first)
        empty = 0
        while iterator and empty < _EMPTY_ANSWERS:
            answer = self._ask("GetRecords", ShardIterator=iterator)
            if answer is None:  # an iterator lives for some minutes, and the stream may have been throttled for longer
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
        """The answer; None: the iterator has expired."""

        def answer() -> Mapping[str, Any] | None:
            method = self._streams.get_records if call == "GetRecords" else self._streams.get_shard_iterator
            try:
                found: Mapping[str, Any] = method(**request)
            except ParamValidationError:
                raise UnusableError("its shard or its sequence numbers aren't ones of DynamoDB's") from None
            except ClientError as error:
                match error.response["Error"]["Code"]:
                    case "ExpiredIteratorException":
                        return None
                    case "TrimmedDataAccessException" | "ResourceNotFoundException":
                        raise _GoneError from None
                    case "ValidationException":
                        raise UnusableError("its shard or its sequence numbers aren't ones of DynamoDB's") from None
                    case _:
                        raise
            return found

        return ask(answer, self._deadline, call, f"the stream {self._stream_arn}")


def _arrival(batch: Mapping[str, Any]) -> str:
    """When its first record came, as ``recover`` takes it."""
    first = str(batch.get("approximateArrivalOfFirstRecord"))
    return first if re.fullmatch(r"[0-9TZ:.+-]{10,40}", first) else "its first record's time"


def _by_id(keys: Iterable[Any], pair: Pair) -> dict[str, Item]:
    schema = pair.settings.key_schema
    found: dict[str, Item] = {}
    for one in keys:
        try:
            document_id = schema.id_of(one) if _may_be_key(one, pair.key_types) else None
        except (AttributeError, TypeError, UndecodableError, ValueError):
            document_id = None
        if document_id is None:
            types = ", ".join(f"{name} ({kind})" for name, kind in pair.key_types.items())
            raise KeylessError(f"its keys aren't this table's, {types}; {_WITHOUT_KEYS}")
        found[document_id] = one
    return found


def _may_be_key(keys: Any, types: Mapping[str, str]) -> bool:
    """Whether DynamoDB would take it: it refuses a whole request for one that it doesn't."""
    if keys.keys() != types.keys():
        return False
    for (name, kind), most in zip(types.items(), _KEY_BYTES, strict=False):
        [(tag, value)] = keys[name].items()
        content = value.encode() if tag in "SN" else binary(value)  # half a character can't be encoded
        if tag != kind or not 0 < len(content) <= most:
            return False
    return True


def _object(text: Any) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except UnicodeDecodeError:
        compressed = isinstance(text, bytes) and text.startswith(b"\x1f\x8b")
        raise UnusableError("it is compressed" if compressed else "it isn't UTF-8") from None
    except (RecursionError, TypeError, ValueError):
        value = None
    if not isinstance(value, dict):
        raise UnusableError("it isn't a JSON object")
    return value
