"""``index switch``: points the sync's alias to another index."""

from typing import Annotated

import typer
from rich.text import Text

from dynamodb_opensearch.cli.command import Json, command
from dynamodb_opensearch.cli.output import WELL, counted, print_json, stdout, tell, warn
from dynamodb_opensearch.cli.target.configuration import connected
from dynamodb_opensearch.cli.target.flags import TargetFlags
from dynamodb_opensearch.jobs.create_index import only


@command("switch", "dynamodb-opensearch index switch products-2 --terraform .")
def switch(
    target: TargetFlags,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The index that the alias will point to.")],
    as_json: Json = False,
) -> int:
    """Point the sync's alias to another index instead of the one that is written to, in one step: fill it first.

    The alias keeps its filter and its routing. Other indices behind it, perhaps another sync's, stay there.

    Use it to change an index mapping that can't change in place: create the other index, backfill it with --index,
    switch, and then repair, because the live sync wrote to the first index meanwhile. If the sync has several indices,
    name the alias with --index.
    """
    sync = connected(target)
    alias = only(sync).index
    done = sync.index_admin(alias).switch(name)
    before = [done.before] if done.before else []
    if as_json:
        print_json(
            {
                "command": "index switch",
                "alias": alias,
                "index": name,
                "before": before,
                "left": done.left,
                "documents": done.documents,
                "documentsBefore": done.documents_before,
            }
        )
    else:
        instead = f" instead of {done.before}" if done.before else ""
        stdout().print(Text(f"The alias {alias} points to {name}{instead}"))
    if done.left:
        tell(f"also behind the alias, and unchanged: {', '.join(done.left)}")
    if done.documents < (done.documents_before or 0):
        warn(
            f"{name} holds {counted(done.documents, 'document')}, {done.before} holds {done.documents_before:,}: run "
            f"repair, or go back with index switch {done.before}"
        )
    return WELL
