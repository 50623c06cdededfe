"""``index create|update|show|switch``: what the index is made of."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.table import Table
from rich.text import Text

from dynamodb_opensearch.cli.configuration import configure
from dynamodb_opensearch.cli.flags import TargetFlags
from dynamodb_opensearch.cli.output import WELL, counted, print_block, print_json, stderr, stdout, tell, warn
from dynamodb_opensearch.cli.progress import waiting
from dynamodb_opensearch.deadline import Deadline
from dynamodb_opensearch.errors import ConfigurationError
from dynamodb_opensearch.jobs import definition as definitions
from dynamodb_opensearch.jobs.definition import Definition
from dynamodb_opensearch.jobs.mapping import Note, infer, sample
from dynamodb_opensearch.jobs.pair import Pair, describe_table, open_pair


def create(
    target: TargetFlags,
    *,
    file: Path | None,
    name: str | None,
    items: int,
    dynamic: bool,
    dry_run: bool,
    agreed: bool,
    as_json: bool,
) -> int:
    """Create it, from a file or from what the table's items look like; the exit code."""
    given = definitions.read_definition(file) if file else None
    pair = _open(target)
    definition, notes = (given, ()) if given else _proposed(pair, items, dynamic=dynamic)
    size = describe_table(pair.dynamodb, pair.settings.table_name).size_bytes
    definition = definition.with_defaults(table_bytes=size, service=pair.settings.service)
    if notes:
        _print_notes(notes)
    if dry_run:
        print_json(definition.to_json())
        return WELL
    if notes and not agreed:
        _ask_for_agreement(definition)
    made = definitions.create(pair, definition, name)
    if as_json:
        print_json({"command": "index create", "index": made.index, "alias": made.alias, **definition.to_json()})
        return WELL
    behind = f", behind the alias {made.alias}" if made.alias else ""
    stdout().print(Text(f"Created the index {made.index}{behind}"))
    tell(f"\nNext: {target.command_line('backfill')}")
    return WELL


def update(target: TargetFlags, *, file: Path, dry_run: bool, as_json: bool) -> int:
    """Change what can be changed in place; the exit code."""
    definition = definitions.read_definition(file)
    pair = _open(target)
    changes = definitions.plan_update(pair, definition)
    if not dry_run:
        definitions.update(pair, changes)
    if as_json:
        print_json({"command": "index update", "index": changes.index, "dryRun": dry_run, "changes": changes.told})
        return WELL
    console = stdout()
    for line in changes.told:
        console.print(Text(f"  {line}"), soft_wrap=True)
    done = "would be changed" if dry_run else "changed"
    console.print(Text(f"{counted(len(changes.told), 'thing')} {done} in {changes.index}"))
    return WELL


def show(target: TargetFlags, *, as_json: bool) -> int:
    """Print it; the exit code."""
    indices = definitions.show(_open(target))
    if as_json:
        print_json({"indices": indices})
        return WELL
    console = stdout()
    for one in indices:
        written = "" if len(indices) == 1 else ", written to" if one["written"] else ", searched only"
        console.print(Text(f"{one['index']}: {counted(one['docs'], 'document')}{written}", style="bold"))
        for alias in one["aliases"]:
            console.print(Text(f"  alias {alias}"))
        for setting, value in sorted(one["settings"].items()):
            if setting not in _UNINTERESTING:
                console.print(Text(f"  {setting} = {value}"), soft_wrap=True)
        console.print(Text(json.dumps(one["mappings"], indent=2, ensure_ascii=False)), soft_wrap=True)
    return WELL


def switch(target: TargetFlags, name: str, *, as_json: bool) -> int:
    """Let the alias stand for another index; the exit code."""
    pair = _open(target)
    done = definitions.switch(pair, name)
    before = [done.before] if done.before else []
    if as_json:
        print_json(
            {
                "command": "index switch",
                "alias": pair.settings.index,
                "index": name,
                "before": before,
                "left": done.left,
                "documents": done.documents,
                "documentsBefore": done.documents_before,
            }
        )
    else:
        instead = f" instead of {done.before}" if done.before else ""
        stdout().print(Text(f"The alias {pair.settings.index} stands for {name}{instead}"))
    if done.left:
        tell(f"also behind the alias, and left as they were: {', '.join(done.left)}")
    if done.documents < (done.documents_before or 0):
        warn(
            f"{name} holds {counted(done.documents, 'document')}, {done.before} {done.documents_before:,}: run repair, "
            f"or go back with index switch {done.before}"
        )
    return WELL


_UNINTERESTING = {"index.creation_date", "index.provided_name", "index.uuid", "index.version.created"}


def _open(target: TargetFlags) -> Pair:
    """For somebody who waits: not as patient as a job."""
    return open_pair(configure(target).settings, deadline=lambda: Deadline.after(60))


def _proposed(pair: Pair, items: int, *, dynamic: bool) -> tuple[Definition, Sequence[Note]]:
    with waiting(stderr(), f"reading {items:,} items of {pair.settings.table_name}"):
        proposal = infer(sample(pair, items), pair.key_types, dynamic=dynamic)
    tell(f"proposed from {counted(proposal.samples, 'item')} of {pair.settings.table_name}:")
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
            "a proposed mapping wants to be looked at first: keep it with --dry-run > index.json and create with "
            "--file index.json, or take it as it is with --yes"
        )
    for setting, value in definition.settings.items():
        tell(f"  {setting} = {value}")
    if not typer.confirm("Create the index like this?", err=True):
        raise ConfigurationError("nothing was created, as you said")
