"""Fake indices, a fake table and a clock, with ``converge`` between them."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError
from dynamodb_opensearch.core.changes import Address, Change, Settle, coalesce
from dynamodb_opensearch.core.converge import LEAST_REFUSALS, Result, converge
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.core.projections import Projection, parse_projections
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.core.versions import own_version
from dynamodb_opensearch.dynamodb.table import Table
from dynamodb_opensearch.opensearch.bulk import Limits, Writer
from dynamodb_opensearch.sources.dynamodb_stream import decode
from fakes.dynamodb import START, FakeDynamoDB
from fakes.opensearch import FakeOpenSearch, Stored

SCHEMA = KeySchema(("pk",))
SECOND = 10**9
INDEX = "products"
"""The only index of a world that is given no projections."""


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
    """Fake indices, a fake table and a clock, with ``converge`` between them."""

    def __init__(
        self,
        projections: Sequence[Projection] = (Projection(INDEX),),
        *,
        seconds: float = 60,
        chunk_bytes: int = 10**6,
        actions: int = 250,
        least_faults: int = LEAST_REFUSALS,
    ) -> None:
        self.projections = {projection.index: projection for projection in projections}
        self.opensearch = FakeOpenSearch(indices={index: {} for index in self.projections if index != INDEX})
        self.dynamodb = FakeDynamoDB()
        self.clock = Clock(seconds)
        self.tally = Tally()
        self._limits = Limits(chunk_bytes, actions)
        self._least_faults = least_faults

    def stored(self, key: str, value: int | None, version: int, index: str = INDEX) -> None:
        source = None if value is None else f'{{"pk":"{key}","n":{value}}}'
        self.opensearch.documents_of(index)[key] = Stored(version, source)

    def item(self, key: str, value: int, **more: Any) -> None:
        self.dynamodb.items[key] = {"pk": {"S": key}, "n": {"N": str(value)}, **more}

    def converge(self, changes: Iterable[Change], answered: Collection[str] = ()) -> Result:
        return converge(
            changes,
            projections=self.projections,
            writer=Writer(self.opensearch, self.projections.values(), self._limits, 2, 10),
            table=Table(lambda: self.dynamodb, "products", SCHEMA),
            deadline=Deadline(self.clock.remaining_ms, self.clock.sleep),
            conflict_window=60,
            tally=self.tally,
            standby=[projection.index for projection in self.projections.values() if projection.standby],
            answered=answered,
            least_faults=self._least_faults,
        )

    def apply(self, *records: dict[str, Any]) -> Result:
        batch = coalesce(decode(records, SCHEMA), self.projections.values())
        return self.converge(batch.changes.values(), answered=batch.answered)

    def values(self, index: str = INDEX) -> dict[str, int]:
        return {key: int(source["n"]) for key, source in self.opensearch.sources(index).items()}


A, B, C = "orders", "customers", "lines"
"""The indices of a world of several."""


def world_of(*standby: str, specs: Mapping[str, Any] | None = None, **options: Any) -> World:
    """A world of several indices, some of them standby."""
    specs = specs or {A: {}, B: {}, C: {}}
    return World(several({index: {**spec, "standby": index in standby} for index, spec in specs.items()}), **options)


def stored(world: World) -> dict[str, dict[str, int]]:
    """Index -> document id -> value."""
    return {index: world.values(index) for index in world.projections}


def settle(
    key: str, index: str = INDEX, *, highest_own: int = 0, stored: int = 0, sequence_number: str | None = None
) -> Settle:
    return Settle(index, key, {"pk": {"S": key}}, highest_own, sequence_number, stored)


def ids(addresses: Collection[Address], index: str = INDEX) -> set[str]:
    """The documents' ids; all must be in this index."""
    assert {found for found, _ in addresses} <= {index}
    return {document_id for _, document_id in addresses}


def several(specs: Mapping[str, Any], *, skip_unchanged: bool = False) -> tuple[Projection, ...]:
    """Projections as INDICES has them."""
    return parse_projections(json.dumps(specs), SCHEMA, skip_unchanged=skip_unchanged)


def own(number: int, second: int = START) -> int:
    return own_version(second, str(number * 10**20))


def throttled() -> ClientError:
    error = {"Error": {"Code": "ProvisionedThroughputExceededException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(error, "BatchGetItem")
