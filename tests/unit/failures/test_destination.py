import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from dynamodb_opensearch.core.reasons import Reason
from dynamodb_opensearch.failures import destination as dead_letters
from dynamodb_opensearch.failures.bucket import Bucket
from dynamodb_opensearch.failures.letter import DeadLetter
from dynamodb_opensearch.failures.queue import Queue
from dynamodb_opensearch.failures.topic import Topic
from moto import mock_aws

REGION = "eu-west-1"
AT = datetime(2026, 1, 5, 8, 0, 0, 123_000, tzinfo=UTC)


def letter(key: str = "k", message: str = "failed to parse field [n] of type [long]") -> DeadLetter:
    return DeadLetter(
        table="products",
        keys={"pk": {"S": key}},
        index="products",
        id=key,
        action="index",
        version=7,
        sequence_number="1",
        reason=Reason("mapper_parsing_exception", message),
    )


def messages(count: int, size: int = 10) -> list[str]:
    return [letter(f"{number}-" + "x" * size).to_json(AT) for number in range(count)]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    dead_letters.connect.cache_clear()
    with mock_aws():
        yield
    dead_letters.connect.cache_clear()


def received(url: str) -> list[dict[str, Any]]:
    client = boto3.client("sqs", region_name=REGION)
    found: list[dict[str, Any]] = []
    while batch := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in batch]
    return found


def make_queue(name: str = "letters") -> tuple[str, str]:
    client = boto3.client("sqs", region_name=REGION)
    url = client.create_queue(QueueName=name)["QueueUrl"]
    return url, client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def test_a_letter_has_the_contracts_form() -> None:
    assert json.loads(letter().to_json(AT)) == {
        "kind": "document",
        "table": "products",
        "keys": {"pk": {"S": "k"}},
        "index": "products",
        "id": "k",
        "action": "index",
        "version": 7,
        "sequenceNumber": "1",
        "reason": {"type": "mapper_parsing_exception", "message": "failed to parse field [n] of type [long]"},
        "at": "2026-01-05T08:00:00.123Z",
    }


def test_a_binary_key_is_base64_whichever_shape_it_came_in() -> None:
    sdk = DeadLetter("t", {"pk": {"B": b"\x00\xff"}}, None, None, None, None, None, Reason("undecodable"))

    assert json.loads(sdk.to_json(AT))["keys"] == {"pk": {"B": "AP8="}}


def test_a_long_reason_is_cut_and_keys_never_are() -> None:
    key = "é" * 1024

    cut = json.loads(letter(key, "m" * 5000).to_json(AT))

    assert len(cut["reason"]["message"]) == 1000
    assert cut["keys"] == {"pk": {"S": key}}


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("count", [1, 10, 25])
def test_letters_reach_a_queue(count: int) -> None:
    url, arn = make_queue()

    assert dead_letters.connect(arn).deliver(messages(count), "request") == {}
    assert len({one["id"] for one in received(url)}) == count


@pytest.mark.usefixtures("aws")
def test_letters_reach_a_topic() -> None:
    url, queue = make_queue()
    sns = boto3.client("sns", region_name=REGION)
    topic = sns.create_topic(Name="letters")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)

    assert dead_letters.connect(topic).deliver(messages(12), "request") == {}
    assert len({json.loads(one["Message"])["id"] for one in received(url)}) == 12


@pytest.mark.usefixtures("aws")
def test_letters_reach_a_bucket_as_one_object_of_lines() -> None:
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket="letters", CreateBucketConfiguration={"LocationConstraint": REGION})

    assert dead_letters.connect("arn:aws:s3:::letters").deliver(messages(12), "request-1") == {}

    [found] = s3.list_objects_v2(Bucket="letters")["Contents"]
    assert found["Key"].startswith("dead-letters/")
    assert found["Key"].endswith("-request-1.jsonl")
    body = s3.get_object(Bucket="letters", Key=found["Key"])["Body"].read().decode()
    assert [json.loads(line)["id"].split("-")[0] for line in body.splitlines()] == [str(n) for n in range(12)]


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("arn", "why"),
    [
        (f"arn:aws:sqs:{REGION}:123456789012:gone", "AWS.SimpleQueueService.NonExistentQueue"),
        (f"arn:aws:sns:{REGION}:123456789012:gone", "NotFound"),
        ("arn:aws:s3:::gone", "NoSuchBucket"),
    ],
)
def test_a_destination_that_is_gone_delivers_nothing_and_says_why(arn: str, why: str) -> None:
    assert dead_letters.connect(arn).deliver(messages(3), "request") == dict.fromkeys(range(3), why)


class Client:
    """An SQS client that takes what its script says of each batch."""

    class meta:  # noqa: N801 (boto3's name)
        endpoint_url = "https://sqs.eu-west-1.amazonaws.com"

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.batches: list[list[dict[str, str]]] = []
        self.urls: set[str] = set()

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> Any:  # noqa: N803
        self.urls.add(QueueUrl)
        self.batches.append(Entries)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer or {"Successful": [{"Id": entry["Id"]} for entry in Entries]}


def queue(client: Client) -> Queue:
    return Queue(f"arn:aws:sqs:{REGION}:123456789012:letters", client)


def test_a_queues_url_is_made_from_its_arn() -> None:
    client = Client()
    queue(client).deliver(messages(1), "request")

    assert client.urls == {"https://sqs.eu-west-1.amazonaws.com/123456789012/letters"}


def test_batches_hold_ten_messages_and_256_kib_at_most() -> None:
    small, large = Client(), Client()

    queue(small).deliver(messages(25), "request")
    queue(large).deliver(messages(25, size=50_000), "request")

    assert [len(batch) for batch in small.batches] == [10, 10, 5]
    sizes = [sum(len(entry["MessageBody"].encode()) for entry in batch) for batch in large.batches]
    assert max(sizes) <= 256 * 1024
    assert sum(len(batch) for batch in large.batches) == 25


def test_of_a_batch_only_the_confirmed_letters_count() -> None:
    partly = {"Successful": [{"Id": "0"}, {"Id": "2"}], "Failed": [{"Id": "1", "Code": "InternalError"}]}
    denied = ClientError({"Error": {"Code": "AccessDenied"}}, "SendMessageBatch")
    client = Client(partly, denied)

    silent = Client({"Successful": [{"Id": "0"}]})

    assert queue(client).deliver(messages(3), "request") == {1: "InternalError"}
    assert queue(client).deliver(messages(3), "request") == dict.fromkeys(range(3), "AccessDenied")
    assert queue(silent).deliver(messages(2), "request") == {1: "not confirmed"}


def test_connecting_asks_nothing_of_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", pytest.fail)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    dead_letters.connect.cache_clear()

    kinds = {"sqs": Queue, "sns": Topic}
    for service, kind in kinds.items():
        assert isinstance(dead_letters.connect(f"arn:aws:{service}:{REGION}:123456789012:letters"), kind)
    assert isinstance(dead_letters.connect("arn:aws:s3:::letters"), Bucket)
