"""A function with the sync's own role: what the role may do, AWS itself answers. It is also sent as that function.

It changes nothing: what it asks for beyond the sync's own writes is about names that don't exist, or only reads.
"""

import json
import os
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

Answer = tuple[int, bytes]

_SHOWN = 4000
"""Most bytes of a body that are given back."""


def send(method: str, url: str, body: Any = None, *, signer: Any = None, kind: str = "application/json") -> Answer:
    """Return the status and the body of OpenSearch's answer. Without a signer, the request isn't signed."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    request = AWSRequest(method, url, data=data, headers={"Content-Type": kind})
    if signer is not None:
        signer.add_auth(request)
    answer = URLLib3Session(timeout=30, proxies=get_environ_proxies(url)).send(request.prepare())
    return answer.status_code, answer.content


def signer(session: Any, region: str, service: str) -> SigV4Auth:
    """Return what signs requests with the session's credentials, which may be renewed meanwhile."""
    return SigV4Auth(session.get_credentials(), service, region)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Try requests to OpenSearch and calls of AWS with this function's role; return what each is answered.

    That is the status and the start of the body of a request, and the code of a call.

    Args:
        event: ``endpoint``; ``signed``, whether OpenSearch asks for signatures; ``requests``, each a method, a path
            and a body; ``calls``, each a service, an operation and its parameters.
    """
    session = boto3.Session()
    signs = signer(session, os.environ["AWS_REGION"], "es") if event["signed"] else None
    answers = []
    for method, path, body in event["requests"]:
        data = None if body is None else body.encode()
        kind = "application/x-ndjson" if path.endswith("_bulk") else "application/json"
        status, content = send(method, event["endpoint"] + path, data, signer=signs, kind=kind)
        answers.append([status, content[:_SHOWN].decode(errors="replace")])
    codes = []
    for service, operation, parameters in event["calls"]:
        try:
            getattr(session.client(service), operation)(**parameters)
            codes.append("allowed")
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
    return {"requests": answers, "calls": codes}
