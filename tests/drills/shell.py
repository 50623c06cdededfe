"""Runs the command `dynamodb-opensearch` as a user does, in its own process, with all its output in one text."""

import multiprocessing
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from drills.errors import DrillError
from drills.function import REPOSITORY
from drills.narration import Narration

_SECONDS = 600
_SHOWN = 9
"""Most lines of its output that are shown."""
_NOTHING = re.compile(r" +0  [a-z]|$")
"""Matches counts of zero and empty lines, which aren't shown: there is little room."""

# A server that has imported the command's modules, and forks: the import takes longer than most commands.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["dynamodb_opensearch.cli.app", "boto3"])


class Shell:
    """A working folder, and the environment of the operator on call."""

    def __init__(self, narration: Narration, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self._narration = narration
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DYNAMODB_"))}
        self.environment = {
            **own,
            **environment,
            "PYTHONPATH": str(REPOSITORY / "lambda/src"),
            "XDG_STATE_HOME": str(folder / "state"),
            "NO_PROXY": "*",
        }

    def run(self, *arguments: str, expected: Collection[int] = (0,)) -> str:
        """Run the command, show it with its output, and return the output.

        Raises:
            DrillError: its exit code isn't an expected one.
        """
        self._narration.command(shlex.join(["dynamodb-opensearch", *arguments]))
        code, output = self._run(arguments)
        lines = [line for line in output.splitlines() if not _NOTHING.match(line)]
        self._narration.quote("\n".join(_shortened(lines)))
        if code not in expected:
            codes = " or ".join(map(str, expected))
            raise DrillError(f"dynamodb-opensearch {arguments[0]} ended with {code}, expected {codes}")
        return output

    def _run(self, arguments: Sequence[str]) -> tuple[int | None, str]:
        """Return the exit code and the whole output."""
        with tempfile.NamedTemporaryFile("r", dir=self.folder, encoding="utf-8") as output:
            process = _processes.Process(target=_begin, args=(arguments, self.environment, self.folder, output.name))
            process.start()
            process.join(_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()
                raise DrillError(f"dynamodb-opensearch {arguments[0]} hasn't ended after {_SECONDS} s")
            return process.exitcode, output.read()


def _shortened(lines: Sequence[str]) -> Sequence[str]:
    left_out = len(lines) - _SHOWN
    return lines if left_out < 2 else [*lines[: _SHOWN - 2], f"  … ({left_out + 1} lines)", lines[-1]]


def _begin(arguments: Sequence[str], environment: Mapping[str, str], folder: Path, output: str) -> None:
    """Run the command in this process."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    with Path(output).open("w", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout = sys.stderr = open(1, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115
    sys.argv = ["dynamodb-opensearch", *arguments]
    from dynamodb_opensearch.cli.app import app  # noqa: PLC0415 (in the command's environment)

    app(prog_name="dynamodb-opensearch")


def command_line(*arguments: str) -> list[str]:
    """Return the arguments that start the command without an installation."""
    return [sys.executable, "-m", "dynamodb_opensearch.cli", *arguments]
