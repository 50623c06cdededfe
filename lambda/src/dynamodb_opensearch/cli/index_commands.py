"""``index create|update|show|switch``: their options, their help, and nothing else."""

from pathlib import Path
from typing import Annotated

import typer

from dynamodb_opensearch.cli import indexing
from dynamodb_opensearch.cli.application import Json, command, index
from dynamodb_opensearch.cli.flags import TargetFlags


@command(
    "create",
    "dynamodb-opensearch index create --function products-opensearch-sync",
    "dynamodb-opensearch index create --terraform . --dry-run > index.json",
    "dynamodb-opensearch index create --terraform . --file index.json --name products-1",
    of=index,
)
def create(
    target: TargetFlags,
    *,
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="JSON with mappings, settings and aliases; by default a mapping is proposed."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Its name, if the sync's own is to be an alias of it: products-1."),
    ] = None,
    items: Annotated[
        int, typer.Option(min=1, max=1_000_000, metavar="N", help="Look at so many items for the proposal.")
    ] = 1000,
    dynamic: Annotated[
        bool,
        typer.Option("--dynamic", metavar="", help="Propose to index also what the items looked at don't have."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", metavar="", help="Print the definition; create nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", metavar="", help="Don't ask.")] = False,
    as_json: Json = False,
) -> int:
    """Create the index, from a file, or from what the table's items look like.

    A proposed mapping takes every value that DynamoDB may hold. It is shown, with the reason for each field, before
    anything is made. What isn't said is set as a synced index needs it: tombstones live for an hour.
    """
    return indexing.create(
        target,
        file=file,
        name=name,
        items=items,
        dynamic=dynamic,
        dry_run=dry_run,
        agreed=yes,
        as_json=as_json,
    )


@command(
    "update",
    "dynamodb-opensearch index update --terraform . --file index.json --dry-run",
    of=index,
)
def update(
    target: TargetFlags,
    *,
    file: Annotated[Path, typer.Option(metavar="FILE", help="JSON with mappings, settings and aliases.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", metavar="", help="Show the changes; make none.")] = False,
    as_json: Json = False,
) -> int:
    """Change the index in place, where OpenSearch can.

    What the file doesn't mention stays. If one thing can't be changed in place, nothing is, and each is named.
    """
    return indexing.update(target, file=file, dry_run=dry_run, as_json=as_json)


@command("show", "dynamodb-opensearch index show --function products-opensearch-sync", of=index)
def show(target: TargetFlags, *, as_json: Json = False) -> int:
    """Show what the index is made of: documents, aliases, settings, mapping."""
    return indexing.show(target, as_json=as_json)


@command("switch", "dynamodb-opensearch index switch products-2 --terraform .", of=index)
def switch(
    target: TargetFlags,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The index that the alias is to stand for.")],
    as_json: Json = False,
) -> int:
    """Let the sync's alias stand for another index instead of the one that is written to, at once: fill it first.

    The alias keeps its filter and its routing. Other indices behind it, of another sync perhaps, stay there.

    So a mapping changes that can't change in place: create the other index, backfill it with --index, switch, and
    repair: the live sync wrote to the first one meanwhile.
    """
    return indexing.switch(target, name, as_json=as_json)
