"""What the checks of a trial work on: the applied example, its table, its index, its queue."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from demo.compare import Comparison, compare
from trial.account import Account
from trial.command import Command
from trial.errors import NotProvenError
from trial.examples import Example, Item, as_stored
from trial.search import Search
from trial.waits import Waits

_SHOWN = 5
"""Most differences that a message names."""


@dataclass(slots=True)
class Stage:
    """An applied example, and how to reach it."""

    example: Example
    account: Account
    outputs: Mapping[str, Any]
    command: Command
    search: Search
    waits: Waits
    signed: bool
    """Whether OpenSearch checks IAM's signatures; an endpoint that was given may not."""
    known: set[str] = field(default_factory=set)
    """Every key that was ever put into the table."""
    put_at: dict[str, float] = field(default_factory=dict)
    """When each key was put last, by the clock of ``waits``."""
    metrics_awaited: float | None = None
    """When the first wait for metrics began: all of them share one limit."""

    @property
    def trial(self) -> Mapping[str, Any]:
        """The values of the trial's own output."""
        values: Mapping[str, Any] = self.outputs["trial"]
        return values

    @property
    def table_name(self) -> str:
        return str(self.outputs["table_name"])

    def put(self, item: Item) -> None:
        key = item[self.example.key]["S"]
        self.known.add(key)
        self.put_at[key] = self.waits.clock()
        self._dynamodb().put_item(TableName=self.table_name, Item=item)

    def update(self, key: str, expression: str, values: Mapping[str, Any]) -> None:
        self._dynamodb().update_item(
            TableName=self.table_name,
            Key={self.example.key: {"S": key}},
            UpdateExpression=expression,
            ExpressionAttributeValues=dict(values),
        )

    def delete(self, key: str) -> None:
        self._dynamodb().delete_item(TableName=self.table_name, Key={self.example.key: {"S": key}})

    def compare(self, leave_out: Collection[str] = ()) -> Comparison:
        """Compare all items, read consistently, with the documents of all keys that ever were."""
        items = self._dynamodb().scan(TableName=self.table_name, ConsistentRead=True)["Items"]
        key = self.example.key
        kept = [as_stored(item) for item in items if item[key]["S"] not in leave_out]
        documents = self.search.documents(self.example.index, sorted(self.known - set(leave_out)))
        return compare(kept, documents, key)

    def arrive(self, *, leave_out: Collection[str] = (), seconds: float = 300) -> str:
        """Wait until every document is as its item is now; return how long that took.

        Raises:
            NotProvenError: it takes too long. The message has keys, which are the trial's own, and no contents.
        """
        last: list[Comparison] = []

        def equal() -> bool:
            last[:] = [self.compare(leave_out)]
            return not last[0].differences

        def differing() -> str:
            places = sorted({f"{each.id} {each.path}".strip() for each in last[0].differences})
            more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
            return f"items and documents still differ: {', '.join(places[:_SHOWN])}{more}"

        _, waited = self.waits.until(equal, seconds, differing)
        return f"{last[0].items} items equal {last[0].documents} documents, after {waited:.1f} s"

    def waiting_failures(self) -> int:
        """Return how many failures the queue holds, in flight or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.account.client("sqs").get_queue_attributes(
            QueueUrl=self.trial["dead_letter_url"], AttributeNames=names
        )
        return sum(int(answer["Attributes"][name]) for name in names)

    def receive_failure(self, seconds: int) -> Mapping[str, Any] | None:
        """Return a failure from the queue, where it stays; None if none comes in this time, at most 20 s."""
        answer = self.account.client("sqs").receive_message(
            QueueUrl=self.trial["dead_letter_url"], MaxNumberOfMessages=1, WaitTimeSeconds=seconds, VisibilityTimeout=0
        )
        message: Mapping[str, Any] | None = next(iter(answer.get("Messages", [])), None)
        return message

    def verify(self) -> str:
        """Run the command's verify; return its last line.

        Raises:
            NotProvenError: table and index differ.
        """
        return self.command.run("verify")[-1]

    def _dynamodb(self) -> Any:
        return self.account.client("dynamodb")


def must(claim: object, message: str) -> None:
    """Raise a NotProvenError with the message unless the claim is true."""
    if not claim:
        raise NotProvenError(message)
