"""`python -m drills` lists the drills; `python -m drills NAME` runs one on engines of its own; `all` runs them all."""

import argparse
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from engines import EngineError, dynamodb_local, localstack, opensearch, unwind_on_termination
from rich.console import Console
from rich.table import Table

from demo.steps import Steps
from drills.capture import Recording
from drills.catalogue import DRILLS
from drills.drill import OPTIONS, Drill
from drills.errors import DrillError
from drills.narration import Narration, new_console
from drills.stack import Engines
from drills.stage import LONG, SHORT, Stage


def main() -> int:
    """Run the drills that the command line names. The exit code is 0 only if all of them ended well."""
    options = _parser().parse_args()
    console = new_console()
    if options.name is None:
        _list(console)
        return 0
    signal.signal(signal.SIGINT, signal.default_int_handler)
    unwind_on_termination()
    chosen = list(DRILLS.values()) if options.name == "all" else [DRILLS[options.name]]
    try:
        for drill in chosen:
            _run(console, drill, options)
    except KeyboardInterrupt:
        console.print("Interrupted: all that the drill started is stopped and removed.")
        return 130
    except (DrillError, EngineError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"drills: {error}\n")
        return 1
    return 0


def _run(console: Console, drill: Drill, options: argparse.Namespace) -> None:
    began = time.monotonic()
    form = SHORT if options.short else LONG
    console.print(f"[bold]{drill.name}[/]: {drill.breaks}")
    with Steps(console) as steps, ExitStack() as running:
        narration = Narration(steps)
        with narration.step("Start OpenSearch, DynamoDB Local and LocalStack") as step:
            engines = Engines(
                running.enter_context(opensearch(announce=step.announce, **OPTIONS[drill.node])),
                running.enter_context(dynamodb_local(announce=step.announce)),
                running.enter_context(localstack(announce=step.announce)),
            )
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="drill-")))
        recorded = Recording() if options.capture else None
        drill.run(Stage(engines, narration, form, folder, recorded=recorded))
    if recorded:
        recorded.write(options.capture, drill.name)
    console.print(f"\n[green]✓[/] {drill.name} ended well, in {time.monotonic() - began:.0f} s.\n")


def _list(console: Console) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("drill", no_wrap=True)
    table.add_column("what breaks")
    for drill in DRILLS.values():
        table.add_row(drill.name, drill.breaks)
    console.print(table)
    console.print("\nRun one: make drill NAME=poison-document. All: make drill NAME=all.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m drills", description=__doc__)
    parser.add_argument("name", nargs="?", choices=[*DRILLS, "all"], metavar="NAME")
    parser.add_argument("--short", action="store_true", help="fewer items and a shorter outage, as in the tests")
    parser.add_argument("--capture", type=Path, metavar="FILE", help="write what `status --watch` showed into FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
