"""An SNS topic that dead letters are delivered to."""

from collections.abc import Sequence
from typing import Any

from dynamodb_opensearch.failures.batches import deliver_batches


class Topic:
    """An SNS topic."""

    def __init__(self, arn: str, client: Any) -> None:
        self._arn, self._client = arn, client

    def deliver(self, messages: Sequence[str], name: str) -> dict[int, str]:
        """See ``Destination``."""
        del name
        return deliver_batches(
            messages,
            "Message",
            lambda entries: self._client.publish_batch(TopicArn=self._arn, PublishBatchRequestEntries=entries),
        )
