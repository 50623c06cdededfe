"""Prints a drill step by step, within 80 columns; a pipe gets the same text without colour and motion."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from demo.steps import Step, Steps

WIDTH = 80
_INDENT = 4


def new_console() -> Console:
    """Return a console on standard output, as wide as the terminal."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    return console


class Narration:
    """Prints one drill."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self.console = steps.console

    def chapter(self, title: str) -> None:
        """Print a heading."""
        self.console.print()
        self.console.print(Rule(Text(title, style="bold"), align="left", characters="─"))

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Run the block as a step; see ``Steps.step``."""
        with self._steps.step(title) as step:
            yield step

    def say(self, text: str) -> None:
        """Print a sentence or two."""
        self._print(Text(text))

    def quote(self, lines: str, *, style: str = "dim") -> None:
        """Print another program's output, line by line."""
        for line in lines.splitlines():
            self._print(Text(line, style=style))

    def command(self, line: str) -> None:
        """Print a command as the operator types it."""
        self._print(Text.assemble(("$ ", "dim"), (line, "bold cyan")))

    def alarm(self, name: str, text: str, *, fires: bool) -> None:
        """Print how an alarm's metric has moved."""
        mark = ("ALARM ", "bold red") if fires else ("alarm ", "bold yellow")
        self._print(Text.assemble(mark, (name, "bold"), f"  {text}"))

    def _print(self, text: Text) -> None:
        self.console.print(Padding(text, (0, 0, 0, _INDENT), expand=False))
