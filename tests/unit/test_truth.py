from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from dynamodb_opensearch.changes import Settle
from dynamodb_opensearch.deadline import Deadline
from dynamodb_opensearch.documents import KeySchema
from dynamodb_opensearch.errors import ConfigurationError
from dynamodb_opensearch.truth import Table
from fakes.dynamodb import START, FakeDynamoDB
from moto import mock_aws

LONE = KeySchema(("pk",))


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("dynamodb", region_name="eu-west-1")


def make_table(client: Any, kinds: dict[str, str]) -> None:
    client.create_table(
        TableName="products",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": name, "KeyType": kind} for name, kind in zip(kinds, ("HASH", "RANGE"), strict=False)
        ],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in kinds.items()],
    )


def settle(table: Table, schema: KeySchema, *keys: dict[str, Any]) -> dict[str, Any]:
    settles = [Settle(schema.id_of(one), one) for one in keys]
    return {write.id: write.image for write in table.settle(settles, Deadline(lambda: 60_000))}


class Dated:
    """moto's answers have no Date header; DynamoDB's have."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def batch_get_item(self, **request: Any) -> Any:
        answer = self._client.batch_get_item(**request)
        answer["ResponseMetadata"]["HTTPHeaders"]["date"] = "Mon, 05 Jan 2026 08:00:00 GMT"
        return answer


@pytest.mark.parametrize(
    ("kinds", "stored", "event", "document_id"),
    [
        ({"pk": "S"}, {"pk": {"S": "a"}}, {"pk": {"S": "a"}}, "a"),
        ({"pk": "N"}, {"pk": {"N": "1"}}, {"pk": {"N": "1"}}, "1"),
        ({"pk": "B"}, {"pk": {"B": b"\xfb\xff"}}, {"pk": {"B": "+/8="}}, "-_8"),
        ({"pk": "S", "sk": "N"}, {"pk": {"S": "|"}, "sk": {"N": "7"}}, {"pk": {"S": "|"}, "sk": {"N": "7"}}, "\\||7"),
    ],
)  # fmt: skip
def test_every_kind_of_key_finds_its_item(
    client: Any, kinds: dict[str, str], stored: dict[str, Any], event: dict[str, Any], document_id: str
) -> None:
    make_table(client, kinds)
    client.put_item(TableName="products", Item={**stored, "n": {"N": "5"}})
    schema = KeySchema(tuple(kinds))

    found = settle(Table(lambda: Dated(client), "products", schema, 60), schema, event)

    assert found[document_id]["n"] == {"N": "5"}


def test_an_item_that_is_gone_is_a_delete(client: Any) -> None:
    make_table(client, {"pk": "S"})

    assert settle(Table(lambda: Dated(client), "products", LONE, 60), LONE, {"pk": {"S": "gone"}}) == {"gone": None}


def test_a_missing_table_is_a_configuration_error(client: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"TABLE_NAME is 'products'.*ResourceNotFoundException"):
        settle(Table(lambda: Dated(client), "products", LONE, 60), LONE, {"pk": {"S": "a"}})


def faulty(error: Exception) -> Table:
    dynamodb = FakeDynamoDB(items={"a": {"pk": {"S": "a"}}}, faults=[error])
    return Table(lambda: dynamodb, "products", LONE, 60)


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ThrottlingException"}}, "BatchGetItem"),
        ClientError(
            {"Error": {"Code": "InternalServerError"}, "ResponseMetadata": {"HTTPStatusCode": 500}}, "BatchGetItem"
        ),
        ReadTimeoutError(endpoint_url="https://dynamodb"),
        EndpointConnectionError(endpoint_url="https://dynamodb"),
    ],
)
def test_what_heals_yields_nothing_yet(error: Exception) -> None:
    assert settle(faulty(error), LONE, {"pk": {"S": "a"}}) == {}


def test_missing_credentials_are_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="Unable to locate credentials"):
        settle(faulty(NoCredentialsError()), LONE, {"pk": {"S": "a"}})


def test_without_a_date_the_time_of_the_read_is_not_guessed() -> None:
    class Undated(FakeDynamoDB):
        def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803
            answer = dict(super().batch_get_item(RequestItems=RequestItems))
            return answer | {"ResponseMetadata": {"HTTPHeaders": {}}}

    dynamodb = Undated()
    with pytest.raises(ConfigurationError, match="Date header"):
        settle(Table(lambda: dynamodb, "products", LONE, 60), LONE, {"pk": {"S": "a"}})


def test_nothing_is_read_when_there_is_nothing_to_settle_or_no_time() -> None:
    dynamodb = FakeDynamoDB()
    table = Table(lambda: dynamodb, "products", LONE, 60)

    assert list(table.settle([], Deadline(lambda: 60_000))) == []
    assert list(table.settle([Settle("a", {"pk": {"S": "a"}})], Deadline(lambda: 0))) == []
    assert dynamodb.reads == []


def test_the_version_is_the_time_of_the_read_less_the_window() -> None:
    table = Table(FakeDynamoDB, "products", LONE, 60)

    [write] = table.settle([Settle("a", {"pk": {"S": "a"}})], Deadline(lambda: 60_000))

    assert write.version == (START - 60) * 10**9 + 1
