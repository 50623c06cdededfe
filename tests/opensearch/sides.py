"""A table in DynamoDB Local, its indices in a real OpenSearch, and a reader of the stream that can be switched on."""

import base64
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest
from dynamodb_opensearch.cli.run.checkpoint import Checkpoint
from dynamodb_opensearch.cli.run.engine import Stop, Workers, run
from dynamodb_opensearch.jobs.job import Job
from dynamodb_opensearch.jobs.repair import Repair
from dynamodb_opensearch.jobs.seen import seen_file
from dynamodb_opensearch.jobs.side import Side
from dynamodb_opensearch.jobs.side import Sides as JobSides
from dynamodb_opensearch.jobs.sync import Sync, open_sync
from dynamodb_opensearch.jobs.verify import Verify
from dynamodb_opensearch.settings import Settings, read_settings
from engines import DynamoDBLocal, OpenSearchNode

from opensearch import api
from opensearch.function import Context

_NUMBERS = count()
# DynamoDB Local cuts a record's time to the minute: for its records the clocks disagree by that much.
CONFLICT_WINDOW_SECONDS = 120


class Sides:
    """One table and its indices, of this test alone.

    Args:
        indices: the end of each index's name -> what it is to hold, as INDICES has it; None: one of whole items.
    """

    def __init__(
        self,
        node: OpenSearchNode,
        dynamodb: DynamoDBLocal,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        *,
        keys: Mapping[str, str] = {"pk": "S"},
        index_settings: Mapping[str, Any] = {},
        indices: Mapping[str, Any] | None = None,
    ) -> None:
        self.node = node
        self.name = f"sides-{os.getpid()}-{next(_NUMBERS)}"
        self.keys = keys
        self.environment = {
            "AWS_ENDPOINT_URL_DYNAMODB": dynamodb.url,
            "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": dynamodb.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "OPENSEARCH_ENDPOINT": node.url,
            "OPENSEARCH_AUTH": "none",
            "TABLE_NAME": self.name,
            "TABLE_KEYS": ",".join(keys),
            "INDEX": "" if indices else self.name,
            "INDICES": json.dumps({self.index(end): holds for end, holds in indices.items()}) if indices else "",
            "CONFLICT_WINDOW_SECONDS": str(CONFLICT_WINDOW_SECONDS),
            "DEAD_LETTER_ARN": "arn:aws:sqs:us-east-1:123456789012:letters",
        }
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)
        self.settings: Settings = read_settings(self.environment)
        self.dynamodb = boto3.client("dynamodb")
        self._folder = folder
        self._checkpoints = count()
        view = "NEW_AND_OLD_IMAGES" if indices else "NEW_IMAGE"
        self.dynamodb.create_table(
            TableName=self.name,
            KeySchema=[
                {"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in keys.items()],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": view},
        )
        body = {"settings": {"number_of_replicas": 0, **index_settings}}
        for index in self.settings.indices:
            api.call(node, "PUT", f"/{index}", body)

    def index(self, end: str) -> str:
        """The name of one of several indices."""
        return f"{self.name}-{end}"

    def side(self, sync: Sync) -> Side:
        """The only index, as jobs see it now."""
        [side] = JobSides.resolve(sync)
        return side

    def sync(self, **changes: Any) -> Sync:
        """Both sides as jobs see them; pages of a few items."""
        return replace(open_sync(self.settings, threads=2, page_items=7), **changes)

    def through(self, index: str) -> None:
        """From now on jobs reach the index under another name."""
        [projection] = self.settings.projections
        self.settings = replace(self.settings, projections=(replace(projection, index=index),))

    def put(self, key: str, **attributes: Any) -> None:
        """Write an item whose first key attribute is a string."""
        self.dynamodb.put_item(TableName=self.name, Item={next(iter(self.keys)): {"S": key}, **attributes})

    def delete(self, key: str) -> None:
        self.dynamodb.delete_item(TableName=self.name, Key={next(iter(self.keys)): {"S": key}})

    def fill(self, number: int) -> None:
        """Write items ``i-0000`` and so on."""
        for start in range(0, number, 25):
            requests = [
                {"PutRequest": {"Item": {"pk": {"S": f"i-{one:04}"}, "n": {"N": str(one)}}}}
                for one in range(start, min(start + 25, number))
            ]
            self.dynamodb.batch_write_item(RequestItems={self.name: requests})

    def verified(
        self,
        workers: Workers = Workers(page_items=7),  # noqa: B008 (it is frozen)
        *,
        repair: bool = False,
        **settings: Any,
    ) -> Checkpoint:
        """What a verification finds, or a repair does, done as the command does it."""
        with seen_file(100) as seen:
            settings = {"segments": 3, "patience_seconds": 0.3, "seen": seen} | settings
            comparison = Verify(**settings)
            return self.run(Repair(comparison) if repair else comparison, workers)

    def run(self, job: Job, workers: Workers = Workers(page_items=7)) -> Checkpoint:  # noqa: B008 (it is frozen)
        """Run a job to its end; its checkpoint knows what came out."""
        checkpoint = Checkpoint(self._folder / f"checkpoint-{next(self._checkpoints)}.jsonl", {"job": str(job)})
        try:
            assert run(job, self.settings, workers, checkpoint, stop=Stop(), on_step=lambda _: None)
        finally:
            checkpoint.close()
        return checkpoint

    def differences(self, **settings: Any) -> list[tuple[str, str]]:
        """What a verification names: kind and document id, sorted."""
        return sorted((one["kind"], one["id"]) for one in self.verified(**settings).findings())

    def versions(self, index: str | None = None) -> dict[str, int]:
        """Document id -> version, of all documents."""
        index = index or self.name
        api.call(self.node, "POST", f"/{index}/_refresh")
        body = {"size": 10_000, "_source": False, "version": True}
        hits = api.decoded(self.node, "POST", f"/{index}/_search", body)["hits"]["hits"]
        return {hit["_id"]: hit["_version"] for hit in hits}

    def source(self, document_id: str, index: str | None = None) -> str | None:
        return api.source(self.node, index or self.name, document_id)

    @contextmanager
    def following(self, monkeypatch: pytest.MonkeyPatch, *, latest: bool = False) -> Iterator["Follower"]:
        """The function reads the stream meanwhile, and to its end afterwards.

        Args:
            latest: whether it begins with what comes now, as if everything before were older than 24 hours.
        """
        stream = import_module("dynamodb_opensearch.functions.sync")
        monkeypatch.setattr(stream, "_dynamodb", lambda: self.dynamodb)
        follower = Follower(stream.SyncFunction(self.settings), self.name, latest=latest)
        thread = threading.Thread(target=follower.follow, daemon=True)
        thread.start()
        try:
            yield follower
        finally:
            follower.ended.set()
            thread.join()
        if follower.failure:
            raise follower.failure


MakeSides = Callable[..., Sides]


class Follower:
    """Reads a stream of DynamoDB Local's and invokes the handler with what it holds, as Lambda would."""

    def __init__(self, sync: Any, table: str, *, latest: bool) -> None:
        self.ended = threading.Event()
        self.failure: Exception | None = None
        self._sync = sync
        self._streams = boto3.client("dynamodbstreams")
        self._arn = boto3.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
        [shard] = self._streams.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
        self._iterator = self._streams.get_shard_iterator(
            StreamArn=self._arn,
            ShardId=shard["ShardId"],
            ShardIteratorType="LATEST" if latest else "TRIM_HORIZON",
        )["ShardIterator"]

    def follow(self) -> None:
        """Until all is read that was written before the end."""
        try:
            iterator = self._iterator
            while True:
                was_ended = self.ended.is_set()
                answer = self._streams.get_records(ShardIterator=iterator, Limit=50)
                if answer["Records"]:
                    failed = self._sync.handle({"Records": [_event(one) for one in answer["Records"]]}, Context(30))
                    assert failed == {"batchItemFailures": []}
                elif was_ended:
                    return
                else:
                    time.sleep(0.02)
                iterator = answer["NextShardIterator"]
        except Exception as error:  # noqa: BLE001 (told of by whoever started the thread)
            self.failure = error


def _event(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record as Lambda hands it out: epoch seconds, and binary as base64 text."""
    data = dict(record["dynamodb"])
    data["ApproximateCreationDateTime"] = data["ApproximateCreationDateTime"].timestamp()
    return {"eventName": record["eventName"], "dynamodb": _as_text(data)}


def _as_text(value: Any) -> Any:
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case dict():
            return {name: _as_text(one) for name, one in value.items()}
        case list():
            return [_as_text(one) for one in value]
        case _:
            return value
