"""Collects a sync's metrics as CloudWatch would: the function's own, from the lines that it prints, and Lambda's."""

import json
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any


class Metrics:
    """All values since the beginning, each with its time. Threads may share it."""

    def __init__(self) -> None:
        self._values: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self.log: list[tuple[float, Mapping[str, Any]]] = []
        """The function's other lines that are JSON."""

    def add(self, name: str, value: float) -> None:
        """Add a value, measured now."""
        self._values[name].append((time.monotonic(), value))

    def add_line(self, line: str) -> None:
        """Take a line that the function printed: metrics in embedded metric format, or a log line."""
        try:
            content = json.loads(line)
        except ValueError:
            return
        if not isinstance(content, dict):
            return
        if "_aws" not in content:
            self.log.append((time.monotonic(), content))
            return
        for directive in content["_aws"]["CloudWatchMetrics"]:
            for metric in directive["Metrics"]:
                value = content[metric["Name"]]
                for number in value if isinstance(value, list) else [value]:
                    self.add(metric["Name"], float(number))

    def values(self, name: str, since: float = 0, until: float = float("inf")) -> list[float]:
        """Return the values in a span of ``time.monotonic()``."""
        return [value for at, value in list(self._values[name]) if since <= at < until]

    def messages(self, level: str, since: float = 0) -> list[Mapping[str, Any]]:
        """Return the log's lines of a level."""
        return [line for at, line in list(self.log) if at >= since and line.get("level") == level]
