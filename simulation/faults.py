"""Names the faults that may strike, and says how often they do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What may happen to a request from the function on its way to OpenSearch and back."""

    BUSY = "429, 500, 502, 503 or 504 for the whole request"
    THROTTLED = "a throttle disguised as 403"
    BLOCKED = "a write block of the cluster or the index"
    ITEMS_BUSY = "429 or 503 for some items, the others are written"
    MISCONFIGURED = "401, security 403 or a missing index"
    HALF_DONE = "some items written, then 503 for the whole request"
    RESET_BEFORE = "connection reset, nothing written"
    RESET_AFTER = "written, then connection reset"
    CUT = "written, then the answer breaks off"
    HANG = "written, but no answer until the client gives up"
    HANG_HELD = "no answer until the client gives up; the request lands later"
    HELD = "connection reset; the request lands later"
    KILL_BEFORE = "the function dies, nothing written"
    KILL_AFTER = "written, then the function dies"
    KILL_HELD = "the function dies; the request lands later"
    CLOSE = "answered well, then the kept-alive connection is closed"


class ReadFault(StrEnum):
    """What may happen to a read of the table or to a dead letter."""

    UNPROCESSED = "some keys come back unprocessed"
    THROTTLED = "ProvisionedThroughputExceededException or ThrottlingException"
    ERROR = "InternalServerError"
    RESET = "connection reset"
    KILL = "the function dies"


@dataclass(frozen=True, slots=True)
class Faults:
    """How often each fault strikes, and how many may strike in all: convergence is promised once they end."""

    rate: float
    budget: int
    weights: Mapping[Fault, int]
    read_rate: float
    outage_requests: int
    max_body_bytes: int | None
    only_index: str | None = None
    """The projection whose index they strike; None: all are struck."""

    def may_strike(self, index_name: str) -> bool:
        """Whether a fault may strike a request for this index."""
        return self.only_index is None or index_name.endswith(f"-{self.only_index}")
