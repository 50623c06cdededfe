"""Reads the function's own metrics of the last minutes from CloudWatch, or from the log lines that they come from.

An emulator such as LocalStack keeps the log lines but makes no metrics of them.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dynamodb_opensearch.core.errors import SyncError
from dynamodb_opensearch.telemetry import DIMENSION, INDEX_DIMENSION, NAMESPACE

MINUTES = 15
_PERIOD_SECONDS = 60  # CloudWatch's
_LINES_STEP_SECONDS = 10
_PAGES = 10  # of log lines
_SUMS = ("Writes", "Retries", "DeadLetters", "Dropped", "Skipped", "Missed")
_STATISTICS = {"Lag": "Maximum", **dict.fromkeys(_SUMS, "Sum")}

Ask = Callable[..., Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Series:
    """Values at equal intervals, the last of them now; None where nothing was measured."""

    step_seconds: int
    values: Sequence[float | None]

    @property
    def latest(self) -> float | None:
        """The newest value."""
        return next((value for value in reversed(self.values) if value is not None), None)

    @property
    def latest_age_seconds(self) -> int:
        """How long ago the newest value was measured, to a step; 0 if there is none."""
        ages = (back for back, value in enumerate(reversed(self.values)) if value is not None)
        return next(ages, 0) * self.step_seconds

    @property
    def highest(self) -> float | None:
        """The highest value."""
        return max((value for value in self.values if value is not None), default=None)

    @property
    def total(self) -> float:
        """The sum of the values."""
        return math.fsum(value for value in self.values if value is not None)


@dataclass(frozen=True, slots=True)
class Metrics:
    """The function's metrics of the last ``MINUTES``."""

    source: str
    """``CloudWatch`` or ``log lines``."""
    lag_seconds: Series
    """Time from a change to its document: the highest of each step."""
    writes: int
    retries: int
    dead_letters: int
    dropped: int = 0
    """Records that concern no document of an index."""
    skipped: int = 0
    """Changes that left the document as it was."""
    missed: int = 0
    """Writes that a standby index couldn't take."""


def read_metrics(
    ask_cloudwatch: Ask, ask_logs: Ask, *, sync: str, log_group: str | None, now: datetime
) -> Metrics | None:
    """Return the metrics; None if nothing was measured.

    Args:
        ask_cloudwatch: ``get_metric_data``.
        ask_logs: ``filter_log_events``.

    Raises:
        SyncError: neither can be asked.
    """
    problem: SyncError | None = None
    series: Mapping[str, Series] = {}
    try:
        series = published(ask_cloudwatch, NAMESPACE, {DIMENSION: sync}, _STATISTICS, now)
    except SyncError as error:
        problem = error
    if any(values.latest is not None for values in series.values()):
        return _metrics("CloudWatch", series)
    if log_group is None:
        if problem:
            raise problem
        return None
    try:
        series = logged(ask_logs, log_group, sync, now)
    except SyncError as error:
        raise problem or error from None
    return _metrics("log lines", series) if any(values.latest is not None for values in series.values()) else None


def published(
    ask: Ask, namespace: str, dimensions: Mapping[str, str], statistics: Mapping[str, str], now: datetime
) -> dict[str, Series]:
    """Map each metric to its values in CloudWatch, one per minute.

    Args:
        ask: ``get_metric_data``.
        statistics: metric -> ``Maximum``, ``Sum``, …
    """
    metric = {
        "Namespace": namespace,
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    }
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {"Metric": {**metric, "MetricName": name}, "Period": _PERIOD_SECONDS, "Stat": statistic},
        }
        for number, (name, statistic) in enumerate(statistics.items())
    ]
    answer = ask(MetricDataQueries=queries, StartTime=now - timedelta(minutes=MINUTES), EndTime=now)
    results = {result["Id"]: result for result in answer["MetricDataResults"]}
    found = {}
    for number, (name, statistic) in enumerate(statistics.items()):
        result = results.get(f"m{number}", {"Timestamps": [], "Values": []})
        points = zip(result["Timestamps"], result["Values"], strict=True)
        found[name] = _series(points, statistic, _PERIOD_SECONDS, now)
    return found


def logged(ask: Ask, log_group: str, sync: str, now: datetime) -> dict[str, Series]:
    """Map each metric to its values in the function's embedded-metric-format lines, one for every ten seconds.

    Args:
        ask: ``filter_log_events``.
    """
    points: dict[str, list[tuple[datetime, float]]] = {name: [] for name in _STATISTICS}
    for line in _lines(ask, log_group, now - timedelta(minutes=MINUTES)):
        if line.get(DIMENSION) != sync or INDEX_DIMENSION in line:  # the latter repeats a part of the sync's own
            continue
        try:
            at = datetime.fromtimestamp(line["_aws"]["Timestamp"] / 1000, UTC)
            found = {name: [float(value) for value in _listed(line.get(name, []))] for name in points}
        except (KeyError, OSError, OverflowError, TypeError, ValueError):  # a line of another program
            continue
        for name, values in found.items():
            points[name] += [(at, value) for value in values]
    return {name: _series(points[name], statistic, _LINES_STEP_SECONDS, now) for name, statistic in _STATISTICS.items()}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _lines(ask: Ask, log_group: str, since: datetime) -> Iterator[dict[str, Any]]:
    arguments: dict[str, Any] = {
        "logGroupName": log_group,
        "startTime": int(since.timestamp() * 1000),
        "filterPattern": '"CloudWatchMetrics"',
    }
    for _ in range(_PAGES):
        answer = ask(**arguments)
        for event in answer["events"]:
            try:
                line = json.loads(event["message"])
            except (RecursionError, ValueError):
                continue
            if isinstance(line, dict) and isinstance(line.get("_aws"), dict):
                yield line
        if "nextToken" not in answer:
            return
        arguments["nextToken"] = answer["nextToken"]


def _series(points: Iterable[tuple[datetime, float]], statistic: str, step_seconds: int, now: datetime) -> Series:
    values: list[float | None] = [None] * (MINUTES * 60 // step_seconds)
    combine: Callable[[float, float], float] = max if statistic == "Maximum" else float.__add__
    for at, value in points:
        back = max((now - at).total_seconds(), 0) // step_seconds
        if back < len(values):
            position = len(values) - 1 - int(back)
            before = values[position]
            values[position] = float(value) if before is None else combine(before, float(value))
    return Series(step_seconds, values)


def _metrics(source: str, series: Mapping[str, Series]) -> Metrics:
    lag = series["Lag"]
    return Metrics(
        source=source,
        lag_seconds=Series(lag.step_seconds, [value and value / 1000 for value in lag.values]),
        writes=round(series["Writes"].total),
        retries=round(series["Retries"].total),
        dead_letters=round(series["DeadLetters"].total),
        dropped=round(series["Dropped"].total),
        skipped=round(series["Skipped"].total),
        missed=round(series["Missed"].total),
    )
