"""``index create``: creates the index, from a file or from what the items look like."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from dynamodb_opensearch.cli.command import Json, command
from dynamodb_opensearch.cli.output import WELL, counted, print_block, print_json, stderr, stdout, tell
from dynamodb_opensearch.cli.run.progress import waiting
from dynamodb_opensearch.cli.target.configuration import connected
from dynamodb_opensearch.cli.target.flags import TargetFlags
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.projections import Projection
from dynamodb_opensearch.dynamodb.description import describe_table
from dynamodb_opensearch.jobs.create_index import only, propose
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.opensearch.definition import Definition, read_definition
from dynamodb_opensearch.opensearch.mapping import Note


@command(
    "create",
    "dynamodb-opensearch index create --function products-opensearch-sync",
    "dynamodb-opensearch index create --terraform . --dry-run > index.json",
    "dynamodb-opensearch index create --terraform . --file index.json --name products-1",
)
def create(
    target: TargetFlags,
    *,
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="JSON with mappings, settings and aliases; by default an index mapping is proposed."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name of the index, if the sync's own name is to be its alias: products-1."),
    ] = None,
    items: Annotated[
        int, typer.Option(min=1, max=1_000_000, metavar="N", help="Number of items to look at for the proposal.")
    ] = 1000,
    dynamic: Annotated[
        bool,
        typer.Option("--dynamic", metavar="", help="Also index attributes that none of these items has."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", metavar="", help="Print the definition; create nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", metavar="", help="Don't ask.")] = False,
    as_json: Json = False,
) -> int:
    """Create the index from a file, or from what the table's items look like.

    A proposed index mapping accepts every value that DynamoDB can hold. It is shown, with the reason for each field,
    before anything is created. Settings that you don't give are set as a synced index needs them: tombstones live for
    an hour. If the sync has several indices, name one with --index.
    """
    given = read_definition(file) if file else None
    sync = connected(target)
    projection = only(sync)
    definition, notes = (given, ()) if given else _proposed(sync, projection, items, dynamic=dynamic)
    size = describe_table(sync.dynamodb, sync.settings.table_name).size_bytes
    definition = definition.with_defaults(table_bytes=size, service=sync.settings.service)
    if notes:
        _print_notes(notes)
    if dry_run:
        print_json(definition.to_json())
        return WELL
    if notes and not yes:
        _ask_for_agreement(definition)
    made = sync.index_admin(projection.index).create(definition, name)
    if as_json:
        print_json({"command": "index create", "index": made.index, "alias": made.alias, **definition.to_json()})
        return WELL
    behind = f", behind the alias {made.alias}" if made.alias else ""
    stdout().print(Text(f"Created the index {made.index}{behind}"))
    tell(f"\nNext: {target.command_line('backfill')}")
    return WELL


def _proposed(sync: Sync, projection: Projection, items: int, *, dynamic: bool) -> tuple[Definition, Sequence[Note]]:
    with waiting(stderr(), f"reading {items:,} items of {sync.settings.table_name}"):
        proposal = propose(sync, projection, items, dynamic=dynamic)
    held = "" if projection.is_whole else f", as {projection.index} is to hold them"
    tell(f"proposed from {counted(proposal.samples, 'item')} of {sync.settings.table_name}{held}:")
    return Definition(proposal.mappings, {}, {}), proposal.notes


def _print_notes(notes: Sequence[Note]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(style="bold")
    table.add_column(style="dim", overflow="fold")
    for note in notes:
        table.add_row(Text(f"  {note.field}"), note.type, Text(note.why))
    print_block(stderr(), table)


def _ask_for_agreement(definition: Definition) -> None:
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "a proposed index mapping needs your review: save it with --dry-run > index.json and create the index with "
            "--file index.json, or accept it as it is with --yes"
        )
    for setting, value in definition.settings.items():
        tell(f"  {setting} = {value}")
    if not typer.confirm("Create the index like this?", err=True):
        raise ConfigurationError("nothing was created, as you chose")
