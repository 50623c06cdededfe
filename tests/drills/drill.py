"""Defines what a drill is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from drills.stage import Stage


class Node(Enum):
    """Which OpenSearch a drill needs."""

    PLAIN = "a node with default settings"
    FRAIL = "a node with tiny queues, which is filled up, blocked and killed"
    SECURED = "a node with TLS, users and roles"


@dataclass(frozen=True, slots=True)
class Drill:
    """One failure, and how it is ended."""

    name: str
    breaks: str
    """What breaks, in half a line."""
    alarms: tuple[str, ...]
    """Alarms whose metrics move; empty if no alarm may fire."""
    command: str
    """What the runbook says to run, or how it ends by itself."""
    run: Callable[[Stage], None]
    node: Node = Node.PLAIN


OPTIONS: Mapping[Node, Mapping[str, Any]] = {
    Node.PLAIN: {},
    Node.FRAIL: {
        "settings": {
            "thread_pool.write.size": "1",
            "thread_pool.write.queue_size": "1",
            "indexing_pressure.memory.limit": "2mb",
            # The disk is checked, and has enough room until a drill says otherwise.
            "cluster.routing.allocation.disk.threshold_enabled": True,
            "cluster.routing.allocation.disk.watermark.low": "3b",
            "cluster.routing.allocation.disk.watermark.high": "2b",
            "cluster.routing.allocation.disk.watermark.flood_stage": "1b",
            "cluster.info.update.interval": "10s",
        }
    },
    Node.SECURED: {"security": True},
}
"""Options of ``engines.opensearch`` for each kind of node."""
