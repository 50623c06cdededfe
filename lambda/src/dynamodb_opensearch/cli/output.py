"""What people see: results on stdout, the rest on stderr; no colour where nobody sees it, never a traceback."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console, RenderableType
from rich.text import Text

from dynamodb_opensearch.errors import SyncError

WELL, REMAINS, ERROR, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: all is well; differences or refused documents remain; it couldn't be done; Ctrl-C."""


def stdout() -> Console:
    """For results. Lines of a pipe are as long as they are."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDE)


def stderr() -> Console:
    """For progress, advice and errors."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


_WIDE = 200


def print_block(console: Console, block: RenderableType) -> None:
    """Something of several columns; where nobody sees them, without the blanks that fill them up."""
    if console.is_terminal:
        console.print(block)
        return
    wide = Console(width=_WIDE, highlight=False, color_system=None)
    with wide.capture() as text:
        wide.print(block)
    for line in text.get().splitlines():
        console.out(line.rstrip(), highlight=False)


def print_json(value: Mapping[str, Any]) -> None:
    """One object, and nothing beside it."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def warn(text: str) -> None:
    """Something that isn't as it should be, and doesn't matter for the result."""
    stderr().print(Text.assemble(("warning: ", "yellow"), text))


def tell(text: str) -> None:
    """Advice, or what is happening."""
    stderr().print(Text(text))


def counted(number: int, noun: str) -> str:
    """``1 item``, ``2,345 items``."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def reporting_errors(command: Callable[..., int]) -> Callable[..., None]:
    """A command that ends with an exit code, and one line if it went wrong."""

    @wraps(command)
    def reporting(*arguments: Any, **options: Any) -> None:
        with _reported():
            code = command(*arguments, **options)
        raise typer.Exit(code)

    return reporting


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except (SyncError, BotoCoreError, ClientError) as error:
        stderr().print(Text.assemble(("error: ", "bold red"), str(error)))
        raise typer.Exit(ERROR) from None
