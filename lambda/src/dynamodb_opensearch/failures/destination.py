"""Where dead letters go: the queue, topic or bucket that DEAD_LETTER_ARN names.

A dead letter whose delivery isn't confirmed counts as not delivered, so that Lambda retries its record.
"""

from collections.abc import Sequence
from functools import cache
from typing import Protocol

import boto3
from botocore.config import Config

from dynamodb_opensearch.failures.bucket import Bucket
from dynamodb_opensearch.failures.queue import Queue
from dynamodb_opensearch.failures.topic import Topic


class Destination(Protocol):
    """Where dead letters go."""

    def deliver(self, messages: Sequence[str], name: str) -> dict[int, str]:
        """Deliver in order; return the positions of the messages that aren't confirmed, each with AWS's error code.

        After an unconfirmed message no more need be sent: Lambda retries its record, and the later ones with it.

        Args:
            name: unique to the invocation.
        """


@cache
def connect(arn: str) -> Destination:
    """The destination that an SQS, SNS or S3 ARN names; sends no request."""
    _, _, service, region, *_ = arn.split(":")
    client = boto3.client(service, region_name=region or None, config=_CONFIG)
    match service:
        case "sqs":
            return Queue(arn, client)
        case "sns":
            return Topic(arn, client)
        case _:
            return Bucket(arn, client)


_CONFIG = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
