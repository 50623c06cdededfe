"""Applies and destroys the example with Terraform in a copy of the files that it needs: the checkout stays clean."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from engines.interrupts import interrupts_deferred

NEEDED = ("*.tf", "modules/**/*.tf", "lambda/dist/*.zip", "examples/products/*.tf", "examples/products/*.json")
OLDEST_TERRAFORM = (1, 9)
GRACE_SECONDS = 5  # for Terraform to end after an interrupt


class TerraformError(Exception):
    """Terraform failed; `log` holds its whole output."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


def check_terraform() -> None:
    """Raise a TerraformError unless a Terraform of at least version 1.9 is on the PATH."""
    try:
        printed = subprocess.run(["terraform", "version", "-json"], capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        raise TerraformError("terraform is not on the PATH: install Terraform 1.9 or newer") from None
    version = json.loads(printed)["terraform_version"]
    if tuple(map(int, version.split("-")[0].split("."))) < OLDEST_TERRAFORM:
        raise TerraformError(f"terraform is {version}: install Terraform 1.9 or newer")


class Deployment:
    """The example in its own folder, which also holds Terraform's state and plugins."""

    def __init__(
        self, repository: Path, folder: Path, environment: Mapping[str, str], variables: Mapping[str, str]
    ) -> None:
        """Copy the example. TF_VAR_ variables in the environment itself are ignored."""
        for file in (file for pattern in NEEDED for file in repository.glob(pattern)):
            copy = folder / file.relative_to(repository)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, copy)
        self.folder = folder / "examples" / "products"
        self._environment = {name: value for name, value in environment.items() if not name.startswith("TF_VAR_")}
        self._environment |= {f"TF_VAR_{name}": value for name, value in variables.items()}

    def init(self, note: Callable[[str], None]) -> None:
        self._run(note, "init")

    def apply(self, note: Callable[[str], None]) -> dict[str, Any]:
        """Apply and return the outputs."""
        self._run(note, "apply", "-auto-approve")
        outputs = json.loads(self._run(note, "output", "-json"))
        return {name: output["value"] for name, output in outputs.items()}

    def destroy(self, note: Callable[[str], None]) -> None:
        self._run(note, "destroy", "-auto-approve")

    def _run(self, note: Callable[[str], None], *arguments: str) -> str:
        lines: list[str] = []
        with subprocess.Popen(
            ["terraform", *arguments],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # a Ctrl-C reaches Terraform once, through us
        ) as process:
            try:
                for line in process.stdout or ():
                    lines.append(line)
                    if line.strip():
                        note(line)
            except BaseException:
                with interrupts_deferred():
                    note("stopping Terraform")
                    _stop(process)
                raise
        log = "".join(lines)
        if process.returncode:
            raise TerraformError(f"terraform {arguments[0]} failed (exit code {process.returncode}): see above", log)
        return log


def _stop(process: subprocess.Popen[str]) -> None:
    """End Terraform and its providers: in good order, at once after a second interrupt, by force if they still run."""
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
            break
    with suppress(ProcessLookupError):  # if none is left
        os.killpg(process.pid, signal.SIGKILL)
