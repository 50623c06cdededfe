"""The client with a user and a password from Secrets Manager."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import boto3
import pytest
from dynamodb_opensearch.core.answers import Answer
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.opensearch import client as client_module
from dynamodb_opensearch.opensearch.client import Client, read_secret
from dynamodb_opensearch.settings import Auth
from fakes.server import Reply, Server, post, settings
from moto import mock_aws
from moto.core.models import responses_mock


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], str]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        client = boto3.client("secretsmanager")
        arn = client.create_secret(Name="search", SecretString="{}")["ARN"]

        def put(value: Any) -> str:
            if isinstance(value, bytes):
                client.put_secret_value(SecretId=arn, SecretBinary=value)
                return str(arn)
            client.put_secret_value(SecretId=arn, SecretString=value if isinstance(value, str) else json.dumps(value))
            return str(arn)

        yield put


def demand(password: str) -> Callable[[dict[str, str]], Reply]:
    """A server that lets in user ``sync`` with this password only."""
    wanted = "Basic " + base64.b64encode(f"sync:{password}".encode()).decode()

    def reply(headers: dict[str, str]) -> Reply:
        if headers.get("authorization") == wanted:
            return (200, "application/json", b'{"errors":false}')
        return (401, "text/plain", b"Unauthorized")

    return reply


def test_a_changed_password_is_fetched_and_used_without_failing(
    server: Server, secret: Callable[[Any], str], requests_mock_free: None
) -> None:
    del requests_mock_free
    arn = secret({"username": "sync", "password": "old"})
    client = Client(settings(server.url, auth=Auth.BASIC, secret_arn=arn))
    server.reply = demand("old")
    assert post(client).status == 200

    server.reply = demand("new")
    secret({"username": "sync", "password": "new"})

    assert post(client).status == 200


def test_a_password_that_stays_wrong_is_not_tried_for_ever(
    server: Server, secret: Callable[[Any], str], requests_mock_free: None
) -> None:
    del requests_mock_free
    arn = secret({"username": "sync", "password": "wrong"})
    server.reply = demand("right")

    assert post(Client(settings(server.url, auth=Auth.BASIC, secret_arn=arn))) == Answer(401, "Unauthorized")
    assert len(server.requests) == 1


@pytest.mark.parametrize("password", ["s3cr3t", "pässwörd", "Łódź-密码", "a:b"])
def test_a_password_travels_as_utf_8(server: Server, password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "read_secret", lambda _: ("sync", password))
    server.reply = demand(password)

    assert post(Client(settings(server.url, auth=Auth.BASIC, secret_arn="stubbed"))).status == 200


def test_requests_at_the_same_time_fetch_a_changed_password_once(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []
    password = ["old"]

    def read(arn: str) -> tuple[str, str]:
        fetched.append(arn)
        return "sync", password[0]

    monkeypatch.setattr(client_module, "read_secret", read)
    client = Client(settings(server.url, auth=Auth.BASIC, secret_arn="stubbed", bulk_connections=4))
    server.reply = demand("old")
    post(client)
    password[0] = "new"
    refused = threading.Barrier(4)
    let_in = demand("new")

    def reply(headers: dict[str, str]) -> Reply:
        answer = let_in(headers)
        if answer[0] == 401:
            refused.wait(10)
        return answer

    server.reply = reply
    with ThreadPoolExecutor(4) as pool:
        assert [answer.status for answer in pool.map(lambda _: post(client), range(4))] == [200] * 4
    assert len(fetched) == 2


def test_a_secrets_manager_that_is_out_of_reach_is_not_waited_for_longer_than_an_invocation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From a VPC without a way to Secrets Manager a connection is neither accepted nor refused."""
    made: list[Any] = []
    monkeypatch.setattr("boto3.client", lambda *_, **options: made.append(options.get("config")))

    with suppress(AttributeError):  # what is read from the client that is none
        read_secret("arn:aws:secretsmanager:eu-west-1:123456789012:secret:search-AbCdEf")

    [config] = made
    assert config is not None
    attempts = config.retries["total_max_attempts"]
    assert attempts * max(config.connect_timeout, config.read_timeout) <= 30


@pytest.fixture
def requests_mock_free() -> None:
    """moto stands in for AWS only: requests to the test's own server must pass."""
    responses_mock.add_passthru("http://127.0.0.1")


def test_a_secret_may_be_binary(secret: Callable[[Any], str]) -> None:
    assert read_secret(secret(b'{"username":"sync","password":"\xc5\x81"}')) == ("sync", "Ł")


ODD_SECRETS = [
    "plain text",
    {"user": "x"},
    "[]",
    '"plain text"',
    "null",
    {"username": "sync", "password": None},
    {"username": "sync", "password": 5},
    {"username": "sync", "password": ""},
    {"username": ["sync"], "password": "plain text"},
    b"plain text",
    b"\xff\xfe",
    b"[" * 100_000,
]


@pytest.mark.parametrize("value", ODD_SECRETS, ids=lambda value: str(value)[:30])
def test_a_secret_of_another_form_is_named_and_not_quoted(value: Any, secret: Callable[[Any], str]) -> None:
    with pytest.raises(ConfigurationError, match="the secret must be JSON like") as error:
        read_secret(secret(value))
    assert "plain text" not in str(error.value)


@pytest.mark.usefixtures("secret")
def test_a_secret_that_is_not_there_is_named() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:gone-AbCdEf"

    with pytest.raises(ConfigurationError, match=f"OPENSEARCH_SECRET_ARN is '{arn}'.*ResourceNotFoundException"):
        read_secret(arn)


def test_a_proxy_of_the_environment_is_not_taken(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert post(Client(settings(server.url))).status == 200
