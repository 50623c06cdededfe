"""Wraps the two sides that a sync keeps equal, a table of products and their index, and the failures' queue."""

import json
from collections.abc import Iterator, Mapping
from itertools import batched
from typing import Any

from engines import OpenSearchNode
from opensearch import api

KEY = "productId"
MAPPINGS: Mapping[str, Any] = {
    "dynamic": False,
    "properties": {
        KEY: {"type": "keyword"},
        "name": {"type": "text"},
        "price": {"type": "double"},
        "stock": {"type": "integer"},
    },
}
SETTINGS: Mapping[str, Any] = {"number_of_shards": 2, "number_of_replicas": 0, "gc_deletes": "1h"}

Item = dict[str, Any]


def product(number: int, **attributes: Any) -> Item:
    """Make an item that depends only on the number and the attributes given."""
    return {
        KEY: {"S": f"P-{number:04}"},
        "name": {"S": f"Product {number}"},
        "price": {"N": f"{number % 90 + 10}.{number % 100:02}"},
        "stock": {"N": str(number % 40)},
        **attributes,
    }


class ProductTable:
    """A table of products."""

    def __init__(self, client: Any, name: str) -> None:
        """Use a table.

        Args:
            client: boto3's client for DynamoDB.
        """
        self.name = name
        self._client = client

    def create(self, *, stream: bool = True) -> None:
        """Create the table, with or without a stream."""
        view = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        self._client.create_table(
            TableName=self.name,
            KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": KEY, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            **({"StreamSpecification": view} if stream else {}),
        )

    def switch_stream_on(self) -> None:
        view = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        self._client.update_table(TableName=self.name, StreamSpecification=view)

    def drop(self) -> None:
        self._client.delete_table(TableName=self.name)

    @property
    def stream_arn(self) -> str:
        return str(self._client.describe_table(TableName=self.name)["Table"]["LatestStreamArn"])

    def put(self, item: Item) -> None:
        self._client.put_item(TableName=self.name, Item=item)

    def delete(self, number: int) -> None:
        self._client.delete_item(TableName=self.name, Key={KEY: {"S": f"P-{number:04}"}})

    def load(self, items: Iterator[Item] | list[Item]) -> None:
        """Write many items."""
        for chunk in batched(items, 25):
            left = {self.name: [{"PutRequest": {"Item": item}} for item in chunk]}
            while left:
                left = self._client.batch_write_item(RequestItems=left)["UnprocessedItems"]

    def items(self) -> list[Item]:
        """Return all items."""
        pages = self._client.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]


class ProductIndex:
    """An index or an alias, as its administrator uses it."""

    def __init__(self, node: OpenSearchNode, name: str) -> None:
        self.node = node
        self.name = name

    def create(self, name: str | None = None, **body: Any) -> None:
        """Create the index, under another name if given."""
        self.call("PUT", f"/{name or self.name}", {"settings": SETTINGS, "mappings": MAPPINGS, **body})

    def drop(self) -> None:
        """Delete all indices whose names begin with this one's."""
        for name in self.call("GET", f"/{self.name}*"):
            self.call("DELETE", f"/{name}")

    def source(self, number: int) -> Mapping[str, Any] | None:
        """Return a document's source; None if there is no document."""
        text = api.source(self.node, self.name, f"P-{number:04}")
        return None if text is None else json.loads(text)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Return OpenSearch's decoded answer; an error status raises HTTPError."""
        return api.decoded(self.node, method, path, body)


class FailureQueue:
    """The queue that takes failures."""

    def __init__(self, client: Any, name: str) -> None:
        """Create the queue.

        Args:
            client: boto3's client for SQS.
        """
        self._client = client
        self._url = client.create_queue(QueueName=name)["QueueUrl"]
        self.arn = str(self._attribute("QueueArn"))

    @property
    def depth(self) -> int:
        """How many failures are waiting."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return sum(int(self._attribute(name)) for name in names)

    def drop(self) -> None:
        self._client.delete_queue(QueueUrl=self._url)

    def _attribute(self, name: str) -> str:
        answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=[name])
        return str(answer["Attributes"][name])
