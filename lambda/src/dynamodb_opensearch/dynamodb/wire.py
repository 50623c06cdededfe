"""A DynamoDB client whose answers stay as JSON has them: boto3's own parsing takes seven times as long.

Only a binary value looks different: base64 text instead of bytes, as in a Lambda event. ``core.items`` takes both.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.parsers import JSONParser, ResponseParserFactory


def connect(
    *, connections: int, on_capacity: Callable[[float], None] | None = None, read_timeout_seconds: int = 30
) -> Any:
    """A DynamoDB client for many reads. It never retries: its callers do, because they know the deadline.

    Args:
        connections: how many threads will use it at the same time.
        on_capacity: gets the capacity units of each Scan and BatchGetItem.
    """
    session = botocore.session.get_session()
    session.register_component("response_parser_factory", _ParserFactory())
    config = Config(
        parameter_validation=False,  # half the cost of a request for many keys; DynamoDB refuses wrong ones itself
        connect_timeout=3,
        read_timeout=read_timeout_seconds,
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=connections,
    )
    client = boto3.Session(botocore_session=session).client("dynamodb", config=config)
    if on_capacity:
        _watch_capacity(client, on_capacity)
    return client


class _ParserFactory(ResponseParserFactory):  # type: ignore[misc]
    def create_parser(self, protocol_name: str) -> Any:
        return _WireParser() if protocol_name == "json" else super().create_parser(protocol_name)


class _WireParser(JSONParser):  # type: ignore[misc]
    """Leaves the body of a good answer as JSON has it; errors and metadata are parsed as usual."""

    def _handle_json_body(self, raw_body: bytes, shape: Any) -> Any:
        del shape
        return json.loads(raw_body) if raw_body else {}


def _watch_capacity(client: Any, on_capacity: Callable[[float], None]) -> None:
    def ask(params: dict[str, Any], **_: Any) -> None:
        params.setdefault("ReturnConsumedCapacity", "TOTAL")

    def report(parsed: Mapping[str, Any], **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity") or []
        for capacity in consumed if isinstance(consumed, list) else [consumed]:
            on_capacity(float(capacity["CapacityUnits"]))

    for operation in ("Scan", "BatchGetItem"):
        client.meta.events.register(f"before-parameter-build.dynamodb.{operation}", ask)
        client.meta.events.register(f"after-call.dynamodb.{operation}", report)
