"""Turns an exception into one line for the user. ``--debug`` shows where it came from."""

import os
import traceback
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_opensearch.aws import credentials_advice
from dynamodb_opensearch.core.errors import SyncError

DEBUG = "DYNAMODB_OPENSEARCH_DEBUG"
"""Environment variable with the meaning of ``--debug``; worker processes inherit it."""

_PACKAGE = Path(__file__).parents[1]


def line_of(error: BaseException) -> str:
    """Return what is wrong, and what to do.

    The line quotes an error's text only if that is known to hold no item's content. Of any other error it shows the
    type and the place.
    """
    match error:
        case SyncError():
            return str(error)
        case BotoCoreError() | ClientError():
            return f"{error}{credentials_advice(error)}"
        case MemoryError():
            return "out of memory: run with fewer --processes, --workers or --page-items"
        case OSError(strerror=str() as reason):
            return reason if error.filename is None else f"{reason}: {str(error.filename)!r}"
        case _:
            return f"unexpected {type(error).__name__}{_place(error)} (a bug in this program; --debug shows the trace)"


def trace_of(error: BaseException) -> str:
    """Return the traceback, with the notes added on the way from another thread or process."""
    return "".join(traceback.format_exception(error))


def wants_trace() -> bool:
    """Whether the user wants to see tracebacks."""
    return os.environ.get(DEBUG, "") not in {"", "0"}


def _place(error: BaseException) -> str:
    """The innermost line of our own code in the traceback."""
    passed = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [f" at {path.relative_to(_PACKAGE)}:{line}" for path, line in passed if path.is_relative_to(_PACKAGE)]
    return ours[-1] if ours else ""
