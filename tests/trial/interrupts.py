"""Counts Ctrl-C and termination while something must not be interrupted at once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

from engines.interrupts import TERMINATION


class Interrupts:
    """A context manager in which Ctrl-C, SIGTERM and SIGHUP are only counted.

    What is counted in an inner one counts in the outer one too, when the inner one ends.
    """

    def __init__(self) -> None:
        self.count = 0
        self._raises = False
        self._previous: dict[int, object] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, *TERMINATION):
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # type: ignore[arg-type]
        outer = getattr(self._previous.get(signal.SIGINT), "__self__", None)
        if isinstance(outer, Interrupts):
            outer.count += self.count

    @contextmanager
    def raising(self) -> Iterator[None]:
        """Raise KeyboardInterrupt in the block, once; one that came before is raised at its start."""
        try:
            self._raises = True
            if self.count:
                raise KeyboardInterrupt
            yield
        finally:
            self._raises = False

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self._raises:
            self._raises = False
            raise KeyboardInterrupt
