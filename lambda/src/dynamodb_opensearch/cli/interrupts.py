"""Ctrl-C, and SIGTERM alike: the first ends in good order, the second at once."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from dynamodb_opensearch.cli.engine import Stop
from dynamodb_opensearch.cli.output import INTERRUPTED, stderr, tell

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def orderly_stop(*, quietly: bool = False) -> Iterator[Stop]:
    """What a signal asks to stop, while the block runs."""
    stop = Stop()

    def answer(number: int, frame: FrameType | None) -> None:
        del number, frame
        if stop.requested:
            _end_at_once()
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
