"""``index show``: shows what the index is made of."""

import json

from rich.text import Text

from dynamodb_opensearch.cli.command import Json, command
from dynamodb_opensearch.cli.output import WELL, counted, print_json, stdout
from dynamodb_opensearch.cli.target.configuration import connected
from dynamodb_opensearch.cli.target.flags import TargetFlags


@command("show", "dynamodb-opensearch index show --function products-opensearch-sync")
def show(target: TargetFlags, *, as_json: Json = False) -> int:
    """Show what the index is made of: documents, aliases, settings, index mapping."""
    indices = connected(target).index_admin.show()
    if as_json:
        print_json({"indices": indices})
        return WELL
    console = stdout()
    for index in indices:
        written = "" if len(indices) == 1 else ", written to" if index["written"] else ", searched only"
        console.print(Text(f"{index['index']}: {counted(index['docs'], 'document')}{written}", style="bold"))
        for alias in index["aliases"]:
            console.print(Text(f"  alias {alias}"))
        for setting, value in sorted(index["settings"].items()):
            if setting not in _UNINTERESTING:
                console.print(Text(f"  {setting} = {value}"), soft_wrap=True)
        console.print(Text(json.dumps(index["mappings"], indent=2, ensure_ascii=False)), soft_wrap=True)
    return WELL


_UNINTERESTING = {"index.creation_date", "index.provided_name", "index.uuid", "index.version.created"}
