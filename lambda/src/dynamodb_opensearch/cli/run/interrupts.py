"""Ctrl-C, and SIGTERM alike: the first ends in good order, the second at once."""

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
"""Signals that come closer together are one: ``timeout`` sends its own to the command, and again to its group."""


@contextmanager
def orderly_stop(*, quietly: bool = False) -> Iterator[Stop]:
    """What a signal asks to stop, while the block runs."""
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
            tell("finishing the current pages; once more ends at once")

    former = {one: signal.signal(one, answer) for one in _SIGNALS}
    try:
        yield stop
    finally:
        for one, handler in former.items():
            signal.signal(one, handler)


def _end_at_once() -> None:
    """Nothing is lost by it: what isn't noted as done is done again."""
    for process in multiprocessing.active_children():
        process.kill()
    stderr().show_cursor()
    os._exit(INTERRUPTED)
