"""Runs Terraform in a trial's folder, so that nothing it has made is ever lost track of.

Its output goes into a file, not a pipe: if the trial itself is killed, Terraform still ends what it has begun and
writes its state. An interrupt is passed on once, and then waited for.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Protocol

from engines.interrupts import interrupts_deferred

from trial.errors import TrialError
from trial.interrupts import Interrupts

LOCK_TIMEOUT = "-lock-timeout=45m"  # a Terraform that outlived its trial may still be at work
_POLL_SECONDS = 0.2
_UNWRITTEN = -1
"""The start of an output that goes nowhere."""
_IGNORED = ("TF_VAR_", "TF_CLI_ARGS")
_IGNORED_NAMES = ("TF_WORKSPACE", "TF_DATA_DIR", "TF_CLI_CONFIG")


class Shows(Protocol):
    """Where to say what goes on: a step of the screen."""

    def note(self, text: str) -> None:
        """Show what is happening now; a pipe shows nothing."""

    def announce(self, text: str) -> None:
        """Show what must be seen."""


class Silent:
    """Shows nothing."""

    def note(self, text: str) -> None: ...

    def announce(self, text: str) -> None: ...


class TerraformFailedError(TrialError):
    """Terraform ended with an error; ``summary`` has its error messages."""

    def __init__(self, message: str, summary: str) -> None:
        super().__init__(message)
        self.summary = summary


class Terraform:
    """Terraform in one folder."""

    def __init__(self, folder: Path, log: Path, environment: Mapping[str, str], variables: Mapping[str, str]) -> None:
        """Take variables only from ``variables``: your own TF_VAR_ and TF_CLI_ARGS don't count.

        Name and Region are given as arguments too: they win over every file.
        """
        self._folder = folder
        self._given = [f"-var={name}={variables[name]}" for name in ("name", "region") if name in variables]
        self._log = log
        self._environment = {
            name: value
            for name, value in environment.items()
            if name not in _IGNORED_NAMES and (not name.startswith(_IGNORED) or value == "-no-color")
        }
        self._environment |= {f"TF_VAR_{name}": value for name, value in variables.items()}

    def init(self, shows: Shows) -> None:
        """Initialize.

        Raises:
            TrialError: Terraform's state is elsewhere, and so not the trial's.
        """
        self._run(shows, "init", "-input=false")
        if (self._folder / ".terraform" / "terraform.tfstate").exists():
            raise TrialError(f"{self._folder} has a backend: a trial's state must be in its own folder; remove it")

    def apply(self, shows: Shows) -> dict[str, Any]:
        """Apply, and return the outputs."""
        self._run(shows, "apply", "-auto-approve", "-input=false", *self._given)
        outputs = json.loads(self._run(shows, "output", "-json"))
        return {name: output["value"] for name, output in outputs.items()}

    def changes(self, shows: Shows) -> list[str]:
        """Return the addresses of what another apply would change."""
        self._run(shows, "plan", "-input=false", "-out=again", *self._given)
        plan = json.loads(self._run(shows, "show", "-json", "again"))
        return [
            resource["address"]
            for resource in plan.get("resource_changes", [])
            if resource["mode"] == "managed" and resource["change"]["actions"] != ["no-op"]
        ]

    def destroy(self, shows: Shows) -> None:
        """Destroy everything. A first interrupt only shows what it means, a second stops Terraform in good order."""
        self._run(shows, "destroy", "-auto-approve", "-input=false", LOCK_TIMEOUT, *self._given, guarded=True)

    def left(self) -> list[str]:
        """Return the addresses of what Terraform still has in its state."""
        lines = self._run(Silent(), "state", "list").splitlines()
        return [line for line in lines if line and not line.startswith("data.") and ".data." not in line]

    def versions(self) -> dict[str, str]:
        """Return the versions of Terraform and of the provider."""
        printed = json.loads(self._run(Silent(), "version", "-json"))
        providers = printed.get("provider_selections", {})
        aws = next((version for name, version in providers.items() if name.endswith("/hashicorp/aws")), "unknown")
        return {"terraform": printed["terraform_version"], "provider hashicorp/aws": aws}

    def _run(self, shows: Shows, *arguments: str, guarded: bool = False) -> str:
        with ExitStack() as opened:
            sink, start = self._sink(arguments)
            opened.enter_context(sink)
            # A warning in the output of these would make it unreadable.
            apart = arguments[0] in ("output", "show", "state", "version")
            errors = opened.enter_context(self._log.with_name("terraform-errors.log").open("ab")) if apart else sink
            interrupts = opened.enter_context(Interrupts()) if guarded else None
            code = self._watch((sink, errors), start, arguments, shows, interrupts)
        output = self._read(start)
        if code:
            raise TerraformFailedError(
                f"terraform {arguments[0]} failed (exit code {code}); its output is in {self._log}", _errors(output)
            )
        return output

    def _sink(self, arguments: tuple[str, ...]) -> tuple[Any, int]:
        """Return where the output goes, and from where on; a destroy must not fail because the disk is full."""
        try:
            sink = self._log.open("ab", buffering=0)
            try:
                sink.write(f"\n$ terraform {' '.join(arguments)}\n".encode())
            except OSError:
                sink.close()
                raise
            return sink, sink.tell()
        except OSError:
            if arguments[0] not in ("init", "destroy"):
                raise
            return Path(os.devnull).open("ab", buffering=0), _UNWRITTEN

    def _watch(
        self,
        files: tuple[Any, Any],
        start: int,
        arguments: tuple[str, ...],
        shows: Shows,
        interrupts: Interrupts | None,
    ) -> int:
        process: subprocess.Popen[bytes] | None = None
        try:
            with interrupts_deferred():
                process = subprocess.Popen(
                    ["terraform", *arguments],
                    cwd=self._folder,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=files[0],
                    stderr=files[1],
                    start_new_session=True,  # a Ctrl-C reaches Terraform only through us
                )
            asked = 0
            while (code := process.poll()) is None:
                if interrupts is not None and interrupts.count > asked:
                    _answer(process, asked, interrupts.count, shows)
                    asked = interrupts.count
                elif asked == 0:
                    shows.note(self._last_line(start))
                time.sleep(_POLL_SECONDS)
        except FileNotFoundError:
            raise TrialError("terraform is not on the PATH: install Terraform 1.9 or newer") from None
        except BaseException:
            if process is not None:
                _end(process, shows)
            raise
        return code

    def _read(self, start: int) -> str:
        if start == _UNWRITTEN:
            return ""
        with self._log.open("rb") as file:
            file.seek(start)
            return file.read().decode(errors="replace")

    def _last_line(self, start: int) -> str:
        if start == _UNWRITTEN:
            return ""
        try:
            with self._log.open("rb") as file:
                file.seek(max(start, file.seek(0, os.SEEK_END) - 2000))
                lines = file.read().decode(errors="replace").split("\n")
        except OSError:  # what is only shown must not end Terraform
            return ""
        return next((line.strip() for line in reversed(lines[:-1]) if line.strip()), "")


def _answer(process: subprocess.Popen[bytes], before: int, count: int, shows: Shows) -> None:
    """Answer an interrupt while Terraform destroys. It is passed on only once: a second one would end it at once."""
    if count == 1:
        shows.announce("still destroying: what is left would cost money; press Ctrl-C again to stop")
        return
    shows.announce("stopping Terraform: it ends what it has begun")
    if before < 2:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)


def _end(process: subprocess.Popen[bytes], shows: Shows) -> None:
    """Interrupt Terraform, and wait until it has written its state: what it is making would be lost track of."""
    with Interrupts() as interrupts:
        shows.announce("stopping Terraform: it ends what it has begun")
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        asked = 0
        while process.poll() is None:
            if interrupts.count > asked:
                asked = interrupts.count
                shows.announce(
                    "waiting for Terraform to write its state: else what it is making would be lost track of"
                )
            time.sleep(_POLL_SECONDS)


def _errors(output: str) -> str:
    """Return the first lines of Terraform's error messages."""
    lines = [line.strip(" │╷╵") for line in output.splitlines()]
    return "; ".join(line for line in lines if line.startswith("Error: "))[:600]
