"""``status``: how the sync is doing, on one screen."""

import time
from typing import Annotated

import typer
from rich.live import Live

from dynamodb_opensearch.cli.command import Json, command
from dynamodb_opensearch.cli.output import WELL, print_block, print_json, stdout
from dynamodb_opensearch.cli.run.interrupts import orderly_stop
from dynamodb_opensearch.cli.status.screen import judge, screen
from dynamodb_opensearch.cli.status.status import Observer
from dynamodb_opensearch.cli.target.configuration import Configuration, configure
from dynamodb_opensearch.cli.target.flags import TargetFlags
from dynamodb_opensearch.core.errors import ConfigurationError

_EVERY_SECONDS = 2.0


@command(
    "status",
    "dynamodb-opensearch status --function products-opensearch-sync --watch",
    "dynamodb-opensearch status --terraform . --json | jq .letters.waiting",
)
def status(
    target: TargetFlags,
    *,
    watch: Annotated[bool, typer.Option("--watch", metavar="", help="Refresh the screen every two seconds.")] = False,
    as_json: Json = False,
) -> int:
    """Show how the sync is doing, on one screen.

    Exit code 1: the trigger doesn't run or its last batch failed, failures are waiting, the last verify of an index
    found differences or couldn't judge some documents, or something is broken: OpenSearch doesn't answer or refuses, or
    the function, the table or the failure destination doesn't exist. A standby index may be missing. If you lack the
    right to read something, its line says so, and the exit code doesn't change. Exit code 2: nothing could be read.
    """
    console = stdout()
    if watch and (as_json or not console.is_terminal):
        raise ConfigurationError(
            "--watch needs a terminal, and no --json: leave --watch out, and repeat status instead"
        )
    observer = observe(configure(target))
    if watch:
        with (
            orderly_stop(quietly=True) as stop,
            Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop") as live,
        ):
            while not stop.requested:
                live.update(screen(observer.look(), watched=True), refresh=True)
                until = time.monotonic() + _EVERY_SECONDS
                while time.monotonic() < until and not stop.requested:
                    time.sleep(0.1)
        return WELL
    seen = observer.look()
    if as_json:
        print_json(seen.to_json())
    else:
        print_block(console, screen(seen, watched=False))
    return judge(seen)


def observe(configuration: Configuration) -> Observer:
    """Return an observer of this sync."""
    function = configuration.function
    return Observer(
        configuration.settings, function.qualified if function else None, function.log_group if function else None
    )
