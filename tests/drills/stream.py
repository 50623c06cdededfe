"""Adds to a stream what DynamoDB Local lacks: times to the second, and records that expire."""

import base64
import threading
import time
from collections.abc import Mapping
from typing import Any

from simulation.history import Record

_PAUSE_SECONDS = 0.03


class Stream:
    """All records of one stream, read as they arrive."""

    def __init__(self, client: Any, arn: str) -> None:
        """Begin to read.

        Args:
            client: boto3's client for DynamoDB Streams.
        """
        self.arn = arn
        self.records: list[Record] = []
        self.trimmed = 0
        """How many of the first records are gone."""
        self._client = client
        [shard] = client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        self._iterator = client.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        self._empty_at = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait_for_all(self) -> None:
        """Wait until everything that was written before the call has been read."""
        now = time.monotonic()
        while self._empty_at < now:
            if not self._thread.is_alive():
                raise RuntimeError(f"the stream {self.arn} can't be read any more")
            time.sleep(_PAUSE_SECONDS)

    def trim(self) -> None:
        """Drop all records, read or not, as DynamoDB does after 24 hours."""
        self.wait_for_all()
        self.trimmed = len(self.records)

    def end(self) -> None:
        """Stop reading."""
        self._ended.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._ended.wait(_PAUSE_SECONDS):
            asked_at = time.monotonic()
            answer = self._client.get_records(ShardIterator=self._iterator, Limit=1000)
            now = time.time()
            self.records += [self._record(record, now) for record in answer["Records"]]
            if "NextShardIterator" not in answer:  # the table is gone
                return
            self._iterator = answer["NextShardIterator"]
            if not answer["Records"]:
                self._empty_at = asked_at

    def _record(self, record: Mapping[str, Any], now: float) -> Record:
        """Return a record as Lambda delivers it: with epoch seconds, and binary values as base64 text."""
        data = _as_text({**record["dynamodb"], "ApproximateCreationDateTime": int(now)})
        event = {
            "eventID": record["eventID"],
            "eventName": record["eventName"],
            "eventSource": "aws:dynamodb",
            "eventSourceARN": self.arn,
            "dynamodb": data,
        }
        return Record(now, str(data["Keys"]), data["SequenceNumber"], event)


def _as_text(value: Any) -> Any:
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case dict():
            return {name: _as_text(member) for name, member in value.items()}
        case list():
            return [_as_text(member) for member in value]
        case _:
            return value
