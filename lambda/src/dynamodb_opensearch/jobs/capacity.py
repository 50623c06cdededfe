"""Keeps a job's reads below a rate, so that the table's own readers don't notice it."""

import threading
import time
from collections.abc import Callable


class CapacityLimit:
    """So many read capacity units per second, however many threads read."""

    def __init__(
        self,
        units_per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate, self._clock, self._sleep = units_per_second, clock, sleep
        self._lock = threading.Lock()
        self._paid_until = clock()

    def spend(self, units: float) -> None:
        """Wait until what was read is paid for; the next read comes after that."""
        with self._lock:
            now = self._clock()
            self._paid_until = max(self._paid_until, now) + units / self._rate
            pause_seconds = self._paid_until - now
        self._sleep(pause_seconds)
