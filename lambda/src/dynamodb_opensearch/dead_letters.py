"""Dead letters: documents set aside for good, with keys and reason, never content. A settle of the keys redeems one.

What isn't confirmed as delivered counts as not delivered, so that Lambda retries its record.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_opensearch.aws import code_of
from dynamodb_opensearch.changes import Write
from dynamodb_opensearch.items import Item
from dynamodb_opensearch.reasons import Reason

PREFIX = "dead-letters/"
"""Of the objects in a bucket."""
_ENTRIES = 10  # of one SendMessageBatch or PublishBatch
_BATCH_BYTES = 256 * 1024  # of one such batch, all messages together
_MESSAGE_CHARACTERS = 1000  # of a reason: it may be cut, the keys never


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One document that OpenSearch refuses, or one record that can't be decoded: that has no ``id`` and ``index``."""

    table: str
    keys: Item | None
    index: str | None
    id: str | None
    action: str | None
    version: int | None
    sequence_number: str | None
    reason: Reason

    @classmethod
    def of(cls, write: Write, reason: Reason, table: str, index: str) -> "DeadLetter":
        """The letter of a write that OpenSearch refuses."""
        return cls(
            table=table,
            keys=write.keys,
            index=index,
            id=write.id,
            action="delete" if write.image is None else "index",
            version=write.version,
            sequence_number=write.sequence_number,
            reason=reason,
        )

    def to_json(self, at: datetime) -> str:
        """The contract's form; ``keys`` are DynamoDB JSON."""
        return json.dumps(
            {
                "kind": "record" if self.id is None else "document",
                "table": self.table,
                "keys": None if self.keys is None else as_json(self.keys),
                "index": self.index,
                "id": self.id,
                "action": self.action,
                "version": self.version,
                "sequenceNumber": self.sequence_number,
                "reason": {"type": self.reason.type, "message": self.reason.message[:_MESSAGE_CHARACTERS]},
                "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            },
            separators=(",", ":"),
        )


def as_json(keys: Item) -> dict[str, Any]:
    """DynamoDB JSON that JSON can hold: binary of the SDK's shape becomes base64 text."""
    return {
        name: {tag: base64.b64encode(one).decode() if isinstance(one, bytes) else one for tag, one in value.items()}
        for name, value in keys.items()
    }


class Destination(Protocol):
    """Where dead letters go."""

    def deliver(self, messages: Sequence[str], name: str) -> dict[int, str]:
        """Deliver in order; return the positions of those that aren't confirmed, and AWS's word why.

        After one that isn't confirmed no more need be sent: its record comes again, and theirs with it.

        Args:
            name: unique to the invocation.
        """


@cache
def connect(arn: str) -> Destination:
    """The destination that an SQS, SNS or S3 ARN names. Does no I/O."""
    service = arn.split(":")[2]
    config = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    match service:
        case "sqs":
            return Queue(boto3.client("sqs", region_name=arn.split(":")[3], config=config), arn)
        case "sns":
            return Topic(boto3.client("sns", region_name=arn.split(":")[3], config=config), arn)
        case _:
            return Bucket(boto3.client("s3", config=config), arn.rsplit(":", 1)[1])


class Queue:
    """An SQS queue."""

    def __init__(self, client: Any, arn: str) -> None:
        _, _, _, _, account, name = arn.split(":")
        self._client = client
        # As AWS documents it; asking for it would need one more right and one more call.
        self._url = f"{client.meta.endpoint_url}/{account}/{name}"

    def deliver(self, messages: Sequence[str], name: str) -> dict[int, str]:
        """See ``Destination``."""
        del name
        return _deliver_batches(
            messages,
            "MessageBody",
            lambda entries: self._client.send_message_batch(QueueUrl=self._url, Entries=entries),
        )


class Topic:
    """An SNS topic."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client, self._arn = client, arn

    def deliver(self, messages: Sequence[str], name: str) -> dict[int, str]:
        """See ``Destination``."""
        del name
        return _deliver_batches(
            messages,
            "Message",
            lambda entries: self._client.publish_batch(TopicArn=self._arn, PublishBatchRequestEntries=entries),
        )


class Bucket:
    """An S3 bucket: one object of JSON lines per invocation."""

    def __init__(self, client: Any, name: str) -> None:
        self._client, self._name = client, name

    def deliver(self, messages: Sequence[str], name: str) -> dict[int, str]:
        """See ``Destination``."""
        body = "".join(f"{message}\n" for message in messages).encode()
        key = f"{PREFIX}{datetime.now(UTC):%Y/%m/%d/%H%M%S}-{name}.jsonl"
        try:
            self._client.put_object(Bucket=self._name, Key=key, Body=body, ContentType="application/x-ndjson")
        except (BotoCoreError, ClientError) as error:
            return dict.fromkeys(range(len(messages)), code_of(error))
        return {}


def _deliver_batches(messages: Sequence[str], field: str, send: Any) -> dict[int, str]:
    undelivered = dict.fromkeys(range(len(messages)), "not confirmed")
    for positions in _batches(messages):
        entries = [{"Id": str(position), field: messages[position]} for position in positions]
        try:
            answer: Mapping[str, Any] = send(entries)
        except (BotoCoreError, ClientError) as error:
            undelivered |= dict.fromkeys(positions, code_of(error))
            break
        undelivered |= {int(one["Id"]): str(one.get("Code")) for one in answer.get("Failed", [])}
        for one in answer.get("Successful", []):
            undelivered.pop(int(one["Id"]), None)
        if not undelivered.keys().isdisjoint(positions):
            break
    return undelivered


def _batches(messages: Sequence[str]) -> Iterator[list[int]]:
    """Positions of messages that go together. The messages are ASCII, so characters are bytes."""
    batch: list[int] = []
    size = 0
    for position, message in enumerate(messages):
        if batch and (len(batch) == _ENTRIES or size + len(message) > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(position)
        size += len(message)
    if batch:
        yield batch
