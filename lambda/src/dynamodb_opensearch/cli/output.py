"""Prints results to stdout and all else to stderr: no colour outside a terminal, and one line for an error.

Only exit code 1 means that differences remain, so any error, even one in printing, must end with another code.
"""

import inspect
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, NoReturn, TextIO, cast

import typer
from rich.console import Console, RenderableType
from rich.text import Text

from dynamodb_opensearch.cli.faults import DEBUG, line_of, trace_of, wants_trace
from dynamodb_opensearch.core.errors import SyncError

WELL, REMAINS, ERROR, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: all is well; differences or refused documents remain; an error; interrupted by Ctrl-C."""


class UnprintedError(SyncError):
    """The result couldn't be printed, because a pipe's reader has ended or the disk is full, for example."""


class _Stream:
    """A standard stream that hands write errors to a callback. Rich itself would exit with 1 when a pipe breaks."""

    def __init__(self, stream: TextIO, failed: Callable[[OSError], None]) -> None:
        self._stream, self._failed = stream, failed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            self._failed(error)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._failed(error)


def _unprinted(error: OSError) -> None:
    raise UnprintedError(f"the result can't be printed ({error.strerror})") from None


def _unheard(error: OSError) -> None:
    """Ignore the error: the result doesn't depend on what goes to stderr."""


def _results() -> TextIO:
    return cast("TextIO", _Stream(sys.stdout, _unprinted))


def stdout() -> Console:
    """A console for results. In a pipe, lines aren't wrapped at the width of a terminal.

    Raises, whenever something is printed:
        UnprintedError: it can't be printed.
    """
    console = Console(file=_results(), highlight=False)
    return console if console.is_terminal else Console(file=_results(), highlight=False, width=_WIDE)


def stderr() -> Console:
    """A console for progress, advice and errors."""
    return Console(file=cast("TextIO", _Stream(sys.stderr, _unheard)), highlight=False, soft_wrap=True)


_WIDE = 200


def print_block(console: Console, block: RenderableType) -> None:
    """Print a block of several columns; outside a terminal, without the blanks at the ends of lines."""
    if console.is_terminal:
        console.print(block)
        return
    text = StringIO()
    Console(file=text, width=_WIDE, highlight=False, color_system=None).print(block)
    for line in text.getvalue().splitlines():
        console.out(line.rstrip(), highlight=False)


def print_json(value: Mapping[str, Any]) -> None:
    """Print one object, and nothing else.

    Raises:
        UnprintedError: it can't be printed.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2)
    results = _results()
    results.write(text + "\n")
    results.flush()


def warn(text: str) -> None:
    """Print a warning about something that doesn't affect the result."""
    stderr().print(Text.assemble(("warning: ", "yellow"), text))


def tell(text: str) -> None:
    """Print advice, or what is happening."""
    stderr().print(Text(text))


def counted(number: int, noun: str) -> str:
    """``1 item``, ``2,345 items``."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def reporting_errors(command: Callable[..., int]) -> Callable[..., None]:
    """Wrap a command so that it takes ``--debug``, ends with an exit code, and reports an error in one line."""

    @wraps(command)
    def reporting(*arguments: Any, debug: bool = False, **options: Any) -> None:
        if debug:
            os.environ[DEBUG] = "1"
        with _reported():
            code = command(*arguments, **options)
        raise typer.Exit(code)

    signature = inspect.signature(command)
    option = inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_Debug)
    # Typer reads both.
    reporting.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*signature.parameters.values(), option]
    )
    reporting.__annotations__ = {**command.__annotations__, "debug": _Debug}
    return reporting


def run(app: Callable[..., Any]) -> NoReturn:
    """Run a command line and end this process with its exit code, even if the help can't be printed or Typer fails."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A terminal that lacks a character gets its number; a stream that was closed from the start discards its text.
    sys.stdout, sys.stderr = _writable(sys.stdout), _writable(sys.stderr)
    code: Any
    try:
        app(prog_name="dynamodb-opensearch")
    except SystemExit as ended:
        # Typer and Rich end with 1 when what they print themselves breaks a pipe.
        code = _report(ended.__context__) if isinstance(ended.__context__, OSError) else ended.code
    except BaseException as error:  # noqa: BLE001 (reported, then the process ends)
        code = _report(error)
    _give_up_broken_streams()
    sys.exit(code)


_Debug = Annotated[
    bool,
    typer.Option(
        "--debug",
        metavar="",
        help="Show where an error comes from. (DYNAMODB_OPENSEARCH_DEBUG=1)",
        rich_help_panel="How it runs",
    ),
]


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except (SystemExit, typer.Exit):
        raise
    except BaseException as error:  # noqa: BLE001 (reported, then the process ends)
        raise typer.Exit(_report(error)) from None


def _report(error: BaseException) -> int:
    """Print what went wrong, and return the exit code."""
    if isinstance(error, KeyboardInterrupt | typer.Abort):  # Typer raises Abort at a prompt
        return INTERRUPTED
    console = stderr()
    if wants_trace():
        console.out(trace_of(error), highlight=False)
    line = " ".join(part.strip() for part in line_of(error).splitlines())
    # A name in it may hold any character, even one that moves the cursor.
    line = "".join(character if character.isprintable() else "\ufffd" for character in line)
    console.print(Text.assemble(("error: ", "bold red"), line))
    return ERROR


def _writable(stream: Any) -> TextIO:
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    stream.reconfigure(errors="backslashreplace")
    return cast("TextIO", stream)


def _give_up_broken_streams() -> None:
    """Redirect broken streams to /dev/null: else Python would flush them at exit, fail, and set its own exit code."""
    for stream in (sys.__stdout__, sys.__stderr__):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), cast("TextIO", stream).fileno())
