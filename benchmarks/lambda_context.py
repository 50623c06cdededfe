"""Fakes the context that Lambda passes to the handler with the event."""

import time


class Context:
    """Lambda's context for a function with the default timeout."""

    aws_request_id = "6f2c1f0e-0000-4000-8000-000000000000"

    def __init__(self, timeout_seconds: float = 120) -> None:
        self._end = time.monotonic() + timeout_seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._end - time.monotonic()) * 1000))
