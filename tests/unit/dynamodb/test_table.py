import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from dynamodb_opensearch.core.changes import Reading, Settle
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.dynamodb.table import Table
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


def read(table: Table, schema: KeySchema, *keys: dict[str, Any]) -> dict[str, Any]:
    settles = [Settle("products", schema.id_of(one), one) for one in keys]
    return {reading.id: reading.item for reading in table.read(settles, Deadline(lambda: 60_000))}


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

    found = read(Table(lambda: Dated(client), "products", schema), schema, event)

    assert found[document_id]["n"] == {"N": "5"}


def test_an_item_that_is_gone_is_read_as_none(client: Any) -> None:
    make_table(client, {"pk": "S"})

    assert read(Table(lambda: Dated(client), "products", LONE), LONE, {"pk": {"S": "gone"}}) == {"gone": None}


@pytest.mark.parametrize("answered", ["products", "arn:aws:dynamodb:eu-west-1:123456789012:table/products"])
@pytest.mark.parametrize("asked", ["products", "arn:aws:dynamodb:eu-west-1:123456789012:table/products"])
def test_an_item_is_found_whether_the_answer_names_the_table_or_its_arn(asked: str, answered: str) -> None:
    """AWS documents the answer as "a map of table name to a list of items" also when the request gives an ARN."""

    class Renaming(FakeDynamoDB):
        def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803
            answer = dict(super().batch_get_item(RequestItems=RequestItems))
            return answer | {part: dict.fromkeys([answered], *answer[part].values()) for part in PARTS}

    dynamodb = Renaming({"a": {"pk": {"S": "a"}}}, faults=[lambda keys: keys[1:]])
    table = Table(lambda: dynamodb, asked, LONE)

    found = read(table, LONE, {"pk": {"S": "a"}}, {"pk": {"S": "unread"}})

    assert found == {"a": {"pk": {"S": "a"}}}


PARTS = ("Responses", "UnprocessedKeys")


@pytest.mark.parametrize("answer", [{}, {"UnprocessedKeys": {}}])
def test_an_answer_without_the_tables_items_says_of_none_that_it_is_gone(answer: dict[str, Any]) -> None:
    """Such as a proxy's 200: every key that was asked for would otherwise count as an item that is gone."""

    class Strange(FakeDynamoDB):
        def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803
            good = super().batch_get_item(RequestItems=RequestItems)
            return {"ResponseMetadata": good["ResponseMetadata"], **answer}

    dynamodb = Strange({"a": {"pk": {"S": "a"}}})
    table = Table(lambda: dynamodb, "products", LONE)

    try:
        found = read(table, LONE, {"pk": {"S": "a"}})
    except ConfigurationError:
        found = {}
    assert found == {}


def test_unprocessed_keys_of_every_kind_are_left_for_another_read() -> None:
    schema = KeySchema(("pk", "sk"))
    keys = [{"pk": {"N": "1.0"}, "sk": {"B": "+/8="}}, {"pk": {"N": "2"}, "sk": {"B": "AA=="}}]

    class Half:
        def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803
            assert RequestItems["products"]["Keys"][0]["sk"] == {"B": b"\xfb\xff"}
            unread = {"Keys": [{"pk": {"N": "1"}, "sk": {"B": b"\xfb\xff"}}], "ConsistentRead": True}
            headers = {"date": "Mon, 05 Jan 2026 08:00:00 GMT"}
            return {
                "Responses": {"products": []},
                "UnprocessedKeys": {"products": unread},
                "ResponseMetadata": {"HTTPHeaders": headers},
            }

    assert read(Table(Half, "products", schema), schema, *keys) == {"2|AA": None}


def test_four_reads_go_out_at_the_same_time_over_one_client() -> None:
    together, made = threading.Barrier(4), []

    class Slow(FakeDynamoDB):
        def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803
            if len(self.reads) < 4:
                together.wait(10)
            return super().batch_get_item(RequestItems=RequestItems)

    def connect() -> Slow:
        made.append(Slow())
        time.sleep(0.1)
        return made[-1]

    keys = [{"pk": {"S": f"k{number}"}} for number in range(20)]

    assert len(read(Table(connect, "products", LONE), LONE, *keys)) == 20
    assert [sorted(map(len, one.reads)) for one in made] == [[5, 5, 5, 5]]


@pytest.mark.parametrize("kilobytes", [1, 40, 171, 400])
def test_a_bounded_number_of_bytes_waits_to_be_taken(kilobytes: int) -> None:
    size = kilobytes * 1024
    dynamodb = FakeDynamoDB({f"k{n}": {"pk": {"S": f"k{n}"}, "t": {"S": "x" * size}} for n in range(300)})
    table = Table(lambda: dynamodb, "products", LONE)
    settles = [Settle("products", f"k{n}", {"pk": {"S": f"k{n}"}}) for n in range(300)]
    most, taken = 0, 0

    for _ in table.read(settles, Deadline(lambda: 60_000)):
        time.sleep(0.001)  # let all reads come back that are under way
        most = max(most, (sum(map(len, dynamodb.reads)) - taken) * size)
        taken += 1

    assert taken == 300
    assert most <= 9 * 1024**2
    assert kilobytes > 1 or len(dynamodb.reads) < 20


def test_one_refused_key_of_many_is_found_and_named() -> None:
    class Picky(FakeDynamoDB):
        def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803
            if {"pk": {"S": "k77"}} in RequestItems["products"]["Keys"]:
                raise ClientError({"Error": {"Code": "ValidationException"}}, "BatchGetItem")
            return super().batch_get_item(RequestItems=RequestItems)

    dynamodb = Picky({f"k{n}": {"pk": {"S": f"k{n}"}} for n in range(150)})
    table = Table(lambda: dynamodb, "products", LONE)
    keys = [Settle("products", f"k{n}", {"pk": {"S": f"k{n}"}}) for n in range(200)]
    refused: list[Settle] = []

    found = {one.id: one.item for one in table.read(keys, Deadline(lambda: 60_000), unreadable=refused.append)}

    assert [one.id for one in refused] == ["k77"]
    assert set(found) == {f"k{n}" for n in range(200)} - {"k77"}
    assert [key for key, item in found.items() if item is None] == [f"k{n}" for n in range(150, 200)]
    with pytest.raises(ConfigurationError, match="ValidationException for the key of the document 'k77'"):
        list(table.read(keys, Deadline(lambda: 60_000)))


def test_a_dynamodb_that_refuses_connections_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    config = Config(retries={"total_max_attempts": 1})
    real = boto3.client("dynamodb", region_name="eu-west-1", endpoint_url=url, config=config)

    assert read(Table(lambda: real, "products", LONE), LONE, {"pk": {"S": "a"}}) == {}


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ValidationException", "UnrecognizedClientException", "ExpiredTokenException"]
)
def test_what_must_be_changed_first_is_a_configuration_error_with_amazons_code(code: str) -> None:
    error = ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "BatchGetItem")

    with pytest.raises(ConfigurationError, match=rf"{code}.*dynamodb:BatchGetItem"):
        read(faulty(error), LONE, {"pk": {"S": "a"}})


def test_a_missing_table_is_a_configuration_error(client: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"TABLE_NAME is 'products'.*ResourceNotFoundException"):
        read(Table(lambda: Dated(client), "products", LONE), LONE, {"pk": {"S": "a"}})


def faulty(error: Exception) -> Table:
    dynamodb = FakeDynamoDB(items={"a": {"pk": {"S": "a"}}}, faults=[error])
    return Table(lambda: dynamodb, "products", LONE)


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
    assert read(faulty(error), LONE, {"pk": {"S": "a"}}) == {}


def test_missing_credentials_are_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="Unable to locate credentials"):
        read(faulty(NoCredentialsError()), LONE, {"pk": {"S": "a"}})


def test_without_a_date_the_time_of_the_read_is_not_guessed() -> None:
    class Undated(FakeDynamoDB):
        def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803
            answer = dict(super().batch_get_item(RequestItems=RequestItems))
            return answer | {"ResponseMetadata": {"HTTPHeaders": {}}}

    dynamodb = Undated()
    with pytest.raises(ConfigurationError, match="Date header"):
        read(Table(lambda: dynamodb, "products", LONE), LONE, {"pk": {"S": "a"}})


def test_nothing_is_read_when_there_is_nothing_to_read_or_no_time() -> None:
    dynamodb = FakeDynamoDB()
    table = Table(lambda: dynamodb, "products", LONE)

    assert list(table.read([], Deadline(lambda: 60_000))) == []
    assert list(table.read([Settle("products", "a", {"pk": {"S": "a"}})], Deadline(lambda: 0))) == []
    assert dynamodb.reads == []


def test_a_reading_has_the_time_of_dynamodbs_own_clock() -> None:
    table = Table(lambda: FakeDynamoDB(now=START + 5000), "products", LONE)

    [reading] = table.read([Settle("products", "a", {"pk": {"S": "a"}})], Deadline(lambda: 60_000))

    assert reading == Reading("a", None, START + 5000)
