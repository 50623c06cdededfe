"""Runs the function in sandboxes: the worker forks for a cold start, a pipe carries events, SIGKILL ends it anytime."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from simulation.history import REGION, TABLE_NAME
from simulation.worker import receive_message, send_message

_TESTS = Path(__file__).resolve().parents[1]


# What the Lambda runtime sets, and settings that never vary. Only these credentials; no proxy, no files of the user.
_LAMBDA_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_FUNCTION_NAME": "sync",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_REGION": REGION,
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "DEAD_LETTER_ARN": f"arn:aws:sqs:{REGION}:123456789012:dead-letters",
    "INDEX": "products",
    "NO_PROXY": "*",
    "OPENSEARCH_AUTH": "none",
    "OPENSEARCH_ENDPOINT": "http://127.0.0.1:9",
    "TABLE_KEYS": "pk",
    "TABLE_NAME": TABLE_NAME,
}


class Sandbox:
    """A process in which the function is warm."""

    def __init__(self, forge: "Forge", pid: int, pipe: socket.socket, log: IO[bytes]) -> None:
        self.pipe = pipe
        self._forge = forge
        self._pid = pid
        self._log = log
        self._log_read = 0

    def invoke(self, event: Mapping[str, Any], *, request_id: str, remaining_seconds: float) -> None:
        send_message(self.pipe, {"event": event, "request_id": request_id, "remaining_seconds": remaining_seconds})

    def result(self) -> Mapping[str, Any] | None:
        """Wait for the invocation's result: {"response"} or {"error"}; None if the process died."""
        answer: Mapping[str, Any] | None = receive_message(self.pipe)
        return answer

    def take_log(self) -> str:
        """Return what the function has logged since the last call."""
        self._log.seek(self._log_read)
        text = self._log.read()
        self._log_read += len(text)
        return text.decode(errors="replace")

    def end(self) -> None:
        """Kill the process with SIGKILL, whatever it is doing."""
        self._forge.end(self._pid)
        self.pipe.close()
        self._log.close()


class Forge:
    """Makes sandboxes of one function. Several threads may share it."""

    def __init__(self, folder: Path, handler: str) -> None:
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        environment = {**_LAMBDA_ENVIRONMENT, "PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(_TESTS)}
        with theirs:
            command = [sys.executable, "-m", "simulation.worker", str(folder), handler, str(theirs.fileno())]
            self._process = subprocess.Popen(command, env=environment, pass_fds=[theirs.fileno()])

    def start(self, environment: Mapping[str, str]) -> Sandbox:
        """Make a cold start. The first invocation imports the function."""
        log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the sandbox
        ours, theirs = socket.socketpair()
        with theirs:
            pid = self._order({"start": {**_LAMBDA_ENVIRONMENT, **environment}}, theirs.fileno(), log.fileno())
        return Sandbox(self, pid, ours, log)

    def end(self, pid: int) -> None:
        self._order({"end": pid})

    def close(self) -> None:
        self._control.close()
        self._process.wait()

    def _order(self, order: Mapping[str, Any], *descriptors: int) -> int:
        with self._lock:
            socket.send_fds(self._control, [json.dumps(order).encode()], descriptors)
            answer = self._control.recv(4, socket.MSG_WAITALL)
        if len(answer) < 4:
            raise RuntimeError(
                f"the worker process (pid {self._process.pid}) has ended: its own error is printed above"
            )
        return int.from_bytes(answer)


@contextlib.contextmanager
def open_forge(package: Path, handler: str) -> Iterator[Forge]:
    """Open a forge for `handler` from a zip, which is unpacked first as Lambda does, or from a source folder."""
    with tempfile.TemporaryDirectory() as unpacked:
        if package.suffix == ".zip":
            with zipfile.ZipFile(package) as archive:
                archive.extractall(unpacked)
        forge = Forge(Path(unpacked) if package.suffix == ".zip" else package, handler)
        try:
            yield forge
        finally:
            forge.close()
