"""Runs the command `dynamodb-opensearch` as a user does, in a process of its own; its output goes into the folder."""

import subprocess
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from trial.errors import NotProvenError
from trial.folder import REPOSITORY

_ASIDES = ("Next: ", "note: ", "report: ")


class Command:
    """The command, for one function."""

    def __init__(self, function: str, folder: Path, environment: Mapping[str, str]) -> None:
        own = {name: value for name, value in environment.items() if not name.startswith(("DYNAMODB_", "OPENSEARCH_"))}
        self._environment = {
            **own,
            "PYTHONPATH": str(REPOSITORY / "lambda/src"),
            "XDG_STATE_HOME": str(folder / "checkpoints"),
            "PYTHONUNBUFFERED": "1",
        }
        self._function = function
        self._log = folder / "commands.log"

    def run(self, *arguments: str, seconds: float = 900, expected: Collection[int] = (0,)) -> list[str]:
        """Return the lines of what the command prints, but for notes and advice.

        Raises:
            NotProvenError: its exit code isn't an expected one, or it doesn't end in time.
        """
        line = ["dynamodb-opensearch", *arguments, "--function", self._function]
        with self._log.open("ab") as log:
            log.write(f"\n$ {' '.join(line)}\n".encode())
            log.flush()
            start = log.tell()
            process = subprocess.Popen(
                [sys.executable, "-m", "dynamodb_opensearch.cli", *line[1:]],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                raise NotProvenError(f"{arguments[0]} hasn't ended after {seconds:.0f} s") from None
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
                process.wait()
        lines = self._lines(start)
        if code not in expected:
            codes = " or ".join(map(str, expected))
            raise NotProvenError(f"{arguments[0]} ended with {code}, expected {codes}: {_error_line(lines)}")
        return [line for line in lines if not line.startswith(_ASIDES)]

    def _lines(self, start: int) -> list[str]:
        text = self._log.read_bytes()[start:].decode(errors="replace")
        return [line.strip() for line in text.splitlines() if line.strip()]


def _error_line(lines: list[str]) -> str:
    """Return the line that says what is wrong."""
    errors = [line for line in lines if line.startswith("error: ")]
    return (errors or lines or ["it printed nothing"])[-1]
