"""Handles Ctrl-C and SIGTERM: the first signal ends a run in good order, the second at once."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from dynamodb_opensearch.cli.output import INTERRUPTED, stderr, tell
from dynamodb_opensearch.cli.run.engine import Stop

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_ONE_SECONDS = 0.1
"""Signals closer together than this count as one: ``timeout`` signals the command, and then its process group."""


@contextmanager
def orderly_stop(*, quietly: bool = False) -> Iterator[Stop]:
    """While the block runs, let a signal request the stop that is yielded."""
    stop, asked_at = Stop(), 0.0

    def answer(number: int, frame: FrameType | None) -> None:
        del number, frame
        nonlocal asked_at
        if stop.requested:
            if time.monotonic() - asked_at > _ONE_SECONDS:
                _end_at_once()
            return
        asked_at = time.monotonic()
        stop.request()
        if not quietly:
            tell("finishing the current pages; interrupt again to end at once")

    former = {number: signal.signal(number, answer) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _end_at_once() -> None:
    """End without waiting. Nothing is lost: what isn't noted as done is done again."""
    for process in multiprocessing.active_children():
        process.kill()
    stderr().show_cursor()
    os._exit(INTERRUPTED)
