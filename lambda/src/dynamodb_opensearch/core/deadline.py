"""How long this invocation may still work."""

import random
import time
from collections.abc import Callable


class Deadline:
    """The end of an invocation's useful time: before Lambda's own end by what an orderly answer needs."""

    def __init__(self, remaining_ms: Callable[[], int], sleep: Callable[[float], None] = time.sleep) -> None:
        """Take Lambda's own clock, ``context.get_remaining_time_in_millis``, and reserve a tenth, 3 s at most."""
        self._remaining_ms = remaining_ms
        self._sleep = sleep
        self._reserve_ms = min(remaining_ms() * 0.1, 3000.0)

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """A deadline of our own, where Lambda sets none."""
        end = time.monotonic() + seconds
        return cls(lambda: int((end - time.monotonic()) * 1000))

    def remaining_seconds(self) -> float:
        """Seconds left to work; negative when it is over."""
        return (self._remaining_ms() - self._reserve_ms) / 1000

    def back_off(self, attempt: int) -> bool:
        """Wait before attempt 1, 2, …: 0.1 s doubling up to 5 s, with jitter. False if no time would be left then."""
        pause_seconds = min(0.1 * 2 ** min(attempt - 1, 10), 5.0) * random.uniform(0.5, 1.0)  # noqa: S311 (jitter)
        if pause_seconds >= self.remaining_seconds():
            return False
        self._sleep(pause_seconds)
        return True
