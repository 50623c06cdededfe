"""Deadlines: how long an invocation or a job may still work, and the pauses between its attempts."""

import random
import time
from collections.abc import Callable


class Deadline:
    """The end of an invocation's useful time: earlier than Lambda's own, by the time that an orderly answer needs."""

    def __init__(self, remaining_ms: Callable[[], int], sleep: Callable[[float], None] = time.sleep) -> None:
        """Take Lambda's own clock, ``context.get_remaining_time_in_millis``, and reserve a tenth of it, at most 3 s."""
        self._remaining_ms = remaining_ms
        self._sleep = sleep
        self._reserve_ms = min(remaining_ms() * 0.1, 3000.0)

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """A deadline of our own, where Lambda sets none; a tenth is reserved here, too."""
        end = time.monotonic() + seconds
        return cls(lambda: int((end - time.monotonic()) * 1000))

    def remaining_seconds(self) -> float:
        """Seconds left to work; negative after the deadline."""
        return (self._remaining_ms() - self._reserve_ms) / 1000

    def back_off(self, attempt: int) -> bool:
        """Wait before attempt 1, 2, …: 0.1 s doubling up to 5 s, with jitter. False if no time would be left then."""
        pause_seconds = min(0.1 * 2 ** min(attempt - 1, 10), 5.0) * random.uniform(0.5, 1.0)  # noqa: S311 (jitter)
        if pause_seconds >= self.remaining_seconds():
            return False
        self._sleep(pause_seconds)
        return True
