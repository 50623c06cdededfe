"""The metrics that the monitoring may name: those that AWS documents, and those that the function emits."""

import contextlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dynamodb_opensearch import telemetry
from dynamodb_opensearch.core.tally import Tally


@dataclass(frozen=True, slots=True)
class Source:
    """Metrics of one namespace that have the same dimensions: name -> unit."""

    namespace: str
    dimensions: frozenset[str]
    units: Mapping[str, str]
    see: str


_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"

PUBLISHED = (
    Source(
        "AWS/Lambda",
        frozenset({"FunctionName"}),
        {
            "ConcurrentExecutions": "Count",
            "DestinationDeliveryFailures": "Count",
            "Duration": "Milliseconds",
            "Errors": "Count",
            "Invocations": "Count",
            "IteratorAge": "Milliseconds",
            "Throttles": "Count",
        },
        _LAMBDA,
    ),
    Source(
        "AWS/Lambda",
        frozenset({"EventSourceMappingUUID"}),
        # For streams; DeletedEventCount is for SQS. There is no OffendingRecordCount, whatever is written elsewhere.
        dict.fromkeys(
            (
                "DroppedEventCount",
                "FailedInvokeEventCount",
                "FilteredOutEventCount",
                "InvokedEventCount",
                "OnFailureDestinationDeliveredEventCount",
                "PolledEventCount",
            ),
            "Count",
        ),
        f"{_LAMBDA}#event-source-mapping-metrics",
    ),
    Source(
        "AWS/DynamoDB",
        frozenset({"Operation", "StreamLabel", "TableName"}),
        {"ReturnedBytes": "Bytes", "ReturnedRecordsCount": "Count"},
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html",
    ),
    Source(
        "AWS/SQS",
        frozenset({"QueueName"}),
        {
            "ApproximateAgeOfOldestMessage": "Seconds",
            "ApproximateNumberOfMessagesNotVisible": "Count",
            "ApproximateNumberOfMessagesVisible": "Count",
        },
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html",
    ),
    Source(
        "AWS/ES",
        frozenset({"ClientId", "DomainName"}),
        {
            "CPUUtilization": "Percent",
            "ClusterIndexWritesBlocked": "Count",
            "ClusterStatus.red": "Count",
            "ClusterStatus.yellow": "Count",
            "FreeStorageSpace": "Mebibytes",
            "JVMMemoryPressure": "Percent",
            "ThreadpoolWriteQueue": "Count",
            "ThreadpoolWriteRejected": "Count",
        },
        "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/managedomains-cloudwatchmetrics.html",
    ),
)


def emitted() -> tuple[Source, ...]:
    """What the function emits for a batch in which all happened that is counted, read from its own lines."""
    tally = Tally(records=1)
    tally.add_request(body_bytes=1, seconds=0.1)
    tally.dead_letters["mapper_parsing_exception"] += 1
    tally.dead_letters_of["products"] += 1
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        telemetry.emit(tally, sync_name="products", latest_second=1, remaining_seconds=1)
    return tuple(_source(json.loads(line)) for line in printed.getvalue().splitlines())


def _source(line: Mapping[str, Any]) -> Source:
    [directive] = line["_aws"]["CloudWatchMetrics"]
    [dimensions] = directive["Dimensions"]
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    return Source(directive["Namespace"], frozenset(dimensions), units, "dynamodb_opensearch/telemetry.py")
