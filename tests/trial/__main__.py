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
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from engines import EngineError, terraform_environment, unwind_on_termination
from rich.console import Console

from demo.deployment import TerraformError, check_terraform
from demo.steps import Steps
from trial import examples
from trial.account import Account, open_account
from trial.cleanup import Cleanup
from trial.copying import needed
from trial.errors import TrialError, explained
from trial.folder import REPOSITORY, Folder, Note, commit, home, unfinished
from trial.interrupts import Interrupts
from trial.leftovers import left
from trial.naming import new_name
from trial.report import EMULATOR, Entry, Report, Result
from trial.run import DESTROY, Trial
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
    needed(REPOSITORY, example.name)  # refuses settings of yours before anything is asked
    account = open_account(options.profile, options.region)
    if "opensearch_endpoint" in variables and not account.emulator:
        raise TrialError(
            "--var opensearch_endpoint: a trial writes to this OpenSearch and deletes from it, so on AWS it takes only "
            "the domain that it creates; leave it out, or set AWS_ENDPOINT_URL to an emulator"
        )
    if options.yes:
        account.keys.must_last()
    began = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    name = new_name()
    note = Note(name, example.name, account.id, account.region, account.profile, began, variables)
    for earlier in unfinished():
        if earlier.is_running():
            console.print(f"Another trial is running: {earlier.path}", soft_wrap=True, markup=False)
        else:
            console.print(f"An earlier trial isn't destroyed: {resume_line(earlier)}", soft_wrap=True, markup=False)
    planned = Folder(home() / name, note)
    for line in announcement(example, account, planned, domain="opensearch_endpoint" not in variables, keep=keep):
        console.print(line, soft_wrap=True, markup=False)
    _consent(console, yes=options.yes)
    if taken := left(account, name, domain="opensearch_endpoint" not in variables)[0]:
        raise TrialError(f"the name {name} is taken, by {taken[0]}: nothing was created; try again")
    with Interrupts() as interrupts:  # from here on, a Ctrl-C must not keep it from destroying
        folder = Folder.create(planned.path, note)
        with folder.locked():
            return _run(
                console,
                options,
                example=example,
                account=account,
                folder=folder,
                environment=environment,
                interrupts=interrupts,
                keep=keep,
            )


def _run(
    console: Console,
    options: argparse.Namespace,
    *,
    example: examples.Example,
    account: Account,
    folder: Folder,
    environment: Mapping[str, str],
    interrupts: Interrupts,
    keep: bool,
) -> int:
    report = Report(
        example.name,
        account.region,
        folder.note.began,
        versions={"commit": commit(), "operating system": sys.platform, "python": sys.version.split()[0]},
        secrets=_secrets(account, folder.note.variables),
    )
    everything = {**environment, **account.environment()}
    terraform = _terraform(folder, account, environment)
    with Steps(console) as steps:
        waits = Waits(options.wait)
        trial = Trial(example, account, folder, terraform, steps, report, waits, everything, interrupts)
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
    if folder.note.destroyed:
        console.print(f"Nothing is left of {note.name}: it was destroyed.", soft_wrap=True, markup=False)
        return 0
    with Interrupts() as interrupts, folder.locked():
        try:
            with Steps(console) as steps:
                terraform = _terraform(folder, account, environment)
                cleanup = Cleanup(terraform, account, folder, Waits(options.wait), in_doubt=True)
                seen = _destroy_left(steps, folder, account, cleanup, interrupts)
        except (TrialError, OSError) as error:
            sys.stderr.write(f"trial: {error}\n")
            return _stopped(console, folder) if interrupts.count else 1
        except KeyboardInterrupt:
            return _stopped(console, folder)
        _note_destroyed(folder, account, seen)
        folder.end()
    return 0


def _destroy_left(steps: Steps, folder: Folder, account: Account, cleanup: Cleanup, interrupts: Interrupts) -> str:
    """Destroy what Terraform knows, if its files are there; then look in AWS in any case."""
    with steps.step(f"Destroy what is left of {folder.note.name}") as step:
        step.announce(f"account {account.id}, Region {account.region}, {folder.path}")
        if not folder.has_copy:
            step.announce("Terraform's files aren't there: only what AWS lists under the trial's name is removed")
            step.result = cleanup.look(interrupts)
            return step.result
        with interrupts.raising():
            cleanup.terraform.init(step)
        with Interrupts() as later:
            step.result = cleanup.run(step, later)
        return step.result


def _stopped(console: Console, folder: Folder) -> int:
    console.print(f"Interrupted. Something may be left: {resume_line(folder)}", soft_wrap=True, markup=False)
    return 130


def _note_destroyed(folder: Folder, account: Account, seen: str) -> None:
    """Bring the trial's report up to date, if there is one."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        report = Report.read(folder.path)
        report.secrets = _secrets(account, folder.note.variables)
        report.enter(Entry(*DESTROY, Result.PROVEN, f"by RESUME: {seen}", 0))
        report.write(folder.path)


def _secrets(account: Account, variables: Mapping[str, str]) -> list[str]:
    """Return what identifies you: the report must not show it."""
    values = [value for value in variables.values() if len(value) > 2]  # a shorter one says nothing, and is in any text
    hosts = [host for value in values if (host := _host(value))]
    profile = [account.profile, f"PROFILE={account.profile}"] if account.profile else []
    return [account.id, str(home()), str(REPOSITORY), str(Path.home()), *profile, *values, *hosts]


def _host(value: str) -> str | None:
    try:
        return urlsplit(value).hostname
    except ValueError:
        return None


def _terraform(folder: Folder, account: Account, environment: Mapping[str, str]) -> Terraform:
    note = folder.note
    variables = {**note.variables, "name": note.name, "region": note.region}
    return Terraform(folder.terraform, folder.log, {**environment, **account.environment()}, variables)


def _conclude(console: Console, report: Report, folder: Folder, *, interrupted: bool) -> int:
    """Say what the trial has come to; return the exit code."""
    counts = ", ".join(f"{count} {result}" for result, count in report.counts().items())
    console.print()
    emulator = " It was an emulator, not AWS." if EMULATOR in report.versions else ""
    console.print(f"{'All proven' if report.is_proven else 'Not all proven'}: {counts}.{emulator}", markup=False)
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
