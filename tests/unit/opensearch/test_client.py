import base64
import gzip
import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import EndpointConnectionError, UnauthorizedSSOTokenError
from dynamodb_opensearch.core.answers import Answer
from dynamodb_opensearch.core.changes import Write
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError, RefusedError, UnreachableError
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.opensearch import client as client_module
from dynamodb_opensearch.opensearch.bulk import Index, Limits
from dynamodb_opensearch.opensearch.client import Client, read_secret
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
        self.headers: dict[str, str] = {}
        """To be sent with every answer."""
        self.connections = self.open_connections = 0
        self.hangs_up_when_idle = False
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                server.connections += 1
                server.open_connections += 1

            def finish(self) -> None:
                super().finish()
                self.connection.close()
                server.open_connections -= 1

            def __getattr__(self, name: str) -> Any:
                if name.startswith("do_"):
                    return self._reply
                raise AttributeError(name)

            def _reply(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.requests.append((self.path, headers, self.rfile.read(int(headers.get("content-length", 0)))))
                reply = server.reply(headers)
                if reply is None:  # hang up without an answer
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                status, content_type, body = reply
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                for name, value in server.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = server.hangs_up_when_idle

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


def ask(client: Client, method: str) -> Any:
    """Both ways to OpenSearch: a bulk request, or another."""
    return post(client) if method == "bulk" else client.fetch(method, "/products/_bulk", {}, b"{}", 5)


def test_a_body_goes_as_it_is_over_one_kept_connection(server: Server) -> None:
    client = Client(settings(server.url))

    assert post(client) == post(client) == Answer(200, {"errors": False})

    path, headers, body = server.requests[0]
    assert (path, body) == ("/products/_bulk?filter_path=errors&timeout=2500ms", BODY)
    assert headers["content-type"] == "application/x-ndjson"
    assert server.connections == 1


@pytest.mark.parametrize(("seconds", "timeout"), [(20, "10000ms"), (0.5, "250ms"), (0.001, "1ms")])
def test_opensearch_waits_for_a_shard_half_as_long_as_we_do(server: Server, seconds: float, timeout: str) -> None:
    with suppress(UnreachableError):
        post(Client(settings(server.url)), timeout_seconds=seconds)

    assert [path.partition("&timeout=")[2] for path, _, _ in server.requests] in ([timeout], [])
    assert server.requests or seconds < 0.1


def test_a_collection_is_asked_for_no_wait(server: Server) -> None:
    post(Client(settings(server.url, service=Service.AOSS)))

    assert server.requests[0][0] == "/products/_bulk?filter_path=errors"


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


@pytest.mark.parametrize("service", Service)
@pytest.mark.parametrize("index", ["products", "a=b&c", "é", "a%b~(c)'!@$"])
def test_a_signature_is_the_one_that_amazons_own_signer_makes(
    server: Server, index: str, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token-1")
    client = Client(settings(server.url, auth=Auth.SIGV4, service=service))

    client.post(f"/{quote(index, safe='')}/_bulk", {"filter_path": "errors,items.*.status"}, BODY, 5)

    path, headers, body = server.requests[0]
    signed = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    request = AWSRequest("POST", server.url + path, {name: headers[name] for name in signed}, body)
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials("AKIDEXAMPLE", "secret", "token-1"), service, "eu-west-1")
    expected = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert headers["authorization"].endswith(f"Signature={expected}")


def test_renewed_credentials_sign_the_next_request(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = count(1)
    credentials = Credentials("", "")
    credentials.get_frozen_credentials = lambda: ReadOnlyCredentials(f"AKID{(n := next(numbers))}", "s", f"token-{n}")
    monkeypatch.setattr("boto3.Session.get_credentials", lambda _: credentials)
    client = Client(settings(server.url, auth=Auth.SIGV4))

    post(client)
    post(client)

    first, second = ((headers["authorization"], headers["x-amz-security-token"]) for _, headers, _ in server.requests)
    number = int(first[1].removeprefix("token-"))
    assert second[1] != first[1]
    assert f"Credential=AKID{number}/" in first[0]


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
        ((503, "text/html; charset=latin-1", b"<html>\xfcberlastet"), Answer(503, "?<html>\ufffdberlastet")),
        ((201, "application/json; charset=UTF-8", b'{"errors":true}'), Answer(201, {"errors": True})),
    ],
)  # fmt: skip
def test_every_answer_comes_back_with_its_status(server: Server, reply: Reply, answer: Answer) -> None:
    server.reply = lambda _: reply

    assert post(Client(settings(server.url))) == answer


@pytest.fixture
def other() -> Iterator[Server]:
    """Another host, which would take whatever it got."""
    server = Server()
    yield server
    server.close()


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["bulk", "GET", "PUT", "DELETE"])
def test_a_redirect_is_reported_and_never_followed(server: Server, other: Server, status: int, method: str) -> None:
    server.reply = lambda _: (status, "text/html", b"<html>moved</html>")
    server.headers = {"Location": other.url + "/search/products/_bulk?token=s3cr3t#x"}
    client = Client(settings(server.url))

    with pytest.raises(ConfigurationError) as caught:
        ask(client, method)

    assert str(caught.value) == (
        f"OPENSEARCH_ENDPOINT is '{server.url}': it redirects to {other.url}/search: use that if it is yours"
    )
    assert other.requests == []
    assert other.connections == 0
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://search.example.com/products/_bulk", "redirects to https://search.example.com: use"),
        (
            "https://user:s3cr3t@search.example.com:8443/login",
            "redirects to https://search.example.com:8443/login: use",
        ),
        ("/login?next=s3cr3t", "redirects to http://127.0.0.1:[0-9]+/login: use"),
        ("//search.example.com/a\x07b", "redirects to http://search.example.com/ab: use"),
        ("http://[broken", "it answers 307, which isn't OpenSearch's"),
        ("mailto:s3cr3t", "it answers 307, which isn't OpenSearch's"),
        ("", "it answers 307, which isn't OpenSearch's"),
    ],
)
def test_a_redirects_target_is_named_without_user_password_and_query(server: Server, location: str, shown: str) -> None:
    server.reply = lambda _: (307, "text/plain", b"")
    server.headers = {"Location": location} if location else {}

    with pytest.raises(ConfigurationError, match=shown) as caught:
        post(Client(settings(server.url)))
    assert "s3cr3t" not in str(caught.value)


FOREIGN = {
    "a login page": (200, "text/html", b"<html>login</html>"),
    "a page in another charset": (200, "text/html; charset=latin-1", b"<html>\xfcber</html>"),
    "a page that calls itself JSON": (200, "application/json", b"<html>login</html>"),
    "text": (200, "text/plain", b"ok"),
    "nothing": (200, "application/json", b""),
    "no content": (204, "application/json", b""),
    "blanks": (200, "application/json", b" \n"),
    "a JSON array": (200, "application/json", b'[{"errors":false}]'),
    "a JSON text": (200, "application/json", b'"ok"'),
    "null": (200, "application/json", b"null"),
    "a template": (200, "application/json", b"{{ login }}"),
    "a script": (200, "text/javascript", b'{"a": b'),
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("method", ["bulk", "GET"])
def test_a_200_that_is_not_opensearchs_is_a_wrong_endpoint(server: Server, name: str, method: str) -> None:
    server.reply = lambda _: FOREIGN[name]
    client = Client(settings(server.url))

    with pytest.raises(ConfigurationError) as caught:
        ask(client, method)

    assert re.fullmatch(
        rf"OPENSEARCH_ENDPOINT is '{server.url}': 20[04] and .* isn't OpenSearch's: is that a login page.*",
        str(caught.value),
    )
    assert (FOREIGN[name][1].partition(";")[0] in str(caught.value)) == bool(FOREIGN[name][2].strip())


@pytest.mark.parametrize("method", ["bulk", "GET"])
def test_an_answer_that_was_cut_off_may_be_whole_the_next_time(server: Server, method: str) -> None:
    server.reply = lambda _: (200, "application/json; charset=UTF-8", b'{"errors":false,"items":[{"ind')
    client = Client(settings(server.url))

    with pytest.raises(UnreachableError, match="cut off"):
        ask(client, method)


def test_who_is_refused_sees_amazons_sentence_and_what_to_change(server: Server) -> None:
    server.reply = lambda _: (403, "application/json", b'{"message":"Credential should be scoped to a valid region"}')

    with pytest.raises(RefusedError, match=r"to GET /products/_bulk \(Credential should be scoped") as caught:
        ask(Client(settings(server.url)), "GET")
    assert "another Region" in (caught.value.advice or "")
    assert caught.value.reason_text == "Credential should be scoped to a valid region"


def test_an_answers_text_is_fetched_byte_for_byte(server: Server) -> None:
    text = '{"_source":{"n":1.50,"t":"\u00fc\\ud800"}} \n'
    server.reply = lambda _: (200, "application/json; charset=UTF-8", text.encode())

    assert Client(settings(server.url)).fetch("GET", "/products/_doc/1", {}, None, 5) == text


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (UnauthorizedSSOTokenError(), ConfigurationError),
        (EndpointConnectionError(endpoint_url="http://169.254.169.254"), UnreachableError),
    ],
)
def test_credentials_that_cannot_be_renewed_are_reported(
    server: Server, error: Exception, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def freeze() -> ReadOnlyCredentials:
        raise error

    credentials = Credentials("AKID", "s")
    monkeypatch.setattr(credentials, "get_frozen_credentials", freeze)
    monkeypatch.setattr("boto3.Session.get_credentials", lambda _: credentials)

    with pytest.raises(kind, match=type(error).__name__):
        post(Client(settings(server.url, auth=Auth.SIGV4)))
    assert server.requests == []


@pytest.mark.parametrize(
    "reply",
    [
        (400, "text/html", b"<html>The plain HTTP request was sent to HTTPS port</html>"),
        (400, "application/json", b'{"message":"Bad Request"}'),
        (400, "text/plain", b""),
    ],
)
def test_a_400_that_is_not_opensearchs_own_sets_no_document_aside(server: Server, reply: Reply) -> None:
    """A proxy in between refuses everything: all documents would drain into the dead letters."""
    server.reply = lambda _: reply
    index = Index(Client(settings(server.url)), "products", Limits(10**6, 100), 1, 5)
    write = Write("a", {"pk": {"S": "a"}}, 1000, 1000, "1", None)

    with pytest.raises(ConfigurationError, match="OPENSEARCH_ENDPOINT"):
        list(index.write([write], Deadline(lambda: 60_000), Tally()))


def test_a_dropped_connection_is_unreachable_and_the_next_request_works(server: Server) -> None:
    client = Client(settings(server.url))
    post(client)
    server.reply = lambda _: None
    with pytest.raises(UnreachableError):
        post(client)
    server.reply = lambda _: (200, "application/json", b'{"errors":false}')

    assert post(client).status == 200
    assert len(server.requests) == 3  # nothing is sent twice behind our back


def test_a_connection_that_was_closed_between_two_requests_is_replaced(server: Server) -> None:
    """A frozen function's connections are closed by the other side while it sleeps."""
    client = Client(settings(server.url))
    server.hangs_up_when_idle = True

    for number in range(1, 6):
        assert post(client).status == 200
        deadline = time.monotonic() + 5
        while server.open_connections and time.monotonic() < deadline:
            time.sleep(0.001)
        assert len(server.requests) == number


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


def test_a_path_before_the_index_is_kept(server: Server) -> None:
    post(Client(settings(server.url + "/search/")))

    assert server.requests[0][0].startswith("/search/products/_bulk?filter_path=errors&")


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_unusable_ca_file_is_named(server: Server, content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content:
        path.write_text(content)

    with pytest.raises(ConfigurationError, match=f"OPENSEARCH_CA_FILE is '{path}'"):
        post(Client(settings(server.url.replace("http:", "https:"), ca_file=str(path))))


@pytest.mark.parametrize("alert", [40, 70, 112], ids=["handshake failure", "protocol version", "unrecognized name"])
def test_a_handshake_that_is_refused_is_a_wrong_setting(alert: int) -> None:
    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(bytes([21, 3, 3, 0, 2, 2, alert]))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ConfigurationError, match=f"OPENSEARCH_ENDPOINT is '{url}'.*TLS"):
            post(Client(settings(url)))
        thread.join()


def test_a_connection_that_is_closed_during_the_handshake_is_unreachable() -> None:
    """A node that goes down does that: it will be back."""

    def serve() -> None:
        connection, _ = listener.accept()
        connection.recv(1)
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(UnreachableError):
            post(Client(settings(f"https://127.0.0.1:{listener.getsockname()[1]}")))
        thread.join()


def test_a_plain_connection_that_ends_without_a_word_may_be_to_a_tls_port() -> None:
    def serve() -> None:
        connection, _ = listener.accept()
        connection.recv(1 << 16)
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(
            UnreachableError, match=r"(RemoteDisconnected|ConnectionResetError); if the port speaks TLS, use https://"
        ):
            post(Client(settings(f"http://127.0.0.1:{listener.getsockname()[1]}")))
        thread.join()


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
