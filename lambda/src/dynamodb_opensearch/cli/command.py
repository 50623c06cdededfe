"""Defines the form of a command, and the options that several commands share."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import typer

from dynamodb_opensearch.cli.output import reporting_errors
from dynamodb_opensearch.cli.target.flags import unfolded
from dynamodb_opensearch.dynamodb.scan import MAXIMUM_SEGMENTS


@dataclass(frozen=True, slots=True)
class Command:
    """A command that can be registered with Typer."""

    name: str
    function: Callable[..., int]
    examples: tuple[str, ...]

    def register(self, group: typer.Typer) -> None:
        """Add the command to an application or a group, with its shared options, exit code and error handling."""
        epilog = "Examples:\n\n" + "\n\n".join(f"[cyan]{example}[/cyan]" for example in self.examples)
        paragraphs = (inspect.getdoc(self.function) or "").split("\n\n")
        text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
        group.command(self.name, help=text, epilog=epilog)(reporting_errors(unfolded(self.function)))


def command(name: str, *examples: str) -> Callable[[Callable[..., int]], Command]:
    """Turn a function into a command: its docstring is the help text, its arguments are the options."""
    return lambda function: Command(name, function, examples)


Rcu = Annotated[
    float | None,
    typer.Option(
        "--rcu",
        min=0.5,
        max=1_000_000,
        metavar="N",
        help="Most read capacity units to use per second; no limit by default.",
    ),
]
Segments = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MAXIMUM_SEGMENTS,
        metavar="N",
        help="Number of parts in which the table is read; by default 64, and 1,000 for a sample.",
    ),
]
Patience = Annotated[
    float,
    typer.Option(
        min=0,
        max=86_400,
        metavar="SECONDS",
        help="Time before a difference is checked again; it should exceed the sync's lag.",
    ),
]
OtherIndex = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Also compare this index, which the alias covers but the sync doesn't write to: all its documents are in "
        "the wrong place, and repair removes them.",
    ),
]
Json = Annotated[bool, typer.Option("--json", metavar="", help="Print one JSON object.")]


@dataclass(frozen=True, slots=True)
class ComparisonFlags:
    """How the table and the index are compared."""

    segments: Segments = None
    patience: Patience = 10
    rcu: Rcu = None
    other_index: OtherIndex = None

    @property
    def others(self) -> tuple[str, ...]:
        """Other indices behind the alias that are compared too."""
        return tuple(self.other_index or ())
