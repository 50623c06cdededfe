"""Handles Ctrl-C and termination: unwinding cleans up, and the clean-up isn't interrupted."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

TERMINATION = (signal.SIGTERM, signal.SIGHUP)


def unwind_on_termination() -> None:
    """Make SIGTERM and SIGHUP raise KeyboardInterrupt, as Ctrl-C does, so that context managers clean up.

    A signal that is ignored stays ignored, so `nohup` works.
    """
    for number in TERMINATION:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Hold back Ctrl-C and termination until the block, which must be short, is done."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is interrupted
        return
    arrived: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        arrived.append(number)

    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, *TERMINATION)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for arrival in arrived:
            signal.raise_signal(arrival)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)
