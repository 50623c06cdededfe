"""Reads a failure's body, as a queue or a bucket holds it: one JSON object, or unusable."""

import json
from typing import Any

from dynamodb_opensearch.core.errors import UnusableError


def read_object(text: Any) -> dict[str, Any]:
    """The JSON object that a text, or its bytes, holds.

    Raises:
        UnusableError: it is something else.
    """
    try:
        value = json.loads(text)
    except UnicodeDecodeError:
        compressed = isinstance(text, bytes) and text.startswith(b"\x1f\x8b")
        raise UnusableError("it is compressed" if compressed else "it isn't UTF-8") from None
    except (RecursionError, TypeError, ValueError):
        value = None
    if not isinstance(value, dict):
        raise UnusableError("it isn't a JSON object")
    return value
