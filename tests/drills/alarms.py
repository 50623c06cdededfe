"""The alarms of modules/monitoring whose metrics drills move; their thresholds are the module's defaults."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from drills.function import REPOSITORY
from drills.metrics import Metrics

MODULE = REPOSITORY / "modules/monitoring"


class Statistic(Enum):
    """A statistic of a metric's values, in CloudWatch's words."""

    MAXIMUM = "Maximum"
    SUM = "Sum"
    SAMPLE_COUNT = "SampleCount"


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm. It fires at its threshold, after the time that the module sets."""

    metric: str
    statistic: Statistic
    variable: str
    """The module's variable for the threshold."""
    seconds: bool = False
    """Whether the threshold is in seconds, and the metric in milliseconds."""

    @property
    def threshold(self) -> float:
        """The threshold in the metric's unit."""
        return _default_of(self.variable) * (1000 if self.seconds else 1)

    def value(self, metrics: Metrics, since: float, until: float = float("inf")) -> float:
        """Return the statistic over a span of time."""
        values = metrics.values(self.metric, since, until)
        match self.statistic:
            case Statistic.MAXIMUM:
                return max(values, default=0)
            case Statistic.SUM:
                return sum(values)
            case Statistic.SAMPLE_COUNT:
                return len(values)

    def shown(self, value: float) -> str:
        """Format a value for people."""
        return f"{value / 1000:.1f} s" if self.seconds else f"{value:g}"


def _default_of(variable: str) -> float:
    """Return the variable's default; 1 if the alarm is off by default: the domain's metrics are 0 or 1."""
    text = (MODULE / "variables.tf").read_text(encoding="utf-8")
    found = re.search(rf'^variable "{variable}" {{.*?^  default += (\S+)$', text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise LookupError(f"modules/monitoring has no variable {variable}")
    return 1 if found[1] == "null" else float(found[1])


ALARMS: Mapping[str, Alarm] = {
    "iterator-age-warn": Alarm("IteratorAge", Statistic.MAXIMUM, "iterator_age_warn_seconds", seconds=True),
    "lag": Alarm("Lag", Statistic.MAXIMUM, "lag_seconds", seconds=True),
    "errors": Alarm("Errors", Statistic.SUM, "errors"),
    "failed-invokes": Alarm("FailedInvokeEventCount", Statistic.SUM, "failed_invokes"),
    "dead-letters": Alarm("DeadLetters", Statistic.SUM, "dead_letters"),
    "dead-letters-waiting": Alarm("ApproximateNumberOfMessagesVisible", Statistic.MAXIMUM, "dead_letters_waiting"),
    "not-polling": Alarm("PolledEventCount", Statistic.SAMPLE_COUNT, "not_polling_minutes"),
    "writes-blocked": Alarm("ClusterIndexWritesBlocked", Statistic.MAXIMUM, "writes_blocked_minutes"),
}
