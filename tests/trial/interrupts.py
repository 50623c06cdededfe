"""Counts Ctrl-C and termination while something must not be interrupted at once."""

import signal
from types import FrameType
from typing import Self

from engines.interrupts import TERMINATION


class Interrupts:
    """A context manager in which Ctrl-C, SIGTERM and SIGHUP are only counted."""

    def __init__(self) -> None:
        self.count = 0
        self._previous: dict[int, object] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, *TERMINATION):
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # type: ignore[arg-type]

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
