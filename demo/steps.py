"""Shows the demo's steps while they run, and leaves a line with the time of each; no colour or motion in a pipe."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, Progress, SpinnerColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

INDENT = 13  # of the lines below a step's line
PIPE_WIDTH = 110  # a pipe has no width of its own


def new_console() -> Console:
    """Return a console on standard output, as wide as the terminal."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


class Step:
    """A step that is running. Set `result` for its last line."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self.result = ""
        self._progress = progress
        self._task = task

    def note(self, text: str) -> None:
        """Show what is happening now, until the next note."""
        self._progress.update(self._task, note=escape(text.strip()))

    def announce(self, text: str) -> None:
        """Show what takes long. A pipe gets a line, so that the silence doesn't look like a hang."""
        self.note(text)
        if not self._progress.console.is_terminal:
            self._progress.console.print(" " * INDENT + escape(text), soft_wrap=True)

    def done(self, count: int, total: int) -> None:
        """Show how much of the step is done."""
        self._progress.update(self._task, completed=count, total=total, note=f"{count:,} of {total:,}")


class _Bar(BarColumn):
    """A bar for steps whose total is known."""

    def render(self, task: Task) -> ProgressBar | Text:  # type: ignore[override]
        return Text() if task.total is None else super().render(task)


class Steps:
    """The steps of a run; a context manager for the part of the screen that it repaints."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._progress = Progress(
            SpinnerColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            _Bar(bar_width=20),
            TextColumn("{task.fields[note]}", style="dim", table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Run the block as a step, and print whether it succeeded and how long it took."""
        task = self._progress.add_task(title, total=None, note="")
        step = Step(self._progress, task)
        started = time.monotonic()
        mark = "[red]✗[/]"
        try:
            yield step
            mark = "[green]✓[/]"
        finally:
            self._progress.remove_task(task)
            text = escape(title + (f": {step.result}" if step.result else ""))
            self.console.print(f"{mark} {time.monotonic() - started:7.1f} s  {text}", soft_wrap=True)

    def show(self, headers: Sequence[str], *rows: Sequence[str]) -> None:
        """Print a table below the step's line. On a narrow screen, only the last column wraps."""
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for header in headers:
            table.add_column(escape(header), no_wrap=header is not headers[-1])
        for row in rows:
            table.add_row(*map(escape, row))
        self.console.print(Padding(table, (0, 0, 0, INDENT), expand=False))

    def say(self, *lines: str) -> None:
        """Print lines below the step's line, as they are."""
        for line in lines:
            self.console.print(" " * INDENT + escape(line) if line else "", soft_wrap=True)
