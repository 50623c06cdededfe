"""Counts what one invocation did, where it happens."""

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Counts of what one invocation did; ``telemetry.emit`` turns them into metrics."""

    records: int = 0
    coalesced: int = 0
    writes: int = 0
    deletes: int = 0
    superseded: int = 0
    settled: int = 0
    unfinished: int = 0
    retries: int = 0
    dropped: int = 0
    """Records that concern no document of an index, neither before the change nor after it, once for each index."""
    skipped: int = 0
    """Records that leave an index's document as it was, once for each index."""
    missed: int = 0
    """Documents that standby indices couldn't take."""
    missed_by: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Standby index -> how many documents it couldn't take, and why."""
    from_the_future: int = 0
    """Conflicts with versions that no clock can have given by now."""
    dead_letters: Counter[str] = field(default_factory=Counter)
    """By the type of their reason."""
    dead_letters_of: Counter[str] = field(default_factory=Counter)
    """By index."""
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
