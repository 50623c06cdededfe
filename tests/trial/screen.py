"""The screen of a trial. A closed terminal or a full disk below it never keeps a trial from cleaning up."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any

from rich.console import Console

from demo.steps import PIPE_WIDTH
from trial.account import Account
from trial.examples import Example
from trial.folder import Folder

HOURS = 2
"""A trial that is left alone ends well within this time."""
_OTHERS_USD = 0.40
"""Upper bound for all that is paid by use: Lambda, DynamoDB, SQS, Step Functions, alarms, metrics, logs."""


class _Lenient:
    """A stream whose failures to write are ignored."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def new_console() -> Console:
    """Return a console on standard output; a pipe gets the same text without colour and motion."""
    console = Console(highlight=False, file=_Lenient(sys.stdout))  # type: ignore[arg-type]
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


def announcement(example: Example, account: Account, folder: Folder, *, domain: bool, keep: bool) -> Sequence[str]:
    """Return what must be known before anything is created."""
    name = folder.note.name
    most = _OTHERS_USD + (example.usd_an_hour * HOURS if domain else 0)
    keys = [f"Keys     {advice}"] if (advice := account.keys.advice()) else []
    return [
        f"Folder   {folder.path}",
        "         It holds Terraform's state. If this program is killed, make test-aws RESUME=FOLDER cleans up.",
        f"Account  {account.id}, Region {account.region}"
        + (f", profile {account.profile}" if account.profile else "")
        + (", in an emulator: nothing is proven of AWS" if account.emulator else ""),
        *keys,
        f"Creates  examples/{example.name} as {name}-…" + (", with an OpenSearch domain" if domain else ""),
        "         Also alarms, a topic without subscribers, the operator, and a function that tries the sync's rights",
        f"Touches  nothing else: only what this run creates, named {name}-…, is ever destroyed",
        f"Costs    at most {most:.2f} USD by list price, if it is destroyed"
        + (f"; what runs on costs {example.usd_an_hour:.2f} USD an hour" if domain else ""),
        "Takes    " + ("35 to 75 minutes, of which the domain takes 15 to 30" if domain else "10 to 40 minutes"),
        "Ends     "
        + ("with everything left in place: KEEP=1" if keep else "with everything destroyed, also on Ctrl-C"),
    ]


def resume_line(folder: Folder) -> str:
    """Return the command that destroys what a trial has left."""
    return f"make test-aws RESUME={folder.path}" + (f" PROFILE={folder.note.profile}" if folder.note.profile else "")
