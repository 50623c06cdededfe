"""What a drill is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from drills.stage import Stage


class Node(Enum):
    """Which OpenSearch a drill needs."""

    PLAIN = "one that goes on as it is"
    FRAIL = "one with tiny queues, to be filled up, blocked and killed"
    SECURED = "one with TLS, users and roles"


@dataclass(frozen=True, slots=True)
class Drill:
    """One thing that goes wrong, and how it is mended."""

    name: str
    breaks: str
    """What is broken, in half a line."""
    alarms: tuple[str, ...]
    """Those whose metric moves; none where nothing must alarm."""
    command: str
    """What the runbook says to run, or what mends it by itself."""
    run: Callable[[Stage], None]
    node: Node = Node.PLAIN


OPTIONS: Mapping[Node, Mapping[str, Any]] = {
    Node.PLAIN: {},
    Node.FRAIL: {
        "settings": {
            "thread_pool.write.size": "1",
            "thread_pool.write.queue_size": "1",
            "indexing_pressure.memory.limit": "2mb",
            # The disk is looked at, and has room enough until a drill says otherwise.
            "cluster.routing.allocation.disk.threshold_enabled": True,
            "cluster.routing.allocation.disk.watermark.low": "3b",
            "cluster.routing.allocation.disk.watermark.high": "2b",
            "cluster.routing.allocation.disk.watermark.flood_stage": "1b",
            "cluster.info.update.interval": "10s",
        }
    },
    Node.SECURED: {"security": True},
}
"""How each is started: options of ``engines.opensearch``."""
