from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from dynamodb_opensearch.dynamodb import wire
from moto import mock_aws

ITEM = {
    "pk": {"S": "a"},
    "n": {"N": "12345678901234567890123456789012345678"},
    "b": {"B": b"\x00\xff"},
    "m": {"M": {"l": {"L": [{"NULL": True}, {"BS": [b"x"]}]}}},
}


@pytest.fixture
def units(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(
            TableName="products",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        client.put_item(TableName="products", Item=ITEM)
        yield []


@pytest.fixture
def client(units: list[float]) -> Any:
    return wire.connect(connections=2, on_capacity=units.append)


def test_an_item_is_as_the_wire_has_it_and_binary_is_base64_text(client: Any) -> None:
    [item] = client.scan(TableName="products")["Items"]
    assert item == {**ITEM, "b": {"B": "AP8="}, "m": {"M": {"l": {"L": [{"NULL": True}, {"BS": ["eA=="]}]}}}}


def test_requests_are_still_the_sdks(client: Any) -> None:
    keys = {"Keys": [{"pk": {"S": "a"}}, {"pk": {"S": "b"}}], "ConsistentRead": True}
    answer = client.batch_get_item(RequestItems={"products": keys})
    assert [item["pk"] for item in answer["Responses"]["products"]] == [{"S": "a"}]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_an_error_is_the_sdks(client: Any) -> None:
    with pytest.raises(ClientError) as caught:
        client.scan(TableName="nowhere")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_each_read_reports_its_capacity(client: Any, units: list[float]) -> None:
    client.scan(TableName="products")
    client.batch_get_item(RequestItems={"products": {"Keys": [{"pk": {"S": "a"}}]}})
    client.describe_table(TableName="products")
    assert len(units) == 2
    assert all(one > 0 for one in units)
