"""Logs and metrics: one JSON line per notable event, one EMF line per invocation. Never an item's content."""

import logging
import time

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from dynamodb_opensearch.core.tally import Tally

NAMESPACE = "DynamoDBOpenSearch"
DIMENSION = "Sync"
INDEX_DIMENSION = "Index"


# At DEBUG these libraries log the bodies of requests and answers: items' contents, and passwords.
for _talkative in ("boto3", "botocore", "urllib3", "opensearch"):
    logging.getLogger(_talkative).setLevel(logging.CRITICAL)


def make_logger(sync_name: str, level: str) -> Logger:
    """A logger of JSON lines."""
    return Logger(service=sync_name, level=level)


def emit(tally: Tally, *, sync_name: str, latest_second: int, remaining_seconds: float) -> None:
    """Print a line in the embedded metric format, and one more for each index that has dead letters.

    See: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

    Args:
        latest_second: epoch second of the batch's youngest change, 0 if unknown; the lag is counted from it.
    """
    metrics = EphemeralMetrics(namespace=NAMESPACE)
    metrics.add_dimension(DIMENSION, sync_name)
    counts = {
        "Records": tally.records,
        "Coalesced": tally.coalesced,
        "Writes": tally.writes,
        "Deletes": tally.deletes,
        "Superseded": tally.superseded,
        "Settled": tally.settled,
        "Dropped": tally.dropped,
        "Skipped": tally.skipped,
        "Missed": tally.missed,
        "Unfinished": tally.unfinished,
        "Retries": tally.retries,
        "DeadLetters": tally.dead_letters.total(),
        "BulkRequests": tally.bulk_requests,
    }
    for name, count in counts.items():
        metrics.add_metric(name, MetricUnit.Count, count)
    metrics.add_metric("BulkBytes", MetricUnit.Bytes, tally.bulk_bytes)
    metrics.add_metric("RemainingTime", MetricUnit.Milliseconds, max(remaining_seconds, 0) * 1000)
    for seconds in tally.bulk_seconds[:99]:  # one line takes 100 values of a metric
        metrics.add_metric("BulkLatency", MetricUnit.Milliseconds, seconds * 1000)
    if latest_second:
        metrics.add_metric("Lag", MetricUnit.Milliseconds, max(time.time() - latest_second, 0) * 1000)
    for reason, count in tally.dead_letters.items():
        metrics.add_metadata(f"DeadLetters.{reason}", count)
    metrics.flush_metrics()
    for index, count in tally.dead_letters_of.items():
        metrics = EphemeralMetrics(namespace=NAMESPACE)
        metrics.add_dimension(DIMENSION, sync_name)
        metrics.add_dimension(INDEX_DIMENSION, index)
        metrics.add_metric("DeadLetters", MetricUnit.Count, count)
        metrics.flush_metrics()
