"""The client: what is sent, and what an answer means."""

import gzip
import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import EndpointConnectionError, UnauthorizedSSOTokenError
from dynamodb_opensearch.core.answers import Answer, Kind
from dynamodb_opensearch.core.changes import Write
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError, RefusedError, UnreachableError
from dynamodb_opensearch.core.projections import Projection
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.opensearch.bulk import Limits, Writer
from dynamodb_opensearch.opensearch.client import Client
from dynamodb_opensearch.settings import Auth, Compression, Service
from fakes.server import BODY, Reply, Server, ask, post, settings


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
    writer = Writer(Client(settings(server.url)), [Projection("products")], Limits(10**6, 100), 1, 5)
    write = Write("products", "a", {"pk": {"S": "a"}}, 1000, 1000, "1", None)

    [(_, outcome)] = writer.write([write], Deadline(lambda: 60_000), Tally())

    assert outcome.kind is Kind.BLOCKED
    assert "OPENSEARCH_ENDPOINT" in str(outcome.error)
