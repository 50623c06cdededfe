"""Waits for something to become true, never longer than it was given."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from trial.errors import NotProvenError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Waits:
    """How long one thing may take. ``longest_seconds`` shortens every wait, for a run against an emulator."""

    longest_seconds: float
    poll_seconds: float = 2.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def until(
        self, look: Callable[[], T], seconds: float, what: Callable[[], str], *, every: float | None = None
    ) -> tuple[T, float]:
        """Return the first true value of ``look``, and after how many seconds it came.

        ``every`` is how many seconds are between two looks.

        Raises:
            NotProvenError: it isn't true in time; ``what`` says what is seen instead.
        """
        limit = min(seconds, self.longest_seconds)
        began = self.clock()
        while True:
            value = look()
            waited = self.clock() - began
            if value:
                return value, waited
            if waited >= limit:
                raise NotProvenError(f"after {limit:.0f} s {what()}")
            self.sleep(min(every or self.poll_seconds, max(limit - waited, self.poll_seconds)))
