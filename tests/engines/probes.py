"""Asks a starting engine whether it is ready, directly over loopback, whatever proxies are set."""

import http.client
import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


def ask(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    ca_file: Path | None = None,
    timeout_seconds: float = 5,
) -> Any:
    """Return the JSON of an answer with status 200; else None: the engine isn't ready yet."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection = (
        http.client.HTTPSConnection(
            host, parts.port, timeout=timeout_seconds, context=ssl.create_default_context(cafile=ca_file)
        )
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, parts.port, timeout=timeout_seconds)
    )
    try:
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request(method, target, body, dict(headers or {}))
        response = connection.getresponse()
        content = response.read()
        return json.loads(content) if response.status == http.HTTPStatus.OK else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
