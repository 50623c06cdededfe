"""Notes the last full verification in the index itself, under ``_meta`` of its index mapping, and reads it."""

import json
from collections.abc import Mapping
from typing import Any

from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.opensearch.client import Client, quoted
from dynamodb_opensearch.opensearch.reader import patiently

SECTION, ENTRY = "dynamodb_opensearch", "verified"


def note_verified(client: Client, index: str, result: Mapping[str, Any], deadline: Deadline) -> None:
    """Write the result, and keep all else in ``_meta``, which OpenSearch replaces as a whole.

    Args:
        index: the index itself, not an alias.

    Raises:
        RefusedError, OutOfTimeError, ConfigurationError: it couldn't be written; that needs the right to change the
            index mapping.
    """
    meta = _meta(client, index, deadline).get(index, {})
    section = meta.get(SECTION)
    section = {**(section if isinstance(section, Mapping) else {}), ENTRY: dict(result)}
    body = json.dumps({"_meta": {**meta, SECTION: section}}).encode()
    patiently(lambda seconds: client.fetch("PUT", f"/{quoted(index)}/_mapping", {}, body, min(seconds, 30)), deadline)


def keep_note(meta: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """The ``_meta`` that replaces the current one, with the note that this has."""
    return {**meta, SECTION: current[SECTION]} if SECTION in current else dict(meta)


def last_verified(client: Client, index: str, deadline: Deadline) -> Mapping[str, Any] | None:
    """What was noted last in an index; None if there is no note, or something else in its place.

    Args:
        index: the index itself: an alias may cover another sync's index, too.

    Raises:
        RefusedError, OutOfTimeError, ConfigurationError: it couldn't be read.
    """
    section = _meta(client, index, deadline).get(index, {}).get(SECTION)
    entry = section.get(ENTRY) if isinstance(section, Mapping) else None
    if not isinstance(entry, Mapping) or any(not isinstance(entry.get(name, 0), int) for name in _COUNTS):
        return None
    return entry


_COUNTS = ("items", "documents", "differences")


def _meta(client: Client, name: str, deadline: Deadline) -> dict[str, dict[str, Any]]:
    text = patiently(
        lambda seconds: client.fetch("GET", f"/{quoted(name)}/_mapping", {}, None, min(seconds, 30)), deadline
    )
    return {index: description["mappings"].get("_meta", {}) for index, description in json.loads(text).items()}
