"""What a failure says: which keys must be settled. Reads our dead letters and AWS's own on-failure records.

AWS's records in SQS and SNS hold no stream records, only where those are; that is followed while the stream has them.

See: https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_opensearch.errors import ConfigurationError, SyncError, UndecodableError
from dynamodb_opensearch.items import Item
from dynamodb_opensearch.jobs.pair import Pair, aws_error


class UnusableError(SyncError):
    """A failure that can't be redriven; the message says why, and what to do instead."""


class ExpiredError(UnusableError):
    """It points to stream records that are gone."""


def keys_of_failure(body: str, pair: Pair, streams: Any) -> dict[str, Item]:
    """Document id -> primary key, of all that a failure is about.

    Args:
        body: a message's, an object's, or a line of one.
        streams: boto3's DynamoDB Streams client.

    Raises:
        UnusableError: it's no failure of this pair, or tells no keys.
        ConfigurationError: the stream can't be read.
    """
    failure = _object(body)
    if failure.get("Type") == "Notification" and "Message" in failure:  # SNS's envelope
        failure = _object(failure["Message"])
    if "reason" in failure and "keys" in failure:
        _check_letter(failure, pair)
        return _by_id([failure["keys"]], pair)
    if "DDBStreamBatchInfo" in failure:
        return _by_id(_keys_of_batch(failure, pair, streams), pair)
    raise UnusableError("it is neither a dead letter of ours nor an on-failure record of AWS's for a DynamoDB stream")


def _check_letter(letter: Mapping[str, Any], pair: Pair) -> None:
    table, index = letter.get("table"), letter.get("index")
    name = pair.table_arn.rpartition("/")[2]
    if table not in {pair.table_arn, name, pair.settings.table_name}:
        raise UnusableError(f"it is of another table, {table!r}")
    if index not in {None, pair.settings.index}:
        raise UnusableError(f"it is of another index, {index!r}")
    if letter["keys"] is None:
        raise UnusableError("the record's keys couldn't be read: verify tells what is missing")


def _keys_of_batch(failure: Mapping[str, Any], pair: Pair, streams: Any) -> Iterator[Item]:
    try:
        batch = failure["DDBStreamBatchInfo"]
        stream_arn = batch["streamArn"]
        if not stream_arn.startswith(pair.table_arn + "/stream/"):
            raise UnusableError(f"it is of another table's stream, {stream_arn}")
        if payload := failure.get("payload"):
            event = _object(payload) if isinstance(payload, str) else payload
            yield from (record["dynamodb"]["Keys"] for record in event["Records"])
        else:
            yield from _keys_in_stream(batch, streams)
    except (AttributeError, KeyError, TypeError):
        raise UnusableError("it lacks what AWS documents for an on-failure record") from None


def _keys_in_stream(batch: Mapping[str, Any], streams: Any) -> Iterator[Item]:
    """Keys of all records from the first to the last of the range; filters and other batches left more in it."""
    arn, shard, last = batch["streamArn"], batch["shardId"], int(batch["endSequenceNumber"])
    try:
        iterator = streams.get_shard_iterator(
            StreamArn=arn,
            ShardId=shard,
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=batch["startSequenceNumber"],
        )["ShardIterator"]
        while iterator:
            answer = streams.get_records(ShardIterator=iterator)
            for record in answer["Records"]:
                if int(record["dynamodb"]["SequenceNumber"]) > last:
                    return
                yield record["dynamodb"]["Keys"]
                if int(record["dynamodb"]["SequenceNumber"]) == last:
                    return
            iterator = answer.get("NextShardIterator")
    except ClientError as error:
        if error.response["Error"]["Code"] in {"TrimmedDataAccessException", "ResourceNotFoundException"}:
            first = batch.get("approximateArrivalOfFirstRecord", "its first record's time")
            raise ExpiredError(
                f"its records are no longer in the stream: run recover --since {first}, then redrive --drop-expired"
            ) from None
        raise aws_error(error, error.operation_name, f"the stream {arn}") from None
    except BotoCoreError as error:
        raise aws_error(error, "GetRecords", f"the stream {arn}") from None


def _by_id(keys: Iterator[Item] | list[Item], pair: Pair) -> dict[str, Item]:
    schema = pair.settings.key_schema
    found = {}
    for one in keys:
        try:
            schema.check(one)
            found[schema.id_of(one)] = one
        except (AttributeError, ConfigurationError, TypeError, UndecodableError):
            raise UnusableError(f"its keys aren't this table's, {', '.join(schema.names)}") from None
    return found


def _object(text: Any) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (TypeError, ValueError):
        value = None
    if not isinstance(value, dict):
        raise UnusableError("it isn't a JSON object")
    return value
