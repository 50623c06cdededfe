"""``index update``: changes the index in place, where OpenSearch can."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from dynamodb_opensearch.cli.command import Json, command
from dynamodb_opensearch.cli.output import WELL, counted, print_json, stdout
from dynamodb_opensearch.cli.target.configuration import connected
from dynamodb_opensearch.cli.target.flags import TargetFlags
from dynamodb_opensearch.jobs.create_index import only
from dynamodb_opensearch.opensearch.definition import read_definition


@command(
    "update",
    "dynamodb-opensearch index update --terraform . --file index.json --dry-run",
)
def update(
    target: TargetFlags,
    *,
    file: Annotated[Path, typer.Option(metavar="FILE", help="JSON with mappings, settings and aliases.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", metavar="", help="Show the changes; make none.")] = False,
    as_json: Json = False,
) -> int:
    """Change the index in place, where OpenSearch can.

    What the file doesn't mention stays. If anything can't be changed in place, nothing is changed, and the error names
    each such thing. If the sync has several indices, name one with --index.
    """
    definition = read_definition(file)
    sync = connected(target)
    admin = sync.index_admin(only(sync).index)
    changes = admin.plan_update(definition)
    if not dry_run:
        admin.update(changes)
    if as_json:
        print_json(
            {"command": "index update", "index": changes.index, "dryRun": dry_run, "changes": changes.descriptions}
        )
        return WELL
    console = stdout()
    for line in changes.descriptions:
        console.print(Text(f"  {line}"), soft_wrap=True)
    done = "would be changed" if dry_run else "changed"
    console.print(Text(f"{counted(len(changes.descriptions), 'thing')} {done} in {changes.index}"))
    return WELL
