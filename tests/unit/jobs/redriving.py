"""A table, an index, a queue, a bucket and a stream of failures, to be redriven."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import boto3
from botocore.exceptions import ClientError
from dynamodb_opensearch.jobs.job import Step
from dynamodb_opensearch.jobs.redrive import Redrive
from dynamodb_opensearch.jobs.sync import Sync
from fakes.dynamodb import FakeDynamoDB
from fakes.opensearch import FakeOpenSearch
from fakes.sync import TABLE_ARN, make_sync
from moto.sqs.models import sqs_backends

QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:failures"
STREAM_ARN = f"{TABLE_ARN}/stream/2026-01-01T00:00:00.000"
INFO = {
    "shardId": "shardId-1",
    "startSequenceNumber": "200",
    "endSequenceNumber": "400",
    "approximateArrivalOfFirstRecord": "2026-01-01T10:00:00Z",
    "streamArn": STREAM_ARN,
}


@dataclass
class World:
    """A table, an index, a queue and a bucket of failures."""

    table: FakeDynamoDB = field(default_factory=FakeDynamoDB)
    index: FakeOpenSearch = field(default_factory=FakeOpenSearch)

    def __post_init__(self) -> None:
        self.sqs = boto3.client("sqs", region_name="us-east-1")
        self.s3 = boto3.client("s3", region_name="us-east-1")
        self.url = self.sqs.create_queue(QueueName="failures")["QueueUrl"]
        self.s3.create_bucket(Bucket="failures")
        self.order = Random(4)

    def sync(self, **changes: Any) -> Sync:
        return make_sync(self.table, self.index, **changes)

    def put(self, key: str, number: int = 1) -> None:
        self.table.items[key] = {"pk": {"S": key}, "n": {"N": str(number)}}

    def send(self, body: Any) -> None:
        self.sqs.send_message(QueueUrl=self.url, MessageBody=body if isinstance(body, str) else json.dumps(body))

    def waiting(self) -> list[Any]:
        """What a new consumer finds in the queue."""
        found: dict[str, str] = {}
        while messages := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            found |= {one["MessageId"]: one["Body"] for one in messages}
            for one in messages:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=one["ReceiptHandle"])
        for body in found.values():
            self.send(body)
        return list(found.values())

    def forget_receipts(self) -> None:
        """Messages are hidden no longer, and come in any order."""
        for queue in sqs_backends["123456789012"]["us-east-1"].queues.values():
            for message in queue._messages:
                message.visible_at = 0
            self.order.shuffle(queue._messages)

    def listed(self) -> list[str]:
        return [one["Key"] for one in self.s3.list_objects_v2(Bucket="failures").get("Contents", [])]

    def objects(self) -> dict[str, str]:
        return {key: self.s3.get_object(Bucket="failures", Key=key)["Body"].read().decode() for key in self.listed()}

    def redrive(
        self, source: str = QUEUE_ARN, *, drop_expired: bool = False, drop_keyless: bool = False, **changes: Any
    ) -> list[Step]:
        job, sync = Redrive(source, drop_expired, drop_keyless), self.sync(**changes)
        return [step for unit in job.plan(sync) for step in job.run(sync, unit, None)]

    def counts(self, steps: list[Step]) -> dict[str, int]:
        total = {"failures": 0, "redriven": 0, "kept": 0}
        for step in steps:
            for name, count in step.counts.items():
                total[name] += count
        return total


def letter(key: str | None, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "document",
        "table": "products",
        "keys": None if key is None else {"pk": {"S": key}},
        "index": "products",
        "id": key,
        "action": "index",
        "version": 1,
        "sequenceNumber": "1",
        "reason": {"type": "mapper_parsing_exception", "message": ""},
        "at": "2026-01-01T00:00:00.000Z",
        **changes,
    }


def aws_record(**changes: Any) -> dict[str, Any]:
    return {
        "requestContext": {"requestId": "r", "functionArn": "f", "condition": "RetryAttemptsExhausted"},
        "version": "1.0",
        "timestamp": "2026-01-01T10:00:10Z",
        "DDBStreamBatchInfo": INFO,
        **changes,
    }


class Stream:
    """A stream's shard, as boto3 reads it."""

    def __init__(self, *numbers: int, gone: str | None = None, faults: Sequence[Exception | None] = ()) -> None:
        self._records = [
            {"dynamodb": {"Keys": {"pk": {"S": f"k{number}"}}, "SequenceNumber": str(number)}} for number in numbers
        ]
        self._gone = gone
        self._faults = list(faults)
        """Of GetRecords, in turn."""
        self.asked: list[dict[str, Any]] = []

    def get_shard_iterator(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        if self._gone:
            raise ClientError({"Error": {"Code": self._gone, "Message": ""}}, "GetShardIterator")
        numbers = [one["dynamodb"]["SequenceNumber"] for one in self._records]
        return {"ShardIterator": str(numbers.index(request["SequenceNumber"]))}

    def get_records(self, *, ShardIterator: str) -> dict[str, Any]:  # noqa: N803 (AWS's name)
        if self._faults and (fault := self._faults.pop(0)):
            raise fault
        start = int(ShardIterator)
        end = start + 2
        return {"Records": self._records[start:end], "NextShardIterator": str(end)}  # the shard is open
