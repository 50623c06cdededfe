"""Deploys the sync on LocalStack, which runs it as Lambda does: function, event source mapping, log and metrics."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from engines import LocalStackNode, OpenSearchNode

from demo import aws
from drills.function import HANDLER
from drills.metrics import Metrics
from drills.narration import Narration
from drills.shell import Shell
from drills.sides import KEY, FailureQueue, ProductIndex, ProductTable


class Deployment:
    """The parts, named as the module names them."""

    def __init__(
        self, node: OpenSearchNode, localstack: LocalStackNode, narration: Narration, folder: Path, name: str
    ) -> None:
        """Connect, and create the queue."""
        self._environment = localstack.environment()
        self.function_name = f"{name}-opensearch-sync"
        self.metrics = Metrics()
        self.table = ProductTable(self._client("dynamodb"), name)
        self.index = ProductIndex(node, name)
        self.queue = FailureQueue(self._client("sqs"), f"{self.function_name}-failures")
        self.shell = Shell(narration, folder, self._environment)
        self._lambda = self._client("lambda")
        self._mapping: str | None = None

    def start(self, package: bytes, variables: Mapping[str, str]) -> None:
        """Create table, function and event source mapping; the caller creates the index."""
        self.table.create()
        self._lambda.create_function(
            FunctionName=self.function_name,
            Runtime="python3.13",
            Handler=HANDLER,
            Role="arn:aws:iam::000000000000:role/sync",
            Code={"ZipFile": package},
            Timeout=30,
            Environment={
                "Variables": {
                    "OPENSEARCH_ENDPOINT": self.index.node.url,
                    "OPENSEARCH_AUTH": "none",
                    "TABLE_NAME": self.table.name,
                    "TABLE_KEYS": KEY,
                    "INDEX": self.index.name,
                    "DEAD_LETTER_ARN": self.queue.arn,
                    **variables,
                }
            },
        )
        self._lambda.get_waiter("function_active_v2").wait(FunctionName=self.function_name, WaiterConfig={"Delay": 1})
        self._mapping = self._lambda.create_event_source_mapping(
            FunctionName=self.function_name,
            EventSourceArn=self.table.stream_arn,
            StartingPosition="TRIM_HORIZON",
            BatchSize=100,
            BisectBatchOnFunctionError=True,
            FunctionResponseTypes=["ReportBatchItemFailures"],
            DestinationConfig={"OnFailure": {"Destination": self.queue.arn}},
        )["UUID"]

    def deploy(self, package: bytes) -> None:
        """Replace the function's code."""
        self._lambda.update_function_code(FunctionName=self.function_name, ZipFile=package)
        self._lambda.get_waiter("function_updated_v2").wait(FunctionName=self.function_name, WaiterConfig={"Delay": 1})

    def errors(self) -> float:
        """Return Lambda's Errors metric as CloudWatch has it so far."""
        now = datetime.now(UTC)
        answer = self._client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Errors",
            Dimensions=[{"Name": "FunctionName", "Value": self.function_name}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=3600,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in answer["Datapoints"]))

    def log_line(self, text: str) -> str | None:
        """Return the last line of the function's log that has this text."""
        with suppress(ClientError):  # the log group comes with the first invocation
            events = self._client("logs").filter_log_events(logGroupName=f"/aws/lambda/{self.function_name}")["events"]
            lines = [line for event in events for line in event["message"].splitlines() if text in line]
            return lines[-1] if lines else None
        return None

    def command(self, *arguments: str) -> tuple[str, ...]:
        """Return a command's arguments with the name of the function."""
        return (*arguments, "--function", self.function_name)

    def end(self) -> None:
        """Remove all that was created."""
        if self._mapping:
            self._lambda.delete_event_source_mapping(UUID=self._mapping)
        remove_function = lambda: self._lambda.delete_function(FunctionName=self.function_name)  # noqa: E731
        for remove in (remove_function, self.table.drop, self.queue.drop, self.index.drop):
            with suppress(ClientError, OSError):
                remove()

    def _client(self, service: str) -> Any:
        return aws.client(service, self._environment)


@contextmanager
def deployment(
    node: OpenSearchNode, localstack: LocalStackNode, narration: Narration, folder: Path, name: str
) -> Iterator[Deployment]:
    """Yield a deployment that isn't started; after the block, it is removed."""
    deployed = Deployment(node, localstack, narration, folder, name)
    try:
        yield deployed
    finally:
        deployed.end()
