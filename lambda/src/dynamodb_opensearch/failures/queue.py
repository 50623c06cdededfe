"""A queue of failures: dead letters are delivered to it, and a redrive takes failures from it and puts them back.

A message that is put back names the run that did so. A run leaves whatever any run has put back since this one began,
so any number of runs come to an end.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

from dynamodb_opensearch.aws import ASKED_ONCE, ask, briefly, code_of
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.failures.batches import deliver_batches

_RUN = "redriveRun"
"""Message attribute: which run put the message back."""
_REASON = "redriveReason"
"""Message attribute: why a message that isn't one of our dead letters was put back."""
_WAIT_SECONDS = 1  # with more than 0, all of SQS's servers are asked, so an empty answer means an empty queue
_HIDDEN_SECONDS = 600  # at least, and longer than a step may take, or others see messages that are being settled
_SPARE_SECONDS = 60
_BATCH = 10  # messages of one request


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was received."""

    id: str
    receipt: str
    body: str
    sent_ms: int
    """By SQS's clock."""
    attributes: Mapping[str, Any]

    def is_later(self, run: str, began_ms: int) -> bool:
        """Whether this run put it back, or any other did after this one began."""
        by = self.attributes.get(_RUN, {}).get("StringValue")
        return by is not None and (by == run or self.sent_ms >= began_ms)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one ReceiveMessage gave."""

    messages: Sequence[Message]
    next_second_ms: int
    """The first whole second after the answer, by SQS's clock, which has only whole seconds."""
    deadline: Deadline
    """Until when all of them must be dealt with."""
    hidden_until: float
    """Until when others can't see them, by this machine's wall clock, which goes on while the machine sleeps."""

    @property
    def ids(self) -> set[str]:
        """The messages' ids."""
        return {message.id for message in self.messages}

    @property
    def is_ours(self) -> bool:
        """Whether the messages are still hidden from all others."""
        return time.time() < self.hidden_until


class Queue:
    """An SQS queue. Each call but ``deliver`` is repeated as long as its deadline allows, and raises as ``ask``."""

    def __init__(self, arn: str, client: Any = None) -> None:
        """Take the queue that an ARN names; sends no request.

        Args:
            client: a boto3 client that retries by itself, for ``deliver``.
        """
        try:
            _, _, _, region, account, name = arn.split(":")
        except ValueError:
            raise ConfigurationError(f"the source {arn!r}: it must be the ARN of an SQS queue or S3 bucket") from None
        self._arn = arn
        self._client = client or boto3.client("sqs", region_name=region, config=ASKED_ONCE)
        # In the form that AWS documents; asking SQS for it would need one more right and one more call.
        self._url = f"{self._client.meta.endpoint_url}/{account}/{name}"

    def deliver(self, messages: Sequence[str], name: str) -> dict[int, str]:
        """See ``destination.Destination``."""
        del name
        return deliver_batches(
            messages,
            "MessageBody",
            lambda entries: self._client.send_message_batch(QueueUrl=self._url, Entries=entries),
        )

    def check(self) -> None:
        """Check that messages could be received, without taking any."""
        self._call("receive_message", briefly(), MaxNumberOfMessages=1, VisibilityTimeout=0)

    def receive(self, deadline: Deadline) -> Batch:
        """Receive up to ten messages; none if the queue has no more."""
        hidden_seconds = max(int(deadline.remaining_seconds()) + _SPARE_SECONDS, _HIDDEN_SECONDS)
        hidden_until = time.time() + hidden_seconds
        answer = self._call(
            "receive_message",
            deadline,
            MaxNumberOfMessages=_BATCH,
            VisibilityTimeout=hidden_seconds,
            WaitTimeSeconds=_WAIT_SECONDS,
            MessageAttributeNames=["All"],
            AttributeNames=["SentTimestamp"],
        )
        messages = [
            Message(
                id=message["MessageId"],
                receipt=message["ReceiptHandle"],
                body=message["Body"],
                sent_ms=int(message["Attributes"]["SentTimestamp"]),
                attributes=message.get("MessageAttributes", {}),
            )
            for message in answer.get("Messages", [])
        ]
        return Batch(messages, (_second(answer) + 1) * 1000, deadline, hidden_until)

    def put_letter(self, body: str, run: str, deadline: Deadline) -> int:
        """Send what is left of a failure; returns when at the earliest, in milliseconds by SQS's clock."""
        answer = self._call("send_message", deadline, MessageBody=body, MessageAttributes={_RUN: _text(run)})
        return _second(answer) * 1000

    def put_back(self, message: Message, run: str, reason: str, deadline: Deadline) -> int | None:
        """Send a message again, with a reason; returns as ``put_letter``, or None if it has no room for the reason."""
        attributes = {
            name: {part: value[part] for part in ("DataType", "StringValue", "BinaryValue") if part in value}
            for name, value in message.attributes.items()
        }
        attributes |= {_RUN: _text(run), _REASON: _text(reason)}
        answer = self._call("send_message", deadline, _SIZE, MessageBody=message.body, MessageAttributes=attributes)
        return _second(answer) * 1000 if answer else None

    def delete(self, message: Message, deadline: Deadline) -> None:
        """Delete a received message. If it has been received again since, it shows up again."""
        self._call("delete_message", deadline, _RECEIPT, ReceiptHandle=message.receipt)

    def release(self, messages: Iterable[Message], deadline: Deadline) -> None:
        """Let others, and the alarms, see received messages again. Some may be visible already."""
        receipts = [message.receipt for message in messages]
        for start in range(0, len(receipts), _BATCH):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(receipts[start : start + _BATCH])
            ]
            self._call("change_message_visibility_batch", deadline, Entries=entries)

    def _call(
        self, operation: str, deadline: Deadline, expected: frozenset[str] = frozenset(), /, **arguments: Any
    ) -> Mapping[str, Any]:
        """SQS's answer; empty for one of the expected errors."""

        def send() -> Mapping[str, Any]:
            try:
                answer: Mapping[str, Any] = getattr(self._client, operation)(QueueUrl=self._url, **arguments)
            except ClientError as error:
                if code_of(error).rpartition(".")[2] not in expected:
                    raise
                return {}
            return answer

        return ask(send, deadline, operation, f"the queue {self._arn}")


_SIZE = frozenset({"InvalidMessageContents", "InvalidParameterValue", "MessageTooLong"})
_RECEIPT = frozenset({"InvalidParameterValue", "ReceiptHandleIsInvalid"})


def _text(value: str) -> dict[str, str]:
    """A message attribute. SQS takes no control characters."""
    return {"DataType": "String", "StringValue": "".join(char if char.isprintable() else "?" for char in value)[:1000]}


def _second(answer: Mapping[str, Any]) -> int:
    """When AWS answered, in epoch seconds; by this machine's clock if an emulator sends no Date header."""
    try:
        return int(parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp())
    except (KeyError, TypeError, ValueError):
        return int(time.time())
