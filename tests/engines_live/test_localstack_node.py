"""A real LocalStack: functions run as processes as on AWS, and nothing of it is left."""

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from engines import LocalStackNode, localstack
from engines.processes import find_family

FUNCTION = "engines-function"
TABLE = "engines-table"
HANDLER = """
import os, subprocess, time

def handler(event, context):
    records = event.get("Records")
    if records:
        print("records", *(record["dynamodb"]["Keys"]["pk"]["S"] for record in records))
        return {"batchItemFailures": []}
    match event["do"]:
        case "exit": os._exit(3)
        case "raise": raise ValueError("told to")
        case "sleep": time.sleep(60)
        case "child": return subprocess.Popen(["sleep", "600"], start_new_session=True).pid
        case "environment": return dict(os.environ)
"""


@pytest.fixture(scope="module")
def clients(aws: LocalStackNode) -> Callable[[str], Any]:
    return _clients_of(aws)


def _clients_of(node: LocalStackNode) -> Callable[[str], Any]:
    environment = node.environment()
    session = boto3.Session(
        environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"], region_name=node.region
    )

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=node.url)

    return client


@pytest.fixture(scope="module")
def function(clients: Callable[[str], Any]) -> Iterator[Any]:
    """A Lambda client, with the function there."""
    _create_function(clients("lambda"))
    yield clients("lambda")
    clients("lambda").delete_function(FunctionName=FUNCTION)


def _create_function(client: Any) -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", HANDLER)
    client.create_function(
        FunctionName=FUNCTION,
        Runtime="python3.13",
        Handler="app.handler",
        Role="arn:aws:iam::000000000000:role/function",
        Code={"ZipFile": package.getvalue()},
        Timeout=2,
    )
    client.get_waiter("function_active_v2").wait(FunctionName=FUNCTION, WaiterConfig={"Delay": 1})


def _invoke(client: Any, what: str) -> tuple[str | None, Any]:
    response = client.invoke(FunctionName=FUNCTION, Payload=json.dumps({"do": what}))
    return response.get("FunctionError"), json.loads(response["Payload"].read())


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_functions_sdk_is_sent_to_localstack(function: Any, aws: LocalStackNode) -> None:
    error, environment = _invoke(function, "environment")
    assert error is None
    assert environment["AWS_ENDPOINT_URL"] == aws.url
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == FUNCTION
    assert "AWS_PROFILE" not in environment


@pytest.mark.parametrize(
    ("what", "error_type", "message"),
    [
        ("raise", "ValueError", "told to"),
        ("exit", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        ("sleep", "Sandbox.Timedout", "Task timed out after 2.00 seconds"),
    ],
)
def test_a_function_that_fails_is_told_and_runs_again(function: Any, what: str, error_type: str, message: str) -> None:
    error, payload = _invoke(function, what)
    assert error is not None
    assert payload["errorType"] == error_type
    assert payload["errorMessage"].endswith(message)
    assert _invoke(function, "environment")[0] is None


def test_a_put_reaches_the_function_within_a_second_and_its_output_the_logs(
    function: Any, clients: Callable[[str], Any]
) -> None:
    database = clients("dynamodb")
    stream = database.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]["LatestStreamArn"]
    mapping = function.create_event_source_mapping(
        FunctionName=FUNCTION, EventSourceArn=stream, StartingPosition="TRIM_HORIZON"
    )["UUID"]

    def lines() -> list[str]:
        found = clients("logs").filter_log_events(logGroupName=f"/aws/lambda/{FUNCTION}")["events"]
        return [event["message"].strip() for event in found]

    try:
        _wait_for(lambda: function.get_event_source_mapping(UUID=mapping)["State"] == "Enabled")
        database.put_item(TableName=TABLE, Item={"pk": {"S": "first"}})
        _wait_for(lambda: "records first" in lines())
        database.put_item(TableName=TABLE, Item={"pk": {"S": "second"}})
        _wait_for(lambda: "records second" in lines())
        assert any(line.startswith("REPORT RequestId: ") and "Max Memory Used: " in line for line in lines())
    finally:
        function.delete_event_source_mapping(UUID=mapping)
        database.delete_table(TableName=TABLE)


def test_nothing_of_it_is_left(aws: LocalStackNode) -> None:
    before = _temporary_files()
    with localstack() as other:
        assert other.url != aws.url
        clients = _clients_of(other)
        _create_function(clients("lambda"))
        _, child = _invoke(clients("lambda"), "child")
        clients("dynamodb").list_tables()
        clients("s3").create_bucket(Bucket="bucket")
        clients("s3").put_object(Bucket="bucket", Key="key", Body=b"x" * 1_000_000)
        folder = other.log_file.parent
        family = find_family(folder)
        assert child in [process.pid for process in family]
        assert {"java", "sleep"} < {process.name() for process in family}
    assert find_family(folder) == []
    assert not folder.exists()
    assert _temporary_files() - before == set()


def _temporary_files() -> set[Path]:
    """What LocalStack would leave in the machine's own folder."""
    return set(Path("/tmp").glob("*localstack*"))  # noqa: S108 - it is LocalStack that names it
