"""Shows how far a job is, its rate and the time left: on a terminal only, and never a total known to be wrong."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

_WINDOW_SECONDS = 15.0


class Pace:
    """Counts what is done, and computes the rate of the last seconds."""

    def __init__(self, done: int, expected: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Go on from what an earlier run did.

        Args:
            expected: about how many there are in all; None if unknown.
        """
        self.done = done
        self.expected = expected or None
        self._clock = clock
        self._points: deque[tuple[float, int]] = deque([(clock(), done)])

    def add(self, number: int) -> None:
        """Count what a step did."""
        self.done += number
        now = self._clock()
        self._points.append((now, self.done))
        while len(self._points) > 2 and now - self._points[1][0] >= _WINDOW_SECONDS:
            self._points.popleft()

    @property
    def rate(self) -> float | None:
        """Rate per second; None before anything was counted."""
        began, done_then = self._points[0]
        seconds = self._clock() - began
        return (self.done - done_then) / seconds if seconds > 0 and self.done > done_then else None

    @property
    def total(self) -> int | None:
        """About how many there are in all; None if unknown, or if more are done than expected."""
        return self.expected if self.expected and self.done <= self.expected else None

    @property
    def seconds_left(self) -> float | None:
        """Estimated time left; None if unknown."""
        if self.total is None or self.rate is None:
            return None
        return (self.total - self.done) / self.rate

    def __str__(self) -> str:
        """``12,345 of ~100,000 · 3,210/s · 0:00:27 left``."""
        parts = [f"{self.done:,}" + (f" of ~{self.total:,}" if self.total else "")]
        if self.rate is not None:
            parts.append(f"{self.rate:,.0f}/s" if self.rate >= 10 else f"{self.rate:.1f}/s")
        if self.seconds_left is not None:
            parts.append(f"{duration(self.seconds_left)} left")
        return " · ".join(parts)


def duration(seconds: float) -> str:
    """``0:01:05``, ``26:00:00``."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole % 3600 // 60:02}:{whole % 60:02}"


def span(seconds: float) -> str:
    """``0.8 s``, ``42 s``, ``3 min``, ``26 h``, ``4 d``."""
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            number = seconds / unit
            return f"{number:.1f} {name}" if number < 10 and unit == 1 else f"{number:.0f} {name}"
    return f"{seconds / 86400:.0f} d"


class ProgressBar:
    """A progress line if the console is a terminal; else nothing."""

    def __init__(self, console: Console, title: str, pace: Pace) -> None:
        self._pace = pace
        self._progress: Progress | None = None
        if console.is_terminal:
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=20),
                TextColumn("{task.fields[pace]}"),
                console=console,
                transient=True,
                refresh_per_second=4,
            )
            self._task: TaskID = self._progress.add_task(title, total=None, pace=pace)

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress:
            self._progress.stop()

    def add(self, number: int) -> None:
        """Count what a step did."""
        self._pace.add(number)
        if self._progress:
            self._progress.update(self._task, completed=self._pace.done, total=self._pace.total, pace=str(self._pace))


@contextmanager
def waiting(console: Console, text: str) -> Iterator[None]:
    """Show what the command is waiting for, if the console is a terminal."""
    if not console.is_terminal:
        yield
        return
    with console.status(text):
        yield
