"""Takes failures from where they were put and settles their keys: what is done is deleted, the rest kept with a reason.

From an SQS queue, also one that subscribes to the SNS topic, and from an S3 bucket, where AWS's own records hold the
whole event. A failure is deleted only after its keys are settled, or after what remains of it has been put back.
"""

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_opensearch import dead_letters
from dynamodb_opensearch.changes import Settle
from dynamodb_opensearch.converge import Refusal
from dynamodb_opensearch.dead_letters import DeadLetter
from dynamodb_opensearch.errors import ConfigurationError
from dynamodb_opensearch.items import Item
from dynamodb_opensearch.jobs.backfill import finding, finish
from dynamodb_opensearch.jobs.failures import ExpiredError, UnusableError, keys_of_failure
from dynamodb_opensearch.jobs.pair import Pair, aws_error
from dynamodb_opensearch.jobs.work import Step, Unit
from dynamodb_opensearch.telemetry import Tally

_RUN = "redriveRun"
"""Message attribute: which run put the message back, so that it doesn't take it again."""
_REASON = "redriveReason"
"""Message attribute: why a message that isn't one of our letters was put back."""
_WAIT_SECONDS = 1  # more than 0 asks all of SQS's servers: an empty answer means an empty queue then
_HIDDEN_SECONDS = 600  # longer than a step may take, or others see messages that are being settled


@dataclass(frozen=True, slots=True)
class Redrive:
    """All failures of a queue or bucket."""

    source: str
    """ARN of an SQS queue or of an S3 bucket."""
    drop_expired: bool = False
    """Whether to delete failures whose records are gone from the stream: after a recovery of their time."""

    def plan(self, pair: Pair) -> Sequence[Unit]:
        """A queue is one unit, of a bucket each object.

        Raises:
            ConfigurationError: the source is neither, or can't be read.
        """
        del pair
        match self.source.split(":")[2:3]:
            case ["sqs"]:
                return ["messages"]
            case ["s3"]:
                return _Bucket(self.source).keys()
            case ["sns"]:
                raise ConfigurationError(
                    f"the source {self.source!r} is a topic and keeps nothing: give the ARN of a queue that subscribes"
                )
            case _:
                raise ConfigurationError(f"the source {self.source!r}: it must be the ARN of an SQS queue or S3 bucket")

    def run(self, pair: Pair, unit: Unit, position: Any) -> Iterator[Step]:
        """A step for each handful of failures. See ``work.Job.run``."""
        settler = _Settler(pair, drop_expired=self.drop_expired)
        if self.source.split(":")[2] == "s3":
            yield _redrive_object(_Bucket(self.source), unit, settler)
            return
        run = str(position or uuid.uuid4())
        queue = _Queue(self.source)
        with queue.releasing() as held:
            while messages := queue.receive():
                held.extend(messages)
                fresh = [message for message in messages if _attribute(message, _RUN) != run]
                step = _redrive_messages(queue, fresh, settler, run)
                held[:] = [message for message in held if message not in fresh]
                yield step
        yield Step(None)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What became of one failure. Nothing in it: all that it tells is settled."""

    refused: Sequence[Refusal] = ()
    problem: str | None = None
    """Why it couldn't be used at all."""


class _Settler:
    """Settles what failures are about."""

    def __init__(self, pair: Pair, *, drop_expired: bool) -> None:
        self._pair = pair
        self._drop_expired = drop_expired
        self._streams = boto3.client("dynamodbstreams", config=Config(retries={"mode": "standard"}))

    def settle(self, bodies: Sequence[str]) -> list[_Verdict]:
        """One verdict for each failure; a key that several are about is settled once.

        Raises:
            ConfigurationError, OutOfTimeError: nothing may be deleted.
        """
        wanted: list[dict[str, Item] | str] = [self._keys(body) for body in bodies]
        settles = {key: Settle(key, keys) for one in wanted if isinstance(one, dict) for key, keys in one.items()}
        refusals = finish(self._pair, list(settles.values()), self._pair.deadline(), Tally())
        refused = {refusal.write.id: refusal for refusal in refusals}
        return [
            _Verdict(problem=one)
            if isinstance(one, str)
            else _Verdict(refused=[refused[key] for key in one if key in refused])
            for one in wanted
        ]

    def letter(self, refusal: Refusal) -> str:
        """A new letter, with the new reason."""
        settings = self._pair.settings
        letter = DeadLetter.of(refusal.write, refusal.reason, settings.table_name, settings.index)
        return letter.to_json(datetime.now(UTC))

    def _keys(self, body: str) -> dict[str, Item] | str:
        try:
            return keys_of_failure(body, self._pair, self._streams)
        except ExpiredError as error:
            return {} if self._drop_expired else str(error)
        except UnusableError as error:
            return str(error)


def _redrive_messages(queue: "_Queue", messages: Sequence[Mapping[str, Any]], settler: _Settler, run: str) -> Step:
    verdicts = settler.settle([message["Body"] for message in messages])
    counts, findings = _told(verdicts)
    for message, verdict in zip(messages, verdicts, strict=True):
        for refusal in verdict.refused:
            queue.put(settler.letter(refusal), {_RUN: run})
        if verdict.problem:
            queue.put(message["Body"], {_RUN: run, _REASON: verdict.problem})
        queue.delete(message)
    return Step(run, counts, findings)


def _redrive_object(bucket: "_Bucket", key: str, settler: _Settler) -> Step:
    bodies = bucket.failures(key)
    verdicts = settler.settle(bodies)
    counts, findings = _told(verdicts)
    kept = [settler.letter(refusal) for verdict in verdicts for refusal in verdict.refused]
    kept += [body for body, verdict in zip(bodies, verdicts, strict=True) if verdict.problem]
    if kept != bodies:
        bucket.replace(key, kept)
    return Step(None, counts, findings)


def _told(verdicts: Sequence[_Verdict]) -> tuple[Counter[str], list[dict[str, Any]]]:
    """``failures`` = ``redriven`` + ``kept``; and what is kept, with its reason."""
    kept = [verdict for verdict in verdicts if verdict.problem or verdict.refused]
    findings: list[dict[str, Any]] = [{"kind": "kept", "reason": one.problem} for one in kept if one.problem]
    findings += [finding(refusal) for one in kept for refusal in one.refused]
    return Counter(failures=len(verdicts), redriven=len(verdicts) - len(kept), kept=len(kept)), findings


class _Queue:
    """An SQS queue of failures."""

    def __init__(self, arn: str) -> None:
        try:
            _, _, _, region, account, name = arn.split(":")
        except ValueError:
            raise ConfigurationError(f"the source {arn!r}: it must be the ARN of an SQS queue or S3 bucket") from None
        self._arn = arn
        self._client = boto3.client("sqs", region_name=region, config=Config(retries={"mode": "standard"}))
        self._url = f"{self._client.meta.endpoint_url}/{account}/{name}"

    def receive(self) -> list[dict[str, Any]]:
        """Up to ten messages; none when the queue has no other."""
        answer = self._call(
            "receive_message",
            MaxNumberOfMessages=10,
            VisibilityTimeout=_HIDDEN_SECONDS,
            WaitTimeSeconds=_WAIT_SECONDS,
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    def put(self, body: str, attributes: Mapping[str, str]) -> None:
        """Send a message."""
        values = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        self._call("send_message", MessageBody=body, MessageAttributes=values)

    def delete(self, message: Mapping[str, Any]) -> None:
        """Delete a received message."""
        self._call("delete_message", ReceiptHandle=message["ReceiptHandle"])

    @contextmanager
    def releasing(self) -> Iterator[list[Mapping[str, Any]]]:
        """A list for received messages that stay: in the end others, and the alarms, see them again."""
        held: list[Mapping[str, Any]] = []
        try:
            yield held
        finally:
            for message in held:
                self._call("change_message_visibility", ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)

    def _call(self, operation: str, **arguments: Any) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = getattr(self._client, operation)(QueueUrl=self._url, **arguments)
        except (BotoCoreError, ClientError) as error:
            raise aws_error(error, operation, f"the queue {self._arn}") from None
        return answer


class _Bucket:
    """An S3 bucket of failures: our letters as JSON lines, and AWS's records, one to an object."""

    def __init__(self, arn: str) -> None:
        self._name = arn.rpartition(":")[2]
        self._client = boto3.client("s3", config=Config(retries={"mode": "standard"}))

    def keys(self) -> list[str]:
        """All objects that hold failures."""
        try:
            pages = [
                page
                for prefix in (dead_letters.PREFIX, "aws/lambda/")
                for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=prefix)
            ]
        except (BotoCoreError, ClientError) as error:
            raise aws_error(error, "ListObjectsV2", f"the bucket {self._name}") from None
        return [one["Key"] for page in pages for one in page.get("Contents", [])]

    def failures(self, key: str) -> list[str]:
        """An object's failures; none if the object has gone."""
        try:
            text = self._client.get_object(Bucket=self._name, Key=key)["Body"].read().decode()
        except self._client.exceptions.NoSuchKey:
            return []
        except (BotoCoreError, ClientError) as error:
            raise aws_error(error, "GetObject", f"the object s3://{self._name}/{key}") from None
        return [line for line in text.splitlines() if line] if key.startswith(dead_letters.PREFIX) else [text]

    def replace(self, key: str, failures: Sequence[str]) -> None:
        """Put what is left under its key; delete it if there is nothing."""
        body = "".join(f"{failure}\n" for failure in failures).encode()
        try:
            if failures:
                self._client.put_object(Bucket=self._name, Key=self._rest(key), Body=body)
            if not failures or self._rest(key) != key:
                self._client.delete_object(Bucket=self._name, Key=key)
        except (BotoCoreError, ClientError) as error:
            raise aws_error(error, "PutObject", f"the object s3://{self._name}/{key}") from None

    @staticmethod
    def _rest(key: str) -> str:
        """Letters that are left of one of AWS's records stand among the letters."""
        return key if key.startswith(dead_letters.PREFIX) else f"{dead_letters.PREFIX}{key.replace('/', '-')}.jsonl"


def _attribute(message: Mapping[str, Any], name: str) -> str | None:
    value = message.get("MessageAttributes", {}).get(name, {}).get("StringValue")
    return None if value is None else str(value)
