"""Makes clients for the demo's AWS, which is LocalStack, and reads the function's log."""

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config


def client(service: str, environment: Mapping[str, str]) -> Any:
    """Return a low-level client for the environment's endpoint that ignores the user's own settings."""
    return boto3.client(
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        config=Config(proxies={}, max_pool_connections=16, retries={"mode": "standard"}),
    )


def last_log_lines(environment: Mapping[str, str], log_group: str, count: int = 20) -> list[str]:
    """Return the function's last log lines, without Lambda's own."""
    events = client("logs", environment).get_paginator("filter_log_events").paginate(logGroupName=log_group)
    lines = [event["message"].strip() for page in events for event in page["events"]]
    return [line for line in lines if not line.startswith(("START ", "END ", "REPORT ", "INIT_START "))][-count:]
