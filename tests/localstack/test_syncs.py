"""The module on LocalStack's own event source mapping, in the manner of Terratest: apply, assert, plan, destroy.

LocalStack stores bisecting, record age, parallelization factor and tumbling window without doing them; those are tested
by the simulator in tests/convergence only.
"""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import boto3
import pytest
from engines import LocalStackNode, OpenSearchNode, terraform_environment
from opensearch import api
from python_terraform import IsFlagged, IsNotFlagged, Terraform
from terraform.workspace import REPOSITORY, copy_repository

NAME = "syncs"
VIEWS = ["new-and-old-images", "new-image", "keys-only", "old-image"]


class Stack:
    """Four applied syncs, with the clients that a test needs."""

    def __init__(self, terraform: Terraform, aws: LocalStackNode, node: OpenSearchNode) -> None:
        self.terraform = terraform
        self._node = node
        self._session = boto3.Session("test", "test", region_name=aws.region)
        self._aws_url = aws.url
        self.dynamodb = self.client("dynamodb")
        self.outputs = {name: output["value"] for name, output in terraform.output().items()}

    def client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._aws_url)

    def put(self, view: str, key: str, **attributes: Any) -> None:
        self.dynamodb.put_item(TableName=f"{NAME}-{view}", Item={"pk": {"S": key}, **attributes})

    def delete(self, view: str, key: str) -> None:
        self.dynamodb.delete_item(TableName=f"{NAME}-{view}", Key={"pk": {"S": key}})

    def source(self, view: str, key: str) -> str | None:
        return api.source(self._node, f"{NAME}-{view}", key)

    def opensearch(self, method: str, path: str, body: Any = None) -> str:
        return api.call(self._node, method, path, body)


@pytest.fixture(scope="module")
def stack(aws: LocalStackNode, opensearch_node: OpenSearchNode, tmp_path_factory: Any) -> Iterator[Stack]:
    folder = copy_repository(tmp_path_factory.mktemp("syncs")) / "tests" / "localstack" / "syncs"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.tf").write_bytes((REPOSITORY / "tests" / "localstack" / "syncs" / "main.tf").read_bytes())
    variables = {"aws_endpoint": aws.url, "opensearch_endpoint": opensearch_node.url, "name": NAME}
    with terraform_environment() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        terraform = Terraform(working_dir=str(folder), variables=variables)
        terraform.init(raise_on_error=True)
        try:
            terraform.apply(skip_plan=True, raise_on_error=True)
            stack = Stack(terraform, aws, opensearch_node)
            for view in VIEWS:
                mappings = {"dynamic": False, "properties": {"n": {"type": "long"}}}
                stack.opensearch(
                    "PUT", f"/{NAME}-{view}", {"mappings": mappings, "settings": {"index.gc_deletes": "1h"}}
                )
            yield stack
        finally:
            # python-terraform knows Terraform before 0.15: its own -force is taken off.
            terraform.destroy(force=IsNotFlagged, auto_approve=IsFlagged, raise_on_error=True)


def eventually(condition: Callable[[], Any], seconds: float = 90) -> Any:
    """What the condition comes to, once it is true."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.2)
    return value


@pytest.mark.parametrize("view", VIEWS)
def test_inserts_updates_and_deletes_arrive_with_every_stream_view_type(stack: Stack, view: str) -> None:
    stack.put(view, "kept", n={"N": "1"}, b={"B": b"\x00\xff"})
    stack.put(view, "gone", n={"N": "2"})
    eventually(lambda: stack.source(view, "gone"))

    stack.put(view, "kept", n={"N": "12345678901"}, b={"B": b"\x00\xff"})
    stack.delete(view, "gone")

    eventually(lambda: "12345678901" in (stack.source(view, "kept") or ""))
    eventually(lambda: stack.source(view, "gone") is None)
    assert json.loads(stack.source(view, "kept") or "") == {"pk": "kept", "n": 12345678901, "b": "AP8="}


def letters_of_queue(stack: Stack, view: str) -> list[str]:
    sqs = stack.client("sqs")
    url = sqs.get_queue_url(QueueName=stack.outputs["failure_destinations"][view].rsplit(":", 1)[1])["QueueUrl"]
    return [
        message["Body"] for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    ]


def letters_of_bucket(stack: Stack, view: str) -> list[str]:
    s3 = stack.client("s3")
    bucket = stack.outputs["failure_destinations"][view].rsplit(":", 1)[1]
    found = s3.list_objects_v2(Bucket=bucket, Prefix="dead-letters/").get("Contents", [])
    bodies = [s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read().decode() for one in found]
    return [line for body in bodies for line in body.splitlines()]


@pytest.mark.parametrize(
    ("view", "letters"), [("new-and-old-images", letters_of_queue), ("keys-only", letters_of_bucket)]
)
def test_a_poison_document_becomes_a_dead_letter_and_the_stream_goes_on(
    stack: Stack, view: str, letters: Callable[[Stack, str], list[str]]
) -> None:
    stack.put(view, "poison", n={"S": "no number"})
    stack.put(view, "next", n={"N": "1"})

    eventually(lambda: stack.source(view, "next"))
    [letter] = [json.loads(one) for one in eventually(lambda: letters(stack, view))]

    assert (letter["kind"], letter["keys"]) == ("document", {"pk": {"S": "poison"}})
    assert letter["reason"]["message"] == "failed to parse field [n] of type [long]"


def test_a_poison_document_reaches_a_topics_subscribers(stack: Stack) -> None:
    sqs, url = stack.client("sqs"), stack.outputs["letters_url"]

    stack.put("new-image", "poison", n={"S": "no number"})

    [message] = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    assert json.loads(json.loads(message["Body"])["Message"])["keys"] == {"pk": {"S": "poison"}}


def test_a_block_holds_the_stream_back_and_nothing_is_lost(stack: Stack) -> None:
    index = f"/{NAME}-new-image/_settings"
    stack.opensearch("PUT", index, {"index.blocks.write": True})
    for number in range(30):
        stack.put("new-image", f"held-{number}", n={"N": str(number)})
    time.sleep(3)
    assert stack.source("new-image", "held-0") is None

    stack.opensearch("PUT", index, {"index.blocks.write": None})

    for number in range(30):
        eventually(partial(stack.source, "new-image", f"held-{number}"))


def test_a_missing_index_waits_with_advice_and_goes_on_once_it_is_there(stack: Stack) -> None:
    view = "old-image"
    settings = {"transient": {"action.auto_create_index": f"-{NAME}-*,+*"}}
    stack.opensearch("PUT", "/_cluster/settings", settings)
    stack.opensearch("DELETE", f"/{NAME}-{view}")

    stack.put(view, "patient", n={"N": "1"})
    logs = stack.client("logs")

    def advised() -> bool:
        events = logs.filter_log_events(logGroupName=stack.outputs["log_groups"][view])["events"]
        return any("create the index" in event["message"] for event in events)

    eventually(advised)
    stack.opensearch("PUT", f"/{NAME}-{view}")
    eventually(lambda: stack.source(view, "patient"))
    stack.opensearch("PUT", "/_cluster/settings", {"transient": {"action.auto_create_index": None}})
    assert letters_of_queue(stack, view) == []


def test_a_second_plan_is_empty(stack: Stack) -> None:
    code, output, _ = stack.terraform.plan()

    assert code == 0, output  # with -detailed-exitcode, which python-terraform adds: no changes
