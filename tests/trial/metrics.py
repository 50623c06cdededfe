"""Looks whether the metrics that the alarms watch exist: an alarm on a metric that doesn't exist never goes off."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from trial.stage import Stage, must

SECONDS = 1500
"""For all metrics together. CloudWatch lists a new one up to fifteen minutes after its first value."""

_EMULATOR_SECONDS = 5
"""An emulator lists a metric at once, or never."""

ONLY_IN_TROUBLE = (
    "FailedInvokeEventCount",
    "DroppedEventCount",
    "OnFailureDestinationDeliveredEventCount",
    "DestinationDeliveryFailures",
)
"""Metrics that have no value while nothing is wrong: a trial can't see them."""

FUNCTION = ("AWS/Lambda", "FunctionName")
TRIGGER = ("AWS/Lambda", "EventSourceMappingUUID")
OWN = ("DynamoDBOpenSearch", "Sync")
QUEUE = ("AWS/SQS", "QueueName")


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that an alarm watches."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]

    @property
    def source(self) -> tuple[str, str]:
        """Its namespace, and the name of its first dimension."""
        return self.namespace, self.dimensions[0][0] if self.dimensions else ""


def alarms_exist(stage: Stage) -> str:
    """Each source of metrics has alarms."""
    watched = _watched(stage)
    missing = {FUNCTION, TRIGGER, OWN, QUEUE} - {metric.source for metric in watched}
    must(not missing, f"no alarm watches {sorted(missing)}")
    return f"they watch {len(watched)} metrics"


def sync_metrics(stage: Stage) -> str:
    return _exist(stage, FUNCTION)


def trigger_metrics(stage: Stage) -> str:
    return _exist(stage, TRIGGER)


def own_metrics(stage: Stage) -> str:
    return _exist(stage, OWN)


def queue_metrics(stage: Stage) -> str:
    return _exist(stage, QUEUE)


def _exist(stage: Stage, source: tuple[str, str]) -> str:
    """Wait until CloudWatch lists all metrics of this source that the alarms watch, with the same dimensions."""
    mine = {metric for metric in _watched(stage) if metric.source == source}
    expected = {metric for metric in mine if metric.name not in ONLY_IN_TROUBLE}
    must(expected, "no alarm watches any of them")
    cloudwatch = stage.account.client("cloudwatch")
    unseen = set(expected)

    def all_listed() -> bool:
        unseen.difference_update({metric for metric in unseen if _is_listed(cloudwatch, metric)})
        return not unseen

    _, seconds = stage.waits.until(
        all_listed, _seconds_left(stage), lambda: f"CloudWatch doesn't list {_names(unseen)}"
    )
    quiet = _names(mine - expected)
    return f"{_names(expected)}, after {seconds:.0f} s" + (f"; only after a failure: {quiet}" if quiet else "")


def _seconds_left(stage: Stage) -> float:
    """Return how much of the time for all metrics is left; the first wait begins it."""
    now = stage.waits.clock()
    if stage.metrics_awaited is None:
        stage.metrics_awaited = now
    most = _EMULATOR_SECONDS if stage.account.emulator else SECONDS
    return max(0.0, min(most, stage.waits.longest_seconds) - (now - stage.metrics_awaited))


def _watched(stage: Stage) -> set[Metric]:
    prefix = f"{stage.trial['function_name']}-"
    pages = stage.account.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
    alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
    return {_metric(part) for alarm in alarms for part in _parts(alarm)}


def _parts(alarm: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Yield what has a metric: the alarm itself, or the terms of its expression."""
    if "MetricName" in alarm:
        yield {**alarm, "Dimensions": alarm.get("Dimensions", [])}
    for query in alarm.get("Metrics", []):
        if "MetricStat" in query:
            yield query["MetricStat"]["Metric"]


def _metric(part: Mapping[str, Any]) -> Metric:
    dimensions = sorted((each["Name"], each["Value"]) for each in part.get("Dimensions", []))
    return Metric(part["Namespace"], part["MetricName"], tuple(dimensions))


def _is_listed(cloudwatch: Any, metric: Metric) -> bool:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    pages = cloudwatch.get_paginator("list_metrics").paginate(
        Namespace=metric.namespace, MetricName=metric.name, Dimensions=dimensions
    )
    return any(_metric(found) == metric for page in pages for found in page["Metrics"])


def _names(metrics: Iterable[Metric]) -> str:
    return ", ".join(sorted({metric.name for metric in metrics}))
