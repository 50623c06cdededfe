"""Splits bulk requests into actions, joins some of them again, and splices answers: what the proxy needs."""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulation.items import read_exactly


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a bulk request, with its original bytes."""

    operation: str
    document_id: str | None
    version: int | None
    lines: bytes
    source: Mapping[str, Any] | None


def decode_body(body: bytes, content_encoding: str) -> bytes:
    return gzip.decompress(body) if content_encoding == "gzip" else body


def parse_actions(body: bytes) -> list[Action]:
    """Return the actions of a decoded bulk body. Raise ValueError where OpenSearch would refuse it as malformed."""
    actions = []
    lines = iter(line + b"\n" for line in body.split(b"\n") if line)
    for line in lines:
        ((operation, parameters),) = json.loads(line).items()
        source = b"" if operation == "delete" else next(lines, b"")
        actions.append(
            Action(
                operation,
                parameters.get("_id"),
                parameters.get("version"),
                line + source,
                read_exactly(source) if source else None,
            )
        )
    return actions


def join_actions(actions: Sequence[Action]) -> bytes:
    return b"".join(action.lines for action in actions)


def error_item(action: Action, index: str, status: int, error: Mapping[str, str], *, filtered: bool) -> dict[str, Any]:
    """Return a failed item in OpenSearch's form; with `filter_path`, only its status and error."""
    whole = {} if filtered else {"_index": index, "_id": action.document_id}
    return {action.operation: {**whole, "status": status, "error": dict(error)}}


def splice_answer(answer: bytes, actions: Sequence[Action], refused: Mapping[int, dict[str, Any]]) -> bytes:
    """Combine the answer to a whole request: `refused` items at their positions, the real answer's items elsewhere."""
    real = json.loads(answer) if answer else {}
    items = iter(real.get("items", ()))
    spliced = [refused[i] if i in refused else next(items) for i in range(len(actions))]
    return json.dumps({**real, "errors": bool(refused) or real["errors"], "items": spliced}).encode()
