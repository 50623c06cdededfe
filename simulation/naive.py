"""Typical handlers, each wrong in one way: convergence tests that don't find their faults would prove nothing.

They only apply images, and use only the standard library."""

import http.client
import json
import os
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Record = Mapping[str, Any]
Version = Callable[[Record], int]


def unversioned(event: Mapping[str, Any], _context: object) -> None:
    """The guide's way: write every record in the order of arrival, and swallow every failure."""
    lines = [line for record in event["Records"] for line in _action(record, {})]
    _post_bulk(lines)


def swallowing(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """The versions and the conflict rule are right, but a failed request counts as done."""
    _apply(event["Records"], _own_version)
    return {"batchItemFailures": []}


def seconds_only(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """The stamp is the version, with `external_gte`: a wrong clock or a late write of the same second wins."""
    return _report(event["Records"], _apply(event["Records"], _stamp, version_type="external_gte"))


def conflict_is_done(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """The versions are exact, but every conflict counts as newer: if clocks disagree, the later change is lost."""
    return _report(event["Records"], _apply(event["Records"], _own_version))


def _stamp(record: Record) -> int:
    return int(record["dynamodb"]["ApproximateCreationDateTime"])


def _own_version(record: Record) -> int:
    number = int(record["dynamodb"]["SequenceNumber"])
    return _stamp(record) * 10**9 + (number // 10**20 or number) % 10**6 * 1000


def _apply(records: Iterable[Record], version: Version, *, version_type: str = "external") -> set[str]:
    """Write the last change of each document; return the ids of those that failed and may succeed later."""
    last = {_id(record): record for record in records}
    lines: list[str] = []
    for record in last.values():
        lines += _action(record, {"version": version(record), "version_type": version_type})
    answer = _post_bulk(lines)
    if answer is None:
        return set(last)
    results = [result for item in answer["items"] for result in item.values()]
    return {i for i, result in zip(last, results, strict=True) if _is_for_later(result)}


def _is_for_later(result: Mapping[str, Any]) -> bool:
    return "error" in result and result["status"] not in (400, 409)


def _report(records: Iterable[Record], failed: set[str]) -> dict[str, Any]:
    first = next((r["dynamodb"]["SequenceNumber"] for r in records if _id(r) in failed), None)
    return {"batchItemFailures": [] if first is None else [{"itemIdentifier": first}]}


def _action(record: Record, parameters: Mapping[str, Any]) -> list[str]:
    if record["eventName"] == "REMOVE":
        return [json.dumps({"delete": {"_id": _id(record), **parameters}})]
    document = _json_of({"M": record["dynamodb"]["NewImage"]})
    return [json.dumps({"index": {"_id": _id(record), **parameters}}), document]


def _id(record: Record) -> str:
    keys = record["dynamodb"]["Keys"]
    return "|".join(str(next(iter(keys[name].values()))) for name in os.environ["TABLE_KEYS"].split(","))


def _json_of(value: Mapping[str, Any]) -> str:
    """Return an attribute value as JSON text, with every digit of its numbers."""
    ((tag, content),) = value.items()
    match tag:
        case "N":
            return str(content)
        case "M":
            return "{" + ",".join(f"{json.dumps(name)}:{_json_of(v)}" for name, v in content.items()) + "}"
        case "L":
            return "[" + ",".join(map(_json_of, content)) + "]"
        case "NS":
            return "[" + ",".join(content) + "]"
        case "NULL":
            return "null"
    return json.dumps(content)


def _post_bulk(lines: list[str]) -> Any:
    """Return the answer, or None if the whole request failed."""
    address = urllib.parse.urlsplit(os.environ["OPENSEARCH_ENDPOINT"])
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=1)
    body = "".join(line + "\n" for line in lines).encode()
    try:
        connection.request("POST", f"/{os.environ['INDEX']}/_bulk", body, {"content-type": "application/x-ndjson"})
        answer = connection.getresponse()
        return json.load(answer) if answer.status == 200 else None
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
