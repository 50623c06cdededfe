"""A fake index, a fake table and a clock, with ``converge`` between them."""

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError
from dynamodb_opensearch.core.changes import Change, coalesce
from dynamodb_opensearch.core.converge import Result, converge
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.core.versions import own_version
from dynamodb_opensearch.dynamodb.table import Table
from dynamodb_opensearch.opensearch.bulk import Index, Limits
from dynamodb_opensearch.sources.dynamodb_stream import decode
from fakes.dynamodb import START, FakeDynamoDB
from fakes.opensearch import FakeOpenSearch, Stored

SCHEMA = KeySchema(("pk",))
SECOND = 10**9


class Clock:
    """Lambda's remaining time, that only sleeping uses up."""

    def __init__(self, seconds: float) -> None:
        self.left_ms = seconds * 1000
        self.pauses: list[float] = []

    def remaining_ms(self) -> int:
        return int(self.left_ms)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.left_ms -= seconds * 1000


class World:
    """A fake index, a fake table and a clock, with ``converge`` between them."""

    def __init__(self, *, seconds: float = 60, chunk_bytes: int = 10**6, actions: int = 250) -> None:
        self.opensearch = FakeOpenSearch()
        self.dynamodb = FakeDynamoDB()
        self.clock = Clock(seconds)
        self.tally = Tally()
        self._limits = Limits(chunk_bytes, actions)

    def stored(self, key: str, value: int | None, version: int) -> None:
        source = None if value is None else f'{{"pk":"{key}","n":{value}}}'
        self.opensearch.documents[key] = Stored(version, source)

    def item(self, key: str, value: int) -> None:
        self.dynamodb.items[key] = {"pk": {"S": key}, "n": {"N": str(value)}}

    def converge(self, changes: Iterable[Change]) -> Result:
        return converge(
            changes,
            index=Index(self.opensearch, "products", self._limits, 2, 10),
            table=Table(lambda: self.dynamodb, "products", SCHEMA, 60),
            deadline=Deadline(self.clock.remaining_ms, self.clock.sleep),
            conflict_window=60,
            tally=self.tally,
        )

    def apply(self, *records: dict[str, Any]) -> Result:
        return self.converge(coalesce(decode(records, SCHEMA)).changes.values())

    def values(self) -> dict[str, int]:
        return {key: int(source["n"]) for key, source in self.opensearch.sources().items()}


def own(number: int, second: int = START) -> int:
    return own_version(second, str(number * 10**20))


def throttled() -> ClientError:
    error = {"Error": {"Code": "ProvisionedThroughputExceededException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(error, "BatchGetItem")
