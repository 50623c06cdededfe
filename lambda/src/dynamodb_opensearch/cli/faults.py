"""What an exception means to whoever runs the command: one line. Where it came from is for ``--debug``."""

import os
import traceback
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_opensearch.aws import credentials_advice
from dynamodb_opensearch.core.errors import SyncError

DEBUG = "DYNAMODB_OPENSEARCH_DEBUG"
"""The variable that says the same as ``--debug``; worker processes inherit it."""

_PACKAGE = Path(__file__).parents[1]


def line_of(error: BaseException) -> str:
    """What is wrong, and what to do.

    Only the texts of errors that are known to hold no item's content are shown; of any other its kind and its place.
    """
    match error:
        case SyncError():
            return str(error)
        case BotoCoreError() | ClientError():
            return f"{error}{credentials_advice(error)}"
        case MemoryError():
            return "out of memory: run it with fewer --processes, --workers, or --page-items"
        case OSError(strerror=str() as reason):
            return reason if error.filename is None else f"{reason}: {str(error.filename)!r}"
        case _:
            return (
                f"unexpected {type(error).__name__}{_place(error)} (a fault of this program's; --debug shows the trace)"
            )


def trace_of(error: BaseException) -> str:
    """Where it came from, with what was noted of it on the way from another thread or process."""
    return "".join(traceback.format_exception(error))


def wants_trace() -> bool:
    """Whether whoever runs the command wants to see traces."""
    return os.environ.get(DEBUG, "") not in {"", "0"}


def _place(error: BaseException) -> str:
    """The innermost line of ours that it passed."""
    passed = [(Path(one.filename), one.lineno) for one in traceback.extract_tb(error.__traceback__)]
    ours = [f" at {path.relative_to(_PACKAGE)}:{line}" for path, line in passed if path.is_relative_to(_PACKAGE)]
    return ours[-1] if ours else ""
