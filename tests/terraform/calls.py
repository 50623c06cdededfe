"""What a function asks of AWS and of OpenSearch, each call as IAM names it. Nothing leaves the machine.

The requests are taken where they would go on the wire, below botocore and requests: whatever code made them is seen.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import botocore.httpsession
import botocore.loaders
import pytest
import requests
from botocore.awsrequest import AWSResponse
from dynamodb_opensearch.failures import destination as dead_letters
from fakes.dynamodb import START
from terraform.world import World

REGION, ACCOUNT = "eu-west-1", "111122223333"
# Operations that IAM has under another name
_ACTIONS = {
    "sns:PublishBatch": "sns:Publish",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
_OBJECT_ACTIONS = {"DELETE": "s3:DeleteObject", "GET": "s3:GetObject", "PUT": "s3:PutObject"}


@dataclass(frozen=True, order=True, slots=True)
class Call:
    """An IAM action on a resource."""

    action: str
    resource: str


@contextmanager
def recorded(environment: Mapping[str, str], endpoints: Mapping[str, str], world: World) -> Iterator[set[Call]]:
    """The calls that are made in the block, with the environment that a function has.

    Args:
        endpoints: the ARN of the domain or collection behind each host.
        world: who answers.
    """
    recorder = _Recorder(endpoints, world)
    lambdas_own = {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**environment, **lambdas_own}.items():
            patch.setenv(name, value)
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        patch.setattr(botocore.loaders.JSONFileLoader, "load_file", lambda _, path: _load_model(path))
        patch.setattr(botocore.httpsession.URLLib3Session, "send", lambda _, request: recorder.aws(request))
        patch.setattr(requests.adapters.HTTPAdapter, "send", lambda _, request, **__: recorder.opensearch(request))
        dead_letters.connect.cache_clear()
        try:
            yield recorder.calls
        finally:
            dead_letters.connect.cache_clear()


_load_file = botocore.loaders.JSONFileLoader.load_file


@cache
def _load_model(path: str) -> Any:
    """A file of botocore's, read once: each session would read it again, which takes most of a job's time here."""
    return _load_file(botocore.loaders.JSONFileLoader(), path)


class _Recorder:
    def __init__(self, endpoints: Mapping[str, str], world: World) -> None:
        self.calls: set[Call] = set()
        self._endpoints, self._world = endpoints, world

    def opensearch(self, request: requests.PreparedRequest) -> requests.Response:
        """Only a signed request is one that IAM decides on."""
        url, body = urlsplit(str(request.url)), request.body or b""
        if (service := _signed_for(request.headers)) is not None:
            arn = self._endpoints[str(url.hostname)]
            call = {
                "es": Call(f"es:ESHttp{str(request.method).capitalize()}", f"{arn}{url.path}"),
                "aoss": Call("aoss:APIAccessAll", arn),
            }[service]
            self.calls.add(call)
        assert isinstance(body, bytes)
        response = requests.Response()
        response.request = request
        response.status_code, text = self._world.opensearch(str(request.method), url.path, body)
        response.headers["content-type"] = "application/json"
        response.raw = BytesIO(text.encode())
        return response

    def aws(self, request: Any) -> AWSResponse:
        service = _signed_for(request.headers)
        assert service is not None, f"{request.method} {request.url} is not signed"
        url, status = urlsplit(request.url), 200
        match service:
            case "s3":
                call, answer = self._s3(request.method, str(url.hostname).partition(".s3.")[0], url.path, url.query)
            case "sns":
                form = parse_qs(_text(request.body))
                call, answer = Call(f"sns:{form['Action'][0]}", form["TopicArn"][0]), _PUBLISHED
            case "lambda":  # a request of REST's: its path names the function
                name = unquote(url.path.rpartition("/functions/")[2].removesuffix("/configuration"))
                call = Call("lambda:GetFunctionConfiguration", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
                answer = json.dumps(self._world.function()).encode()
            case _:
                operation, body = _text(request.headers["X-Amz-Target"]).rpartition(".")[2], json.loads(request.body)
                call, said = Call(f"{service}:{operation}", _resource(body)), self._world.aws(operation, body)
                status, answer = 400 if "__type" in said else 200, json.dumps(said).encode()
        self.calls.add(Call(_ACTIONS.get(call.action, call.action), call.resource))
        return _response(request.url, status, answer)

    def _s3(self, method: str, bucket: str, path: str, query: str) -> tuple[Call, bytes]:
        arn, asked = f"arn:aws:s3:::{bucket}", parse_qs(query)
        if "list-type" in asked:
            keys = self._world.objects(bucket, asked["prefix"][0])
            contents = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys)
            return Call("s3:ListBucket", arn), f"<ListBucketResult>{contents}</ListBucketResult>".encode()
        call = Call(_OBJECT_ACTIONS[method], f"{arn}{unquote(path)}")
        return call, self._world.content(bucket, unquote(path).removeprefix("/")) if method == "GET" else b""


def _signed_for(headers: Mapping[str, Any]) -> str | None:
    """The service in the credential scope of a Signature Version 4."""
    found = re.search(rf"^AWS4-HMAC-SHA256 Credential=\w+/\d{{8}}/{REGION}/(\w+)/", _text(headers.get("Authorization")))
    return found[1] if found else None


def _resource(body: Mapping[str, Any]) -> str:
    """What a JSON request is about."""
    match body:
        case {"RequestItems": asked}:
            [table] = asked
            return table_arn(table)
        case {"TableName": table}:
            return table_arn(table)
        case {"ExportArn": arn} | {"Name": arn} | {"SecretId": arn} | {"StreamArn": arn} | {"TableArn": arn}:
            return str(arn)
        case {"ShardIterator": iterator}:  # it begins with its stream's ARN
            return str(iterator).partition("|")[0]
        case {"QueueUrl": url}:
            account, name = urlsplit(url).path.strip("/").split("/")
            return f"arn:aws:sqs:{REGION}:{account}:{name}"
    return "*"


def table_arn(name: str) -> str:
    """The table's ARN, which a function may be given in place of its name."""
    return name if name.startswith("arn:") else f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"


_PUBLISHED = (
    b'<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult>'
    b"<Successful><member><Id>0</Id><MessageId>1</MessageId></member></Successful>"
    b"</PublishBatchResult></PublishBatchResponse>"
)


def _response(url: str, status: int, body: bytes) -> AWSResponse:
    raw = BytesIO(body)
    raw.stream = lambda: iter([raw.getvalue()])  # type: ignore[attr-defined]
    headers = {"Date": formatdate(START, usegmt=True), "Content-Length": str(len(body)), "ETag": '"1"'}
    return AWSResponse(url, status, headers, raw)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value or "")
