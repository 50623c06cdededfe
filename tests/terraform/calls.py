"""What the function asks of AWS and of OpenSearch, each call as IAM names it. Nothing leaves the machine.

The requests are taken where they would go on the wire, below botocore and requests: whatever code made them is seen.
"""

import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import botocore.httpsession
import pytest
import requests
from botocore.awsrequest import AWSResponse
from dynamodb_opensearch import dead_letters
from fakes.dynamodb import START
from fakes.opensearch import FakeOpenSearch, refused
from terraform.workspace import REPOSITORY

REGION, ACCOUNT = "eu-west-1", "111122223333"
# Operations that IAM has under another name
_ACTIONS = {"sqs:SendMessageBatch": "sqs:SendMessage", "sns:PublishBatch": "sns:Publish", "s3:PUT": "s3:PutObject"}


@dataclass(frozen=True, order=True, slots=True)
class Call:
    """An IAM action on a resource."""

    action: str
    resource: str


def calls_of_a_batch(
    environment: Mapping[str, str], endpoints: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> set[Call]:
    """What the handler calls for one batch with something to write, something to settle and something to set aside.

    Args:
        environment: the function's, as the module sets it.
        endpoints: the ARN of the domain or collection behind each host.
    """
    recorder = _Recorder(endpoints)
    lambdas_own = {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
    for name, value in {**environment, **lambdas_own}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setattr(botocore.httpsession.URLLib3Session, "send", lambda _, request: recorder.aws(request))
    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", lambda _, request, **__: recorder.opensearch(request))
    dead_letters.connect.cache_clear()
    try:
        answer = _load_handler()({"Records": _batch(environment["TABLE_KEYS"])}, _Context())
    finally:
        dead_letters.connect.cache_clear()
    assert answer == {"batchItemFailures": []}, "the batch must be done, or a call was left out"
    return recorder.calls


def _load_handler() -> Any:
    """The handler of a module of its own: it reads its settings when it is imported."""
    path = REPOSITORY / "lambda/src/dynamodb_opensearch/stream.py"
    spec = importlib.util.spec_from_file_location("stream_with_recorded_calls", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handler


class _Context:
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def _batch(key: str) -> list[dict[str, Any]]:
    """Written as it is; read again, for it has no image; refused."""
    images = {"written": {"n": {"N": "1"}}, "settled": None, "poison": {"n": {"S": "no number"}}}
    return [
        {
            "eventName": "MODIFY",
            "dynamodb": {
                "ApproximateCreationDateTime": START,
                "Keys": {key: {"S": name}},
                "SequenceNumber": f"{number}00000000000000499659",
                **({"NewImage": {key: {"S": name}, **image}} if image else {}),
            },
        }
        for number, (name, image) in enumerate(images.items(), 1)
    ]


class _Recorder:
    def __init__(self, endpoints: Mapping[str, str]) -> None:
        self.calls: set[Call] = set()
        self._endpoints = endpoints
        self._index = FakeOpenSearch(item_faults=lambda key: refused() if key == "poison" else None)

    def opensearch(self, request: requests.PreparedRequest) -> requests.Response:
        """Only a signed request is one that IAM decides on."""
        url = urlsplit(str(request.url))
        if (service := _signed_for(request.headers)) is not None:
            arn = self._endpoints[str(url.hostname)]
            call = {
                "es": Call(f"es:ESHttp{str(request.method).capitalize()}", f"{arn}{url.path}"),
                "aoss": Call("aoss:APIAccessAll", arn),
            }[service]
            self.calls.add(call)
        assert isinstance(request.body, bytes)
        answer = self._index.post(url.path, {}, request.body, 1)
        response = requests.Response()
        response.request = request
        response.status_code = answer.status
        response.headers["content-type"] = "application/json"
        response.raw = BytesIO(json.dumps(answer.body).encode())
        return response

    def aws(self, request: Any) -> AWSResponse:
        service = _signed_for(request.headers)
        assert service is not None, f"{request.method} {request.url} is not signed"
        url, body = urlsplit(request.url), _text(request.body)
        match service:
            case "s3":
                operation = request.method
                resource = f"arn:aws:s3:::{str(url.hostname).partition('.s3.')[0]}{unquote(url.path)}"
                answer: str | dict[str, Any] = ""
            case "sns":
                [operation], [resource] = parse_qs(body)["Action"], parse_qs(body)["TopicArn"]
                answer = _xml_of_a_published_batch()
            case _:
                operation = _text(request.headers["X-Amz-Target"]).rpartition(".")[2]
                resource, answer = _json_call(service, json.loads(body))
        called = f"{service}:{operation}"
        self.calls.add(Call(_ACTIONS.get(called, called), resource))
        return _response(request.url, answer)


def _signed_for(headers: Mapping[str, Any]) -> str | None:
    """The service in the credential scope of a Signature Version 4."""
    found = re.search(rf"^AWS4-HMAC-SHA256 Credential=\w+/\d{{8}}/{REGION}/(\w+)/", _text(headers.get("Authorization")))
    return found[1] if found else None


def _json_call(service: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """What a request is about, and what AWS would answer."""
    match service:
        case "dynamodb":
            [(table, asked)] = body["RequestItems"].items()
            return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}", {"Responses": {table: asked["Keys"]}}
        case "sqs":
            account, name = urlsplit(body["QueueUrl"]).path.strip("/").split("/")
            sent = [{"Id": entry["Id"], "MessageId": "1", "MD5OfMessageBody": ""} for entry in body["Entries"]]
            return f"arn:aws:sqs:{REGION}:{account}:{name}", {"Successful": sent, "Failed": []}
        case "secretsmanager":
            return body["SecretId"], {"SecretString": json.dumps({"username": "sync", "password": "secret"})}
    return "*", {}


def _xml_of_a_published_batch() -> str:
    published = "<member><Id>0</Id><MessageId>1</MessageId></member>"
    return (
        '<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult>'
        f"<Successful>{published}</Successful></PublishBatchResult></PublishBatchResponse>"
    )


def _response(url: str, answer: str | Mapping[str, Any]) -> AWSResponse:
    body = answer if isinstance(answer, str) else json.dumps(answer)
    raw = BytesIO(body.encode())
    raw.stream = lambda: iter([raw.getvalue()])  # type: ignore[attr-defined]
    return AWSResponse(url, 200, {"Date": formatdate(START, usegmt=True)}, raw)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value or "")
