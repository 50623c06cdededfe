"""Keeps a job's reads below a rate, so that the table's own readers don't notice it.

A step reads what it needs, and never waits for that: its time would be over before its work is done. What it cost is a
debt, which whoever runs the job waits out between two steps. So that a debt stays small, a page is no longer than what
the rate pays for in some seconds.
"""

import threading
import time
from collections.abc import Callable

_PAGE_SECONDS = 5.0
"""Of the rate, for one page."""


class CapacityLimit:
    """So many read capacity units per second, however many threads read."""

    def __init__(
        self, units_per_second: float, clock: Callable[[], float] = time.monotonic, *, owed_seconds: float = 0
    ) -> None:
        """Begin.

        Args:
            owed_seconds: how long to wait first, for what was read before.
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
        """How long to wait until all that was read so far is paid for. An idle time is no credit."""
        return max(self._paid_at - self._clock(), 0)

    def measure(self, units: float, items: int) -> None:
        """Note what a page of a scan took, for the length of the next ones."""
        if items:
            self._units_per_item = max(units / items, 0.001)

    @property
    def page_items(self) -> int:
        """How many items a page may have: a power of two, so that one page's second look is as long as its first."""
        affordable = self._rate * _PAGE_SECONDS / self._units_per_item
        return 1 << max(int(affordable).bit_length() - 1, 0)
