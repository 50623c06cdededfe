"""The application ``dynamodb-opensearch``: registers every command, each from its own file."""

from typing import Annotated

import typer

from dynamodb_opensearch import __version__
from dynamodb_opensearch.cli.commands import (
    backfill,
    index_create,
    index_show,
    index_switch,
    index_update,
    recover,
    redrive,
    repair,
    status,
    transform_package,
    verify,
)

app = typer.Typer(
    help="Fills an OpenSearch index from a DynamoDB table, checks that the two are equal, and repairs differences.\n\n"
    "Every command can run beside the live sync, be interrupted, and be run again.",
    epilog="Exit codes: 0 all is well, 1 differences or refused documents remain, 2 error, 130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
index = typer.Typer(no_args_is_help=True, help="Create, change and show the index.")
app.add_typer(index, name="index")
transform = typer.Typer(no_args_is_help=True, help="Prepare functions that make documents of items.")
app.add_typer(transform, name="transform")


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


for command in (
    backfill.backfill,
    verify.verify,
    repair.repair,
    redrive.redrive,
    recover.recover,
    status.status,
):
    command.register(app)
for command in (index_create.create, index_update.update, index_show.show, index_switch.switch):
    command.register(index)
transform_package.package.register(transform)
