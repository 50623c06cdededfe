"""Runs a function's process, which handles one event at a time until it exits or is killed."""

import json
import math
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from localstack_process_executor.runtime_api import Event, RuntimeApi

ALL_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of an invocation; the platform's message is what the Lambda service adds to the function's log."""

    payload: bytes
    is_error: bool
    platform_message: str = ""


class FunctionProcess:
    """The process, its Runtime API and its output."""

    def __init__(self, command: Sequence[str], folder: str, environment: Mapping[str, str]) -> None:
        self._api = RuntimeApi()
        # A file, not a pipe: all that the function wrote before its answer is there when the answer arrives, and a
        # function with much output can't block on a full pipe.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process may write
        self._output_read = 0
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment, "AWS_LAMBDA_RUNTIME_API": self._api.address, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            start_new_session=True,  # a process group of its own, so that its children die with it
        )

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait_until_ready(self, timeout_seconds: float) -> None:
        """Wait until the function is initialised, has failed to initialise, or the time is up."""
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline and self.is_alive() and not self._api.idle.wait(0.02):
            pass

    def invoke(self, *, request_id: str, arn: str, trace_id: str, event: bytes, timeout_seconds: float) -> Outcome:
        """Handle one event. A function that takes longer than its time-out is killed."""
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + timeout_seconds) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": arn,
            "Lambda-Runtime-Trace-Id": trace_id,
        }
        self._api.send(Event(headers, event))
        deadline = time.monotonic() + timeout_seconds
        while (left := deadline - time.monotonic()) > 0:
            exited = not self.is_alive()  # checked before the answers, so that a last answer isn't missed
            if answer := self._api.receive(0.001 if exited else min(left, 0.1)):
                return Outcome(answer.body, answer.is_error)
            if exited:
                return _failure("Runtime.ExitError", request_id, f"Runtime exited with error: {self._ending()}")
        self.kill()
        return _failure("Sandbox.Timedout", request_id, f"Task timed out after {timeout_seconds:.2f} seconds")

    def peak_memory_mb(self) -> int | None:
        """None when the process is gone, or the system has no /proc."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
            kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
        except (OSError, StopIteration):
            return None
        return math.ceil(int(kilobytes) / 1024)

    def new_output(self) -> str:
        """Return what the function has written since the last call."""
        content = self._read_output(self._output_read)
        self._output_read += len(content)
        return content.decode("utf-8", "replace")

    def all_output(self) -> str:
        return self._read_output(0).decode("utf-8", "replace")

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._api.close()

    def _read_output(self, start: int) -> bytes:
        # pread: the process shares the file's position, which must not move
        return os.pread(self._output.fileno(), ALL_BYTES, start)

    def _ending(self) -> str:
        code = self._process.returncode
        return f"signal: {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


def _failure(error_type: str, request_id: str, message: str) -> Outcome:
    """A failure that the Lambda service reports, because the function could not."""
    text = f"RequestId: {request_id} Error: {message}"
    payload = json.dumps({"errorType": error_type, "errorMessage": text}).encode()
    return Outcome(payload, is_error=True, platform_message=text)
