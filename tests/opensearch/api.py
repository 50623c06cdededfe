"""OpenSearch's own API, as tests ask it: straight over loopback, as the node's administrator, answers byte for byte."""

import base64
import json
import ssl
import urllib.request
from collections.abc import Sequence
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote

from engines import OpenSearchNode


def call(node: OpenSearchNode, method: str, path: str, body: Any = None) -> str:
    """An answer's text; an error status raises HTTPError."""
    return text(node, method, path, None if body is None else json.dumps(body))


def text(node: OpenSearchNode, method: str, path: str, body: str | None) -> str:
    """As ``call``, with a body that isn't touched."""
    headers = {"content-type": "application/json"}
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if node.ca_file is not None:
        token = base64.b64encode(f"{node.user}:{node.password}".encode()).decode()
        headers["authorization"] = f"Basic {token}"
        handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=node.ca_file)))
    data = None if body is None else body.encode()
    request = urllib.request.Request(node.url + path, data, headers, method=method)
    with urllib.request.build_opener(*handlers).open(request, timeout=30) as answer:
        return str(answer.read().decode())


def bulk(node: OpenSearchNode, index: str, lines: Sequence[Any]) -> None:
    """Send lines to ``_bulk``; all must be taken."""
    body = "".join(json.dumps(line) + "\n" for line in lines)
    answer = json.loads(text(node, "POST", f"/{index}/_bulk?refresh=true", body))
    assert not answer["errors"], answer


def source(node: OpenSearchNode, index: str, document_id: str) -> str | None:
    """A document's ``_source``, or None."""
    try:
        return call(node, "GET", f"/{index}/_source/{quote(document_id, safe='')}")
    except HTTPError as error:
        if error.code == 404:
            return None
        raise


def decoded(node: OpenSearchNode, method: str, path: str, body: Any = None) -> Any:
    """The answer, decoded."""
    return json.loads(call(node, method, path, body))
