"""Runs a command to its end, or ends it with all that it started when interrupted."""

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from engines.errors import EngineError
from engines.interrupts import interrupts_deferred
from engines.processes import MARK, end_family

TAIL_CHARACTERS = 2000
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class CommandFailedError(EngineError):
    """The command ended with an exit code other than 0."""

    def __init__(self, command: Path, exit_code: int, output: str) -> None:
        self.output_tail = COLOURS.sub("", output).strip()[-TAIL_CHARACTERS:]
        super().__init__(f"{command} failed (exit code {exit_code}); its output ends:\n{self.output_tail}")


def run_command(
    command: Sequence[str | Path],
    *,
    folder: Path,
    belongs_to: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a command in `folder`, and return what it printed. Everyone can read the files that it creates.

    It carries the mark of the run or installation that it belongs to (default: the one in `folder`).
    """
    owner = belongs_to or folder
    inherited = os.environ if environment is None else environment
    with tempfile.TemporaryDirectory(dir=owner, prefix="tmp-") as temporary:  # a killed command can't remove its own
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**inherited, MARK: str(owner), "TMPDIR": temporary},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches this program, which then ends the command with all it started
            umask=0o022,
        )
        with process:
            try:
                output, _ = process.communicate()
            except BaseException:
                with interrupts_deferred():
                    end_family(owner)
                raise
    if process.returncode != 0:
        raise CommandFailedError(Path(command[0]), process.returncode, output)
    return output
