"""Runs a function in its own process, as Lambda's runtime does: imports the handler, then answers event after event.

It runs as `python -m drills.runtime MODULE.ATTRIBUTE FD`, with only the function's environment.
"""

import socket
import sys
import time
import traceback
from dataclasses import dataclass, field

from simulation.worker import load_handler, receive_message, send_message


@dataclass(frozen=True, slots=True)
class Context:
    """The part of Lambda's context object that the function uses."""

    aws_request_id: str
    seconds: float
    began: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        return int((self.began + self.seconds - time.monotonic()) * 1000)


def main() -> None:
    """Serve until the other side is gone."""
    name, number = sys.argv[1:]
    with socket.socket(fileno=int(number)) as pipe:
        handler = load_handler(name)
        send_message(pipe, "ready")
        while message := receive_message(pipe):
            context = Context(message["request_id"], message["seconds"])
            try:
                answer = {"response": handler(message["event"], context)}
            except Exception as error:  # noqa: BLE001 (the runtime reports whatever the function raises)
                traceback.print_exc()
                answer = {"error": f"{type(error).__name__}: {error}"}
            sys.stdout.flush()
            send_message(pipe, answer)


if __name__ == "__main__":
    main()
