"""Uses the products' table, as a shop's own code would: nothing here knows about a stream, a function or an index."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import batched

from demo import aws
from demo.catalogue import Item

BATCH_ITEMS = 25  # what BatchWriteItem takes at most
WRITERS = 4


class ProductTable:
    """A table whose partition key is productId."""

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        self.name = name
        self._client = aws.client("dynamodb", environment)

    def load(self, items: Sequence[Item], done: Callable[[int], None]) -> None:
        """Write all items with BatchWriteItem, several batches at a time.

        Args:
            done: called with the number of items written so far.
        """
        written = 0
        with ThreadPoolExecutor(WRITERS) as pool:
            batches = [pool.submit(self._write_batch, batch) for batch in batched(items, BATCH_ITEMS)]
            try:
                for batch in as_completed(batches):
                    written += batch.result()
                    done(written)
            finally:
                pool.shutdown(cancel_futures=True)

    def put(self, item: Item) -> None:
        self._client.put_item(TableName=self.name, Item=item)

    def get(self, product_id: str) -> Item | None:
        """Read one item consistently."""
        answer = self._client.get_item(TableName=self.name, Key=_key(product_id), ConsistentRead=True)
        item: Item | None = answer.get("Item")
        return item

    def mark_down(self, product_id: str, price: str, at: str) -> None:
        """Set a lower price, add the tag "sale" and remove `discontinuedAt`."""
        self._client.update_item(
            TableName=self.name,
            Key=_key(product_id),
            UpdateExpression="SET price = :price, updatedAt = :at ADD tags :sale REMOVE discontinuedAt",
            ExpressionAttributeValues={":price": {"N": price}, ":at": {"S": at}, ":sale": {"SS": ["sale"]}},
        )

    def delete(self, product_id: str) -> None:
        self._client.delete_item(TableName=self.name, Key=_key(product_id))

    def items(self) -> Iterator[Item]:
        """Yield every item, read consistently."""
        for page in self._client.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True):
            yield from page["Items"]

    def _write_batch(self, items: Sequence[Item]) -> int:
        left = {self.name: [{"PutRequest": {"Item": item}} for item in items]}
        attempt = 0
        while left:
            time.sleep(min(0.05 * 2**attempt, 2.0) if attempt else 0.0)
            left = self._client.batch_write_item(RequestItems=left)["UnprocessedItems"]
            attempt += 1
        return len(items)


def _key(product_id: str) -> Item:
    return {"productId": {"S": product_id}}
