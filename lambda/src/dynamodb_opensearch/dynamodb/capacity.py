"""Keeps a job's reads below a rate, so that the table's other readers don't notice them.

A step reads what it needs and never waits for capacity, or its time would be over before its work is done. What it
cost is a debt, which the engine that runs the job waits out between two steps. To keep a debt small, a page is no
longer than what the rate pays for in some seconds.
"""

import threading
import time
from collections.abc import Callable

_PAGE_SECONDS = 5.0
"""A page may cost what the rate pays for in this time."""


class CapacityLimit:
    """A limit of read capacity units per second, shared by all threads that read."""

    def __init__(
        self, units_per_second: float, clock: Callable[[], float] = time.monotonic, *, owed_seconds: float = 0
    ) -> None:
        """Start with nothing to pay but what is owed from before.

        Args:
            owed_seconds: how long to wait first, for earlier reads.
        """
        self._rate, self._clock = units_per_second, clock
        self._lock = threading.Lock()
        self._paid_at = clock() + owed_seconds
        self._units_per_item = 1.0

    def spend(self, units: float) -> None:
        """Note what a read took."""
        with self._lock:
            self._paid_at = max(self._paid_at, self._clock()) + units / self._rate

    @property
    def owed_seconds(self) -> float:
        """How long to wait until everything read so far is paid for. Idle time earns no credit."""
        return max(self._paid_at - self._clock(), 0)

    def measure(self, units: float, items: int) -> None:
        """Note what a page of a scan took, for the length of the next ones."""
        if items:
            self._units_per_item = max(units / items, 0.001)

    @property
    def page_items(self) -> int:
        """How many items a page may have: a power of two, so that a page's second look is as long as its first."""
        affordable = self._rate * _PAGE_SECONDS / self._units_per_item
        return 1 << max(int(affordable).bit_length() - 1, 0)
