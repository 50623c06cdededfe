"""The application that commands are registered with, and the options that only some of them share."""

import inspect
from collections.abc import Callable
from typing import Annotated

import typer

from dynamodb_opensearch import __version__
from dynamodb_opensearch.cli.flags import unfolded
from dynamodb_opensearch.cli.output import reporting_errors
from dynamodb_opensearch.jobs.scan import MAXIMUM_SEGMENTS

app = typer.Typer(
    help="Fills an OpenSearch index from a DynamoDB table, proves that they are equal, and makes them so.\n\n"
    "Everything may run beside the live sync, be interrupted, and be run again.",
    epilog="Exit codes: 0 all is well, 1 differences or refused documents remain, 2 error, 130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


index = typer.Typer(no_args_is_help=True, help="Create, change and show the index.")
app.add_typer(index, name="index")


def command(name: str, *examples: str, of: typer.Typer = app) -> Callable[[Callable[..., int]], None]:
    """Register a command: its shared options, its examples, its exit code, its errors."""

    def register(function: Callable[..., int]) -> None:
        epilog = "Examples:\n\n" + "\n\n".join(f"[cyan]{example}[/cyan]" for example in examples)
        paragraphs = (inspect.getdoc(function) or "").split("\n\n")
        text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
        of.command(name, help=text, epilog=epilog)(reporting_errors(unfolded(function)))

    return register


def _print_version(wanted: bool) -> None:  # noqa: FBT001 (Typer's form of a callback)
    if wanted:
        typer.echo(f"dynamodb-opensearch {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", metavar="", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    del version


Json = Annotated[bool, typer.Option("--json", metavar="", help="Print one JSON object.")]
