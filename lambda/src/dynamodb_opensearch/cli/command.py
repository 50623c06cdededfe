"""The form of a command, and the options that several commands share."""

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
    """A command as Typer takes it."""

    name: str
    function: Callable[..., int]
    examples: tuple[str, ...]

    def register(self, group: typer.Typer) -> None:
        """Add it to an application or a group, with its shared options, its exit code and its errors."""
        epilog = "Examples:\n\n" + "\n\n".join(f"[cyan]{example}[/cyan]" for example in self.examples)
        paragraphs = (inspect.getdoc(self.function) or "").split("\n\n")
        text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
        group.command(self.name, help=text, epilog=epilog)(reporting_errors(unfolded(self.function)))


def command(name: str, *examples: str) -> Callable[[Callable[..., int]], Command]:
    """Make a command of a function: its docstring is the help, its arguments are the options."""
    return lambda function: Command(name, function, examples)


Rcu = Annotated[
    float | None,
    typer.Option(
        "--rcu",
        min=0.5,
        max=1_000_000,
        metavar="N",
        help="Read at most so many capacity units per second; by default all there are.",
    ),
]
Segments = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MAXIMUM_SEGMENTS,
        metavar="N",
        help="Parts that the table is read in; by default 64, and 1,000 for a sample.",
    ),
]
Patience = Annotated[
    float,
    typer.Option(
        min=0,
        max=86_400,
        metavar="SECONDS",
        help="Time between the two looks at what differs: longer than the sync lags.",
    ),
]
OtherIndex = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="An index that the alias covers, too, and that the sync doesn't write to: its documents are all in the "
        "wrong place, and repair removes them.",
    ),
]
Json = Annotated[bool, typer.Option("--json", metavar="", help="Print one JSON object.")]
