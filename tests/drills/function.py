"""Runs a function as Lambda does: in its own process, which is killed at the time-out and then restarted."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from simulation.worker import receive_message, send_message

REPOSITORY = Path(__file__).resolve().parents[2]
HANDLER = "dynamodb_opensearch.functions.sync.handler"
_IMPORT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Invocation:
    """The outcome of an invocation."""

    seconds: float
    lines: list[str]
    """The lines that it printed: log and metrics as JSON."""
    response: Any = None
    error: str | None = None


class Function:
    """One function with one environment, invoked by one caller at a time."""

    def __init__(
        self,
        name: str,
        environment: Mapping[str, str],
        process_environment: Mapping[str, str],
        timeout_seconds: float,
        handler: str = HANDLER,
    ) -> None:
        """Describe the function; nothing is started yet.

        Args:
            environment: the function's own variables.
            process_environment: what Lambda adds: credentials, Region, endpoints.
        """
        self.name = name
        self.environment = dict(environment)
        self.timeout_seconds = timeout_seconds
        self._handler = handler
        self._process_environment = dict(process_environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: socket.socket | None = None
        self._log: IO[bytes] | None = None
        self._read = 0

    def invoke(self, event: Mapping[str, Any]) -> Invocation:
        """Invoke the function, and wait for the outcome."""
        request_id = str(uuid.uuid4())
        began = time.monotonic()
        try:
            pipe = self._warm()
            began = time.monotonic()
            send_message(pipe, {"event": event, "request_id": request_id, "seconds": self.timeout_seconds})
            answer = receive_message(pipe)
        except TimeoutError:
            answer = {"error": f"Task timed out after {self.timeout_seconds:.2f} seconds"}
            self.end()
        except OSError:
            answer = None
        if answer is None:
            self.end()
            answer = {"error": "Runtime exited"}
        return Invocation(time.monotonic() - began, self._lines(), **answer)

    def end(self) -> None:
        """End the process; the next invocation starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None

    def close(self) -> None:
        """End the process and close the log: no more invocations."""
        self.end()
        if self._log is not None:
            self._log.close()

    def _warm(self) -> socket.socket:
        if self._pipe is None:
            if self._log is None:
                self._log = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the function)
            self._pipe, theirs = socket.socketpair()
            with theirs:
                command = [sys.executable, "-m", "drills.runtime", self._handler, str(theirs.fileno())]
                self._process = subprocess.Popen(
                    command,
                    env={
                        "PATH": os.environ.get("PATH", os.defpath),
                        "PYTHONPATH": f"{REPOSITORY / 'lambda/src'}:{REPOSITORY / 'tests'}",
                        "PYTHONUNBUFFERED": "1",  # so that all output of a killed process is seen too
                        "AWS_LAMBDA_FUNCTION_NAME": self.name,
                        **self._process_environment,
                        **self.environment,
                    },
                    stdin=subprocess.DEVNULL,
                    stdout=self._log,
                    stderr=self._log,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            self._pipe.settimeout(_IMPORT_SECONDS)  # a cold start isn't part of the time-out
            if receive_message(self._pipe) is None:
                raise ConnectionResetError
            self._pipe.settimeout(self.timeout_seconds)
        return self._pipe

    def _lines(self) -> list[str]:
        if self._log is None:
            return []
        # At our own offset: the file's position is where the process writes.
        text = os.pread(self._log.fileno(), os.fstat(self._log.fileno()).st_size - self._read, self._read)
        self._read += len(text)
        return [line for line in text.decode(errors="replace").splitlines() if line.strip()]
