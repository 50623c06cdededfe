"""``index show``: shows what the indices are made of."""

import json
from collections.abc import Mapping
from typing import Any

from rich.text import Text

from dynamodb_opensearch.cli.command import Json, command
from dynamodb_opensearch.cli.output import WELL, counted, print_json, stdout
from dynamodb_opensearch.cli.target.configuration import connected
from dynamodb_opensearch.cli.target.flags import TargetFlags


@command("show", "dynamodb-opensearch index show --function products-opensearch-sync")
def show(target: TargetFlags, *, as_json: Json = False) -> int:
    """Show what each index is made of: documents, aliases, settings, index mapping."""
    sync = connected(target)
    shown = {name: sync.index_admin(name).show() for name in sync.projections}
    if as_json:
        more = [{"name": name} if len(shown) > 1 else {} for name, indices in shown.items() for _ in indices]
        indices = [index for indices in shown.values() for index in indices]
        print_json({"indices": [{**names, **index} for names, index in zip(more, indices, strict=True)]})
        return WELL
    for indices in shown.values():
        for index in indices:
            _print(index, "" if len(indices) == 1 else ", written to" if index["written"] else ", searched only")
    return WELL


def _print(index: Mapping[str, Any], written: str) -> None:
    console = stdout()
    console.print(Text(f"{index['index']}: {counted(index['docs'], 'document')}{written}", style="bold"))
    for alias in index["aliases"]:
        console.print(Text(f"  alias {alias}"))
    for setting, value in sorted(index["settings"].items()):
        if setting not in _UNINTERESTING:
            console.print(Text(f"  {setting} = {value}"), soft_wrap=True)
    console.print(Text(json.dumps(index["mappings"], indent=2, ensure_ascii=False)), soft_wrap=True)


_UNINTERESTING = {"index.creation_date", "index.provided_name", "index.uuid", "index.version.created"}
