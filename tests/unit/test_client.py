import base64
import gzip
import hashlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from dynamodb_opensearch.answers import Answer
from dynamodb_opensearch.client import Client, UnreachableError, read_secret
from dynamodb_opensearch.errors import ConfigurationError
from dynamodb_opensearch.settings import Auth, Compression, Service, Settings, read_settings
from moto import mock_aws
from moto.core.models import responses_mock

BODY = b'{"delete":{"_id":"1"}}\n'
Reply = tuple[int, str, bytes]


class Server:
    """Answers each request by ``reply``, and remembers headers and bodies."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.reply: Callable[[dict[str, str]], Reply | None] = lambda _: (200, "application/json", b'{"errors":false}')
        self.connections = 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                server.connections += 1

            def do_POST(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.requests.append((self.path, headers, self.rfile.read(int(headers["content-length"]))))
                reply = server.reply(headers)
                if reply is None:  # hang up without an answer
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                status, content_type, body = reply
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                del args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign] # TLS bytes: the test knows
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def settings(url: str, **changes: Any) -> Settings:
    environment = {
        "OPENSEARCH_ENDPOINT": url,
        "OPENSEARCH_AUTH": "none",
        "AWS_REGION": "eu-west-1",
        "TABLE_NAME": "products",
        "TABLE_KEYS": "pk",
        "INDEX": "products",
    }
    return replace(read_settings(environment), **changes)


def post(client: Client, timeout_seconds: float = 5) -> Answer:
    return client.post("/products/_bulk", {"filter_path": "errors"}, BODY, timeout_seconds)


def test_a_body_goes_as_it_is_over_one_kept_connection(server: Server) -> None:
    client = Client(settings(server.url))

    assert post(client) == post(client) == Answer(200, {"errors": False})

    path, headers, body = server.requests[0]
    assert (path, body, headers["content-type"]) == ("/products/_bulk?filter_path=errors", BODY, "application/x-ndjson")
    assert server.connections == 1


def test_a_body_can_be_compressed(server: Server) -> None:
    post(Client(settings(server.url, compression=Compression.GZIP)))

    _, headers, body = server.requests[0]
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == BODY


@pytest.mark.parametrize("service", Service)
@pytest.mark.parametrize("compression", Compression)
def test_sigv4_signs_what_is_sent_with_the_credentials_of_the_moment(
    server: Server, service: Service, compression: Compression, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token-1")
    client = Client(settings(server.url, auth=Auth.SIGV4, service=service, compression=compression))

    post(client)

    _, headers, body = server.requests[0]
    signature = headers["authorization"]
    assert re.match(rf"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\d{{8}}/eu-west-1/{service}/aws4_request", signature)
    assert headers["x-amz-content-sha256"] == hashlib.sha256(body).hexdigest()
    assert headers["x-amz-security-token"] == "token-1"
    # A collection refuses a signature over hop-by-hop headers (opensearch-py#1047).
    signed = signature.split("SignedHeaders=")[1].split(",")[0].split(";")
    assert set(signed) <= {"content-type", "host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"}
    assert {"host", "x-amz-content-sha256", "x-amz-date"} <= set(signed)


def test_without_credentials_the_advice_is_to_give_some(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boto3.Session.get_credentials", lambda _: None)

    with pytest.raises(ConfigurationError, match="give the function a role"):
        post(Client(settings(server.url, auth=Auth.SIGV4)))


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ((429, "application/json", b'{"error":{"type":"x"}}'), Answer(429, {"error": {"type": "x"}})),
        ((401, "text/plain", b"Unauthorized"), Answer(401, "Unauthorized")),
        ((403, "application/json", b'{"Message":"no"}'), Answer(403, {"Message": "no"})),
        ((403, "application/x-amz-json-1.0", b'{"message":"no"}'), Answer(403, {"message": "no"})),
        ((413, "text/plain", b""), Answer(413, "")),
        ((502, "text/html", b"<html>"), Answer(502, "<html>")),
        ((200, "text/html", b"<html>"), Answer(200, None)),
    ],
)  # fmt: skip
def test_every_answer_comes_back_with_its_status(server: Server, reply: Reply, answer: Answer) -> None:
    server.reply = lambda _: reply

    assert post(Client(settings(server.url))) == answer


def test_a_dropped_connection_is_unreachable_and_the_next_request_works(server: Server) -> None:
    client = Client(settings(server.url))
    post(client)
    server.reply = lambda _: None
    with pytest.raises(UnreachableError):
        post(client)
    server.reply = lambda _: (200, "application/json", b'{"errors":false}')

    assert post(client).status == 200
    assert len(server.requests) == 3  # nothing is sent twice behind our back


def test_no_answer_in_time_is_unreachable(server: Server) -> None:
    wait = threading.Event()
    server.reply = lambda _: (wait.wait(5), (200, "application/json", b"{}"))[1]

    with pytest.raises(UnreachableError, match="Timeout"):
        post(Client(settings(server.url)), timeout_seconds=0.1)
    wait.set()


def test_a_refused_connection_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

    with pytest.raises(UnreachableError, match="ConnectionRefusedError"):
        post(Client(settings(url)))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), ConfigurationError),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), UnreachableError),
    ],
)
def test_an_unknown_host_is_a_wrong_setting_and_a_resolver_that_is_down_is_not(
    error: Exception, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    with pytest.raises(kind, match=r"search\.example\.com"):
        post(Client(settings("http://search.example.com:9200")))


def test_a_host_that_moved_is_found_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Server()
    resolved = socket.getaddrinfo
    target = [server]

    def resolve(_host: str, _port: int, *rest: Any, **options: Any) -> Any:
        return resolved("127.0.0.1", int(target[0].url.rsplit(":", 1)[1]), *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    client = Client(settings("http://search.example.com:9200"))
    post(client)
    server.reply = lambda _: None
    target[0] = other
    with pytest.raises(UnreachableError):
        post(client)

    assert post(client).status == 200
    assert len(other.requests) == 1
    other.close()


def test_plain_http_behind_https_is_named(server: Server) -> None:
    with pytest.raises(ConfigurationError, match="doesn't speak TLS"):
        post(Client(settings(server.url.replace("http:", "https:"))))


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], str]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        client = boto3.client("secretsmanager")
        arn = client.create_secret(Name="search", SecretString="{}")["ARN"]

        def put(value: Any) -> str:
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


@pytest.fixture
def requests_mock_free() -> None:
    """moto stands in for AWS only: requests to the test's own server must pass."""
    responses_mock.add_passthru("http://127.0.0.1")


@pytest.mark.parametrize("value", ["plain text", {"user": "x"}, "[]"])
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
