"""Runs a whole sync on this machine: table, stream, function, queue, index, and the command beside it.

DynamoDB Local holds the table, and OpenSearch is real. This process does what Lambda does, since LocalStack's event
source mapping neither bisects nor has times to the second. LocalStack holds the queue, the logs and the secrets.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from engines import DynamoDBLocal, LocalStackNode, OpenSearchNode

from demo import aws
from drills.errors import DrillError
from drills.event_source_mapping import EventSourceMapping
from drills.function import Function
from drills.lambda_api import LambdaApi, lambda_api
from drills.metrics import Metrics
from drills.narration import Narration
from drills.shell import Shell
from drills.sides import KEY, FailureQueue, Item, ProductIndex, ProductTable, product
from drills.stream import Stream

TIMEOUT_SECONDS = 6.0
"""The function's time-out: short, so that Lambda's retries are seen. The module's default is 120."""
_PATIENCE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Engines:
    """The engines that run on this machine."""

    opensearch: OpenSearchNode
    dynamodb: DynamoDBLocal
    aws: LocalStackNode


class Stack:
    """The parts, which a drill breaks one by one."""

    def __init__(
        self,
        engines: Engines,
        narration: Narration,
        folder: Path,
        name: str,
        api: LambdaApi,
        *,
        variables: Mapping[str, str],
    ) -> None:
        """Connect; ``start`` creates everything."""
        self.engines = engines
        self.name = name
        self.function_name = f"{name}-opensearch-sync"
        self.metrics = Metrics()
        self.narration = narration
        self._api = api
        self._aws_environment = {
            **engines.aws.environment(),
            "AWS_ENDPOINT_URL_DYNAMODB": engines.dynamodb.url,
            "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": engines.dynamodb.url,
            "AWS_ENDPOINT_URL_LAMBDA": api.url,
        }
        self.shell = Shell(narration, folder, self._aws_environment)
        self.table = ProductTable(self._database("dynamodb"), name)
        self.index = ProductIndex(engines.opensearch, name)
        self.queue = FailureQueue(aws.client("sqs", self._aws_environment), f"{self.function_name}-failures")
        self.variables = {
            "OPENSEARCH_ENDPOINT": engines.opensearch.url,
            "OPENSEARCH_AUTH": "none",
            "TABLE_NAME": name,
            "TABLE_KEYS": KEY,
            "INDEX": name,
            "DEAD_LETTER_ARN": self.queue.arn,
            "REQUEST_TIMEOUT_SECONDS": "2",
            **variables,
        }
        self._logs = aws.client("logs", self._aws_environment)
        self._cloudwatch = aws.client("cloudwatch", self._aws_environment)
        self._log_group = f"/aws/lambda/{self.function_name}"
        self.stream: Stream
        self.mapping: EventSourceMapping

    def start(self) -> None:
        """Create table, log group, function and event source mapping; the caller creates the index."""
        self._logs.create_log_group(logGroupName=self._log_group)
        self._logs.create_log_stream(logGroupName=self._log_group, logStreamName="drill")
        self.table.create()
        self.stream = self._open_stream()
        self.mapping = self.consume()

    def consume(self, name: str | None = None, **options: Any) -> EventSourceMapping:
        """Create a function of this name with the sync's settings, and an event source mapping of the stream to it."""
        function = Function(name or self.function_name, self.variables, self._aws_environment, TIMEOUT_SECONDS)
        mapping = EventSourceMapping(self.stream, function, self.metrics, on_invoked=self._publish, **options)
        self._api.functions[function.name] = function
        self._api.mappings.append(mapping)
        return mapping

    def forget(self, mapping: EventSourceMapping) -> None:
        """Delete an event source mapping."""
        mapping.end()
        self._api.mappings.remove(mapping)

    def follow_new_stream(self) -> None:
        """Replace the event source mapping and the stream's reader with new ones for the table's current stream."""
        self.forget(self.mapping)
        self.stream.end()
        self.stream = self._open_stream()
        self.mapping = self.consume(latest=True)

    def catch_up(self) -> None:
        """Wait until the function has done all that was written so far.

        Raises:
            DrillError: it takes too long.
        """
        self.stream.wait_for_all()
        self.until(lambda: self.mapping.is_drained, "the function has done the whole stream")

    def until(self, holds: Any, what: str, seconds: float = _PATIENCE_SECONDS) -> None:
        """Wait for a condition.

        Raises:
            DrillError: it takes too long.
        """
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise DrillError(f"after {seconds:.0f} s it still isn't true that {what}")
            time.sleep(0.05)

    def fill(self, items: int) -> None:
        """Put products 1 to ``items``."""
        self.table.load(self.products(items))

    def products(self, items: int) -> list[Item]:
        return [product(number) for number in range(1, items + 1)]

    def command(self, *arguments: str) -> tuple[str, ...]:
        """Return a command's arguments with the name of the function."""
        return (*arguments, "--function", self.function_name)

    def end(self) -> None:
        """Remove all that was created; parts that a drill has broken may be gone already."""
        for mapping in list(self._api.mappings):
            self.forget(mapping)
        if hasattr(self, "stream"):
            self.stream.end()
        for remove in (self.table.drop, self.queue.drop, self._drop_logs, self.index.drop):
            with suppress(ClientError, OSError):
                remove()

    def _open_stream(self) -> Stream:
        return Stream(self._database("dynamodbstreams"), self.table.stream_arn)

    def _database(self, service: str) -> Any:
        """Return a client for DynamoDB Local."""
        return aws.client(service, {**self._aws_environment, "AWS_ENDPOINT_URL": self.engines.dynamodb.url})

    def _publish(self, lines: list[str], age_seconds: float) -> None:
        """Publish what Lambda itself sends to CloudWatch: the log, and the iterator age."""
        now = int(time.time() * 1000)
        if lines:
            events = [{"timestamp": now, "message": line} for line in lines]
            self._logs.put_log_events(logGroupName=self._log_group, logStreamName="drill", logEvents=events)
        age = {
            "MetricName": "IteratorAge",
            "Dimensions": [{"Name": "FunctionName", "Value": self.function_name}],
            "Value": age_seconds * 1000,
            "Unit": "Milliseconds",
        }
        self._cloudwatch.put_metric_data(Namespace="AWS/Lambda", MetricData=[age])

    def _drop_logs(self) -> None:
        self._logs.delete_log_group(logGroupName=self._log_group)


@contextmanager
def open_stack(
    engines: Engines, narration: Narration, folder: Path, name: str, variables: Mapping[str, str]
) -> Iterator[Stack]:
    """Yield a stack that isn't started; after the block, it is removed."""
    with ExitStack() as running:
        api = running.enter_context(lambda_api())
        stack = Stack(engines, narration, folder, name, api, variables=variables)
        running.callback(stack.end)
        yield stack
