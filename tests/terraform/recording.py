"""Records what Terraform calls: a proxy before an engine, which notes each request as IAM would name its action."""

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import botocore.session
from terraform.calls import Call

REGION, ACCOUNT = "us-east-1", "000000000000"
# Where an action isn't named like the API's operation. See the Service Authorization Reference.
_ACTIONS = {
    "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "s3:GetBucketCors": "s3:GetBucketCORS",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
# Services whose requests are REST's: the path says what is done.
_REST = ("lambda", "s3")
# A service's ARNs, by the request's member that names the resource.
_ARNS = {
    "AlarmName": "cloudwatch:{region}:{account}:alarm:{0}",
    "DashboardName": "cloudwatch::{account}:dashboard/{0}",
    "KeyId": "kms:{region}:{account}:key/{0}",  # by an alias, too: IAM is asked for the key behind it
    "FunctionName": "lambda:{region}:{account}:function:{0}",
    "QueueName": "sqs:{region}:{account}:{0}",
    "QueueUrl": "sqs:{region}:{account}:{0}",
    "RoleName": "iam::{account}:role/{0}",
    "TableName": "dynamodb:{region}:{account}:table/{0}",
    "UUID": "lambda:{region}:{account}:event-source-mapping:{0}",
    "logGroupName": "logs:{region}:{account}:log-group:{0}",
}
# What is a name in one service's requests only.
_OWN_ARNS = {
    ("cloudwatch", "AlarmNames.member.1"): _ARNS["AlarmName"],
    ("cloudwatch", "DashboardNames.member.1"): _ARNS["DashboardName"],
    ("s3", "Bucket"): "s3:::{0}",
    ("sns", "Name"): "sns:{region}:{account}:{0}",
    ("ssm", "Name"): "ssm:{region}:{account}:parameter/{0}",
    ("ssm", "Names"): "ssm:{region}:{account}:parameter/{0}",
    ("ssm", "ResourceId"): "ssm:{region}:{account}:parameter/{0}",
    ("states", "name"): "states:{region}:{account}:stateMachine:{0}",
}


@dataclass(frozen=True, slots=True)
class Recorder:
    """The proxy, and what went through it."""

    url: str
    calls: set[Call]


@contextmanager
def recording(upstream: str) -> Iterator[Recorder]:
    """Run a proxy before the engine at a URL, which takes what it is signed for from each request's signature."""
    calls: set[Call] = set()
    handler = type("_Handler", (_Proxy,), {"upstream": upstream, "calls": calls, "lock": Lock()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Recorder(f"http://127.0.0.1:{server.server_port}", calls)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: ClassVar[str]
    calls: ClassVar[set[Call]]
    lock: ClassVar[Lock]

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = call_of(self.command, self.path, dict(self.headers.items()), body)
        with self.lock:
            self.calls.add(call)
        connection = http.client.HTTPConnection(urlsplit(self.upstream).netloc, timeout=300)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in {"connection", "expect"}}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"connection", "content-length", "date", "server", "transfer-encoding"}:
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_DELETE = do_GET = do_HEAD = do_PATCH = do_POST = do_PUT = _pass  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


def call_of(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Call:
    """What IAM would be asked for a request: action and resource, ``*`` where the request names none."""
    names = {name.lower(): value for name, value in headers.items()}
    service = _signed_for(names.get("authorization", ""))
    url = urlsplit(target)
    if service in _REST:
        operation, members = _rest(service, method, url.path, url.query)
        if operation == "CreateFunction":
            members = json.loads(body)
    elif "x-amz-target" in names:
        operation, members = names["x-amz-target"].rpartition(".")[2], json.loads(body or b"{}")
    else:
        members = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        operation = str(members["Action"])
    service = {"monitoring": "cloudwatch"}.get(service, service)
    action = f"{service}:{operation}"
    return Call(_ACTIONS.get(action, action), _resource(service, members))


def _signed_for(authorization: str) -> str:
    """The service in the credential scope of a Signature Version 4."""
    found = re.search(r"Credential=[^/]+/\d{8}/[^/]+/([^/]+)/aws4_request", authorization)
    if found is None:
        raise ValueError(f"this request isn't signed: {authorization!r}")
    return found[1]


def _resource(service: str, members: Mapping[str, Any]) -> str:
    """The ARN of the first member that names a resource."""
    named = (
        _arn(service, name, value[0] if isinstance(value, list) and value else value) for name, value in members.items()
    )
    return next((arn for arn in named if arn), "*")


def _arn(service: str, name: str, value: Any) -> str | None:
    text = str(value)
    if (name.lower().endswith("arn") and name not in _OTHERS) or (service, name) == ("lambda", "Resource"):
        return text
    pattern = _OWN_ARNS.get((service, name)) or _ARNS.get(name)
    if pattern is None:
        return None
    name = text.rpartition("/")[2] if name == "QueueUrl" else text
    return text if text.startswith("arn:") else "arn:aws:" + pattern.format(name, region=REGION, account=ACCOUNT)


# ARNs that say what is used, not what is made or changed.
_OTHERS = {"EventSourceArn", "PolicyArn", "ReturnSubscriptionArn", "RoleArn", "roleArn"}


def _rest(service: str, method: str, path: str, query: str) -> tuple[str, dict[str, str]]:
    """The operation whose pattern fits a request most closely, and what the path names."""
    asked = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
    fits = []
    for name, verb, pattern, fixed in _patterns(service):
        found = pattern.fullmatch(path.rstrip("/") or "/")
        if verb == method and found and all(asked.get(key) == value for key, value in fixed.items()):
            members = {member: unquote(part) for member, part in found.groupdict().items()}
            fits.append((len(fixed), -len(members), name, members))
    if not fits:
        raise ValueError(f"no operation of {service} fits {method} {path}?{query}")
    *_, operation, members = max(fits, key=lambda fit: fit[:3])
    return operation, members


@cache
def _patterns(service: str) -> list[tuple[str, str, re.Pattern[str], dict[str, str]]]:
    model = botocore.session.get_session().get_service_model(service)
    found = []
    for name in model.operation_names:
        rule = model.operation_model(name).http
        path, _, query = str(rule["requestUri"]).partition("?")
        fixed = {key: values[0] for key, values in parse_qs(query, keep_blank_values=True).items()}
        pattern = re.sub(r"\\{(\w+)\\\+\\}", r"(?P<\1>.+)", re.escape(path.rstrip("/") or "/"))
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", pattern)
        found.append((name, str(rule["method"]), re.compile(pattern), fixed))
    return found
