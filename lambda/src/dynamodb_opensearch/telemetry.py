"""Logs and metrics: one JSON line per notable event, one EMF line per invocation. Never an item's content."""

import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

NAMESPACE = "DynamoDBOpenSearch"
DIMENSION = "Sync"


@dataclass(slots=True)
class Tally:
    """What one invocation did. The fields are counted where they happen; ``emit`` makes metrics of them."""

    records: int = 0
    coalesced: int = 0
    writes: int = 0
    deletes: int = 0
    superseded: int = 0
    settled: int = 0
    unfinished: int = 0
    retries: int = 0
    from_the_future: int = 0
    """Conflicts with versions that no clock can have given yet."""
    dead_letters: Counter[str] = field(default_factory=Counter)
    bulk_requests: int = 0
    bulk_bytes: int = 0
    bulk_seconds: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add_request(self, body_bytes: int, seconds: float) -> None:
        """Count one bulk request; called from the threads that send."""
        with self._lock:
            self.bulk_requests += 1
            self.bulk_bytes += body_bytes
            self.bulk_seconds.append(seconds)


# At DEBUG these log the bodies of requests and answers: items' contents, and passwords.
for _talkative in ("boto3", "botocore", "urllib3", "opensearch"):
    logging.getLogger(_talkative).setLevel(logging.CRITICAL)


def make_logger(sync_name: str, level: str) -> Logger:
    """A logger of JSON lines."""
    return Logger(service=sync_name, level=level)


def emit(tally: Tally, *, sync_name: str, latest_second: int, remaining_seconds: float) -> None:
    """Print one embedded-metric-format line.

    See: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

    Args:
        latest_second: epoch second of the batch's youngest change, 0 if unknown: gives the lag from change to index.
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
