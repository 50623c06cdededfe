"""The process that runs the function: imports its libraries once, then forks a sandbox for each cold start.

It runs as `python -m simulation.worker FOLDER MODULE.ATTRIBUTE FD`; FOLDER is what Lambda unpacks into /var/task. In a
sandbox, the function's sleeps pass 500 times faster, but count in full against the invocation's time."""

import contextlib
import gc
import importlib
import io
import json
import os
import random
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

SLEEP_SPEED = 500
_LENGTH = struct.Struct(">I")

Handler = Callable[[dict[str, Any], object], object]


def send_message(stream: socket.socket, message: object) -> None:
    body = json.dumps(message).encode()
    stream.sendall(_LENGTH.pack(len(body)) + body)


def receive_message(stream: socket.socket) -> Any:
    """Return the next message; None at the end of the stream, even in the middle of a message."""
    head = _receive_exactly(stream, _LENGTH.size)
    body = head and _receive_exactly(stream, *_LENGTH.unpack(head))
    return None if body is None else json.loads(body)


def _receive_exactly(stream: socket.socket, count: int) -> bytes | None:
    parts = io.BytesIO()
    while count:
        try:
            part = stream.recv(count)
        except ConnectionError:
            return None
        if not part:
            return None
        parts.write(part)
        count -= len(part)
    return parts.getvalue()


class InvocationClock:
    """The time that an invocation has left. Only the function's sleeps count, not this machine's speed."""

    def __init__(self) -> None:
        self._remaining_seconds = 0.0
        self._lock = threading.Lock()
        self._sleep: Callable[[float], None] = time.sleep
        time.sleep = self._sleep_fast  # type: ignore[assignment]  # it only ever gets a float

    def begin(self, remaining_seconds: float) -> None:
        self._remaining_seconds = remaining_seconds

    def remaining_milliseconds(self) -> int:
        return int(self._remaining_seconds * 1000)

    def _sleep_fast(self, seconds: float) -> None:
        self._sleep(seconds / SLEEP_SPEED)
        with self._lock:
            self._remaining_seconds -= seconds
        if self._remaining_seconds < 0:  # Lambda ends a function at its time-out, whatever it is doing
            os.kill(os.getpid(), signal.SIGKILL)


def serve(stream: socket.socket, environment: dict[str, str], handler_name: str) -> None:
    """Serve one sandbox: import the handler under its environment, as a cold start does, and answer events in turn."""
    os.environ.clear()
    os.environ.update(environment)
    clock = InvocationClock()
    handler: Handler | None = None
    while invocation := receive_message(stream):
        clock.begin(invocation["remaining_seconds"])
        random.seed(invocation["request_id"])  # the function's jitter: the same for the same seed
        context = SimpleNamespace(
            aws_request_id=invocation["request_id"],
            function_name=environment["AWS_LAMBDA_FUNCTION_NAME"],
            function_version="$LATEST",
            invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:sync",
            memory_limit_in_mb=512,
            get_remaining_time_in_millis=clock.remaining_milliseconds,
        )
        try:
            handler = handler or load_handler(handler_name)
            answer = {"response": handler(invocation["event"], context)}
        except Exception as error:  # noqa: BLE001 - the runtime reports whatever the function raises
            answer = {
                "error": {
                    "errorType": type(error).__name__,
                    "errorMessage": str(error),
                    "trace": traceback.format_exc(),
                }
            }
        sys.stdout.flush()
        send_message(stream, answer)


def load_handler(name: str) -> Handler:
    module, _, attribute = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), attribute)
    return handler


def forget_package(name: str) -> None:
    """Forget the function's own modules, but not the libraries that they imported."""
    package = name.partition(".")[0]
    for module in [m for m in sys.modules if m == package or m.startswith(package + ".")]:
        del sys.modules[module]


def main() -> None:
    folder, handler_name, control_fd = sys.argv[1:]
    sys.path.insert(0, folder)
    with contextlib.suppress(Exception):  # only loads the libraries: a sandbox imports again, and reports what fails
        load_handler(handler_name)
    gc.freeze()  # what is loaded stays shared between the forks
    with socket.socket(fileno=int(control_fd)) as control:
        while True:
            request, descriptors, _, _ = socket.recv_fds(control, 1 << 16, 2)
            if not request:
                return
            order = json.loads(request)
            if "end" in order:
                _end_sandbox(order["end"])
                control.sendall(_LENGTH.pack(0))
            elif pid := os.fork():
                for descriptor in descriptors:
                    os.close(descriptor)
                control.sendall(_LENGTH.pack(pid))
            else:
                control.close()
                pipe, log = descriptors
                os.dup2(log, 1)
                os.dup2(log, 2)
                forget_package(handler_name)
                serve(socket.socket(fileno=pipe), order["start"], handler_name)
                os._exit(0)


def _end_sandbox(pid: int) -> None:
    """Kill and reap a sandbox: its process id isn't free for reuse before its owner knows that it has ended."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
