"""Proves the project on real AWS: applies an example under a throw-away name, tries it, destroys it, and reports.

Exit code 0: all is proven, and everything destroyed. 1: something isn't. 2: nothing was begun. 130: interrupted.
"""

import argparse
import datetime as dt
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from engines import EngineError, terraform_environment, unwind_on_termination
from rich.console import Console

from demo.deployment import TerraformError, check_terraform
from demo.steps import Steps
from trial import examples
from trial.account import Account, open_account
from trial.cleanup import Cleanup
from trial.errors import TrialError, explained
from trial.folder import Folder, Note, commit, home, new_name, unfinished
from trial.interrupts import Interrupts
from trial.leftovers import left
from trial.report import Report
from trial.run import Trial
from trial.screen import announcement, new_console, resume_line
from trial.terraform import Terraform
from trial.waits import Waits


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a trial, or destroy what one has left."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with Ctrl-C ignored
    unwind_on_termination()
    console = new_console()
    try:
        check_terraform()
        with ExitStack() as opened:
            environment = opened.enter_context(terraform_environment())
            if options.destroy is not None:
                return _resume(console, options, environment)
            return _begin(console, options, environment)
    except KeyboardInterrupt:
        console.print("Interrupted.")
        return 130
    except (TrialError, TerraformError, EngineError) as error:
        sys.stderr.write(f"trial: {error}\n")
        return 2
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"trial: {explained(error)}\n")
        return 2


def _begin(console: Console, options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    keep = _keep(os.environ)
    example = examples.find(options.example)
    variables = _variables(options.var)
    if missing := [name for name in examples.without_default(example.folder) if name not in variables]:
        raise TrialError(f"examples/{example.name} needs a value for {', '.join(missing)}: give --var NAME=VALUE")
    account = open_account(options.profile, options.region)
    began = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    name = new_name()
    note = Note(name, example.name, account.id, account.region, account.profile, began, variables)
    for earlier in unfinished():
        console.print(f"An earlier trial isn't destroyed: make test-aws RESUME={earlier}", soft_wrap=True)
    planned = Folder(home() / name, note)
    for line in announcement(example, account, planned, domain="opensearch_endpoint" not in variables, keep=keep):
        console.print(line, soft_wrap=True, markup=False)
    _consent(console, yes=options.yes)
    if taken := left(account, name, domain="opensearch_endpoint" not in variables)[0]:
        raise TrialError(f"the name {name} is taken, by {taken[0]}: nothing was created; try again")
    folder = Folder.create(planned.path, note)
    report = Report(
        example.name,
        account.region,
        began,
        versions={"commit": commit(), "operating system": sys.platform, "python": sys.version.split()[0]},
        secrets=[account.id, str(home()), str(Path.home()), f"PROFILE={account.profile}"],
    )
    everything = {**environment, **account.environment()}
    terraform = _terraform(folder, account, environment)
    with Steps(console) as steps:
        waits = Waits(options.wait)
        trial = Trial(example, account, folder, terraform, steps, report, waits, everything)
        try:
            trial.run()
        except Exception:  # noqa: BLE001 (a fault of this program must not keep it from destroying)
            sys.stderr.write(traceback.format_exc())
            trial.fault(traceback.format_exc().strip().splitlines()[-1])
        finally:
            trial.end(keep=keep)
    return _conclude(console, report, folder, interrupted=trial.interrupted)


def _resume(console: Console, options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Destroy what an earlier trial has left."""
    folder = Folder.open(options.destroy)
    note = folder.note
    account = open_account(options.profile or note.profile, note.region)
    if account.id != note.account:
        raise TrialError(
            f"these credentials are of account {account.id}, but the trial {note.name} was in {note.account}: "
            f"nothing was touched; give the PROFILE of that account"
        )
    if not folder.has_copy:
        console.print(f"Nothing is left of {note.name}: it was destroyed, or nothing was created.", soft_wrap=True)
        return 0
    terraform = _terraform(folder, account, environment)
    with Steps(console) as steps:
        try:
            with steps.step(f"Destroy what is left of {note.name}") as step:
                step.announce(f"account {account.id}, Region {account.region}, {folder.path}")
                terraform.init(step)
                with Interrupts() as interrupts:
                    step.result = Cleanup(terraform, account, folder, Waits(options.wait)).run(step, interrupts)
        except TrialError as error:
            sys.stderr.write(f"trial: {error}\n")
            return 1
    folder.remove_copy()
    return 0


def _terraform(folder: Folder, account: Account, environment: Mapping[str, str]) -> Terraform:
    note = folder.note
    variables = {**note.variables, "name": note.name, "region": note.region}
    return Terraform(folder.terraform, folder.log, {**environment, **account.environment()}, variables)


def _conclude(console: Console, report: Report, folder: Folder, *, interrupted: bool) -> int:
    """Say what the trial has come to; return the exit code."""
    counts = ", ".join(f"{count} {result}" for result, count in report.counts().items())
    console.print()
    console.print(f"{'All proven' if report.is_proven else 'Not all proven'}: {counts}.", markup=False)
    console.print(f"Report, without account and addresses: {folder.path / 'report.md'}, report.json", soft_wrap=True)
    if folder.has_copy:
        console.print(f"Something may be left, and cost money: {resume_line(folder)}", soft_wrap=True, markup=False)
    if interrupted:
        return 130
    return 0 if report.is_proven else 1


def _consent(console: Console, *, yes: bool) -> None:
    """Ask whether to go on.

    Raises:
        TrialError: there is no terminal to ask at, or the answer is no.
    """
    if yes:
        return
    if not (sys.stdin.isatty() and console.is_terminal):
        raise TrialError("there is no terminal to ask at, and nothing was created: run it in one, or give --yes")
    try:
        answer = console.input("\nContinue? [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise TrialError("nothing was created")


def _variables(assignments: Sequence[str]) -> dict[str, str]:
    variables = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name.isidentifier() or name in ("name", "region"):
            raise TrialError(f"--var {assignment}: give NAME=VALUE, of another variable than name and region")
        variables[name] = value
    return variables


def _keep(environment: Mapping[str, str]) -> bool:
    value = environment.get("KEEP", "")
    if value not in ("", "0", "1"):
        raise TrialError(f"KEEP={value}: give 1 to leave everything in place at the end, or 0")
    return value == "1"


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m trial", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("example", nargs="?", metavar="EXAMPLE", help=f"one of: {', '.join(examples.EXAMPLES)}")
    what.add_argument("--destroy", type=Path, metavar="FOLDER", help="destroy what the trial of this folder has left")
    parser.add_argument("--profile", metavar="NAME", help="profile of your AWS configuration")
    parser.add_argument("--region", metavar="NAME", help="AWS Region; by default the profile's")
    parser.add_argument("--yes", action="store_true", help="don't ask")
    parser.add_argument(
        "--var", action="append", default=[], metavar="NAME=VALUE", help="variable of the example; repeat it for more"
    )
    parser.add_argument(
        "--wait", type=_seconds, default=3600.0, metavar="SECONDS", help="the longest that one thing may take"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
