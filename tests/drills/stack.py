"""A whole sync on this machine: table, stream, function, queue, index, and the command beside it.

DynamoDB Local holds the table and OpenSearch is real; what Lambda does happens in this process, since LocalStack's
mapping neither bisects nor knows times to the second. LocalStack keeps the queue, the logs and the secrets.
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
"""Of the function: short, so that a retry of Lambda's is seen. The module's default is 120."""
_PATIENCE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Engines:
    """What runs on this machine."""

    opensearch: OpenSearchNode
    dynamodb: DynamoDBLocal
    aws: LocalStackNode


class Stack:
    """The parts, to be broken one by one."""

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
        """Connect; ``start`` makes everything."""
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
        """Make table, log group, function and mapping; the index is the caller's."""
        self._logs.create_log_group(logGroupName=self._log_group)
        self._logs.create_log_stream(logGroupName=self._log_group, logStreamName="drill")
        self.table.create()
        self.stream = self._open_stream()
        self.mapping = self.consume()

    def consume(self, name: str | None = None, **options: Any) -> EventSourceMapping:
        """A mapping of the stream to a function of this name, with the sync's settings; the caller keeps it."""
        function = Function(name or self.function_name, self.variables, self._aws_environment, TIMEOUT_SECONDS)
        mapping = EventSourceMapping(self.stream, function, self.metrics, on_invoked=self._publish, **options)
        self._api.functions[function.name] = function
        self._api.mappings.append(mapping)
        return mapping

    def forget(self, mapping: EventSourceMapping) -> None:
        """Delete a mapping."""
        mapping.end()
        self._api.mappings.remove(mapping)

    def consume_anew(self) -> None:
        """Delete the mapping and its stream's reader, and begin with what the table's stream of today brings."""
        self.forget(self.mapping)
        self.stream.end()
        self.stream = self._open_stream()
        self.mapping = self.consume(latest=True)

    def catch_up(self) -> None:
        """Wait until everything that was written so far is done.

        Raises:
            DrillError: it takes too long.
        """
        self.stream.wait_for_all()
        self.until(lambda: self.mapping.is_drained, "the function is through with the stream")

    def until(self, holds: Any, what: str, seconds: float = _PATIENCE_SECONDS) -> None:
        """Wait for something.

        Raises:
            DrillError: it takes too long.
        """
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise DrillError(f"after {seconds:.0f} s it is still not so that {what}")
            time.sleep(0.05)

    def fill(self, items: int) -> None:
        """Products 1 to ``items``."""
        self.table.load(self.products(items))

    def products(self, items: int) -> list[Item]:
        return [product(number) for number in range(1, items + 1)]

    def command(self, *arguments: str) -> tuple[str, ...]:
        """A command's arguments with the name of the function."""
        return (*arguments, "--function", self.function_name)

    def end(self) -> None:
        """Leave nothing behind; what a drill has broken may be gone already."""
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
        """DynamoDB Local's client."""
        return aws.client(service, {**self._aws_environment, "AWS_ENDPOINT_URL": self.engines.dynamodb.url})

    def _publish(self, lines: list[str], age_seconds: float) -> None:
        """What Lambda itself brings to CloudWatch: the log, and the iterator's age."""
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
    """A stack that isn't started, and leaves nothing behind."""
    with ExitStack() as running:
        api = running.enter_context(lambda_api())
        stack = Stack(engines, narration, folder, name, api, variables=variables)
        running.callback(stack.end)
        yield stack
