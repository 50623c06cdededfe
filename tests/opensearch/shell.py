"""The command, run as a person runs it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from opensearch import api
from opensearch.sides import Sides

REPOSITORY = Path(__file__).resolve().parents[2]
ITEMS = 600
QUICK = ("--processes", "1", "--segments", "4", "--page-items", "50")


class Shell:
    """Runs the command in a folder, with the environment of one table and index."""

    def __init__(self, sides: Sides, folder: Path) -> None:
        self.sides = sides
        self.folder = folder
        self._environment = {
            **os.environ,
            **sides.environment,
            "PYTHONPATH": str(REPOSITORY / "lambda/src"),
            "XDG_STATE_HOME": str(folder / "state"),
            "HOME": str(folder),
        }

    def start(
        self,
        *arguments: str,
        environment: Mapping[str, str] = MappingProxyType({}),
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
    ) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "dynamodb_opensearch.cli", *arguments]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self._environment, **environment},
            stdout=stdout,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        process = self.start(*arguments, environment=environment)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def result(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """The exit code, and the only thing on stdout: a JSON object."""
        done = self.run(*arguments, "--json")
        return done.returncode, json.loads(done.stdout)

    @property
    def checkpoints(self) -> list[Path]:
        return sorted((self.folder / "state").rglob("*.jsonl*"))


def damage(sides: Sides) -> list[tuple[str, str]]:
    """Four kinds of it; what verify must name."""
    call: Callable[..., str] = lambda *request: api.call(sides.node, *request)  # noqa: E731
    call("DELETE", f"/{sides.name}/_doc/i-0003?refresh=true")
    call("PUT", f"/{sides.name}/_doc/i-0004", {"pk": "i-0004", "n": 9})
    call("PUT", f"/{sides.name}/_doc/nobody", {"pk": "nobody"})
    call("PUT", f"/{sides.name}/_doc/i-0005?routing=elsewhere&refresh=true", {"pk": "i-0005"})
    return [("ghost", "nobody"), ("missing", "i-0003"), ("stale", "i-0004"), ("wrong place", "i-0005")]


def wait_for_steps(shell: Shell, number: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for path in shell.checkpoints:
            if path.read_text().count('"counts"') >= number:
                return
        time.sleep(0.02)
    pytest.fail("no steps were noted")


def workers(pid: int) -> list[int]:
    """The processes that it started, but multiprocessing's own, which keeps count of semaphores."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in children if b"resource_tracker" not in Path(f"/proc/{one}/cmdline").read_bytes()]


def counts(checkpoint: Path) -> int:
    lines = [json.loads(line) for line in checkpoint.read_text().splitlines()]
    return sum(line["counts"].get("items", 0) for line in lines if "counts" in line)
