"""One whole scenario from one seed: the table's history, the function's settings, its consumers, the faults."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from convergence.history import VIEW_TYPES, History, Shape, make_history
from convergence.items import Item


class Fault(StrEnum):
    """What may happen to one request of the function's on its way to OpenSearch and back."""

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
    """What may happen to one read of the table or one dead letter."""

    UNPROCESSED = "some keys come back unprocessed"
    THROTTLED = "ProvisionedThroughputExceededException or ThrottlingException"
    ERROR = "InternalServerError"
    RESET = "connection reset"
    KILL = "the function dies"


@dataclass(frozen=True, slots=True)
class Settings:
    """The function's environment, as far as it varies."""

    conflict_window_seconds: int
    bulk_actions: int
    bulk_connections: int
    compression: str
    request_timeout_seconds: int

    def environment(self) -> dict[str, str]:
        return {
            "CONFLICT_WINDOW_SECONDS": str(self.conflict_window_seconds),
            "BULK_ACTIONS": str(self.bulk_actions),
            "BULK_CONNECTIONS": str(self.bulk_connections),
            "COMPRESSION": self.compression,
            "REQUEST_TIMEOUT_SECONDS": str(self.request_timeout_seconds),
        }


@dataclass(frozen=True, slots=True)
class Consumer:
    """One event source mapping: when it begins and restarts (counted in invocations), how often it regroups."""

    stream: int
    batch_size: int
    parallelization_factor: int
    bisects: bool
    regroups: float
    begins_after: int
    restarts_after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Faults:
    """How often which fault strikes, and how many may strike in all: convergence is promised once they end."""

    rate: float
    budget: int
    weights: Mapping[Fault, int]
    read_rate: float
    outage_requests: int
    max_body_bytes: int | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """All that a run needs to know.

    `streams_overlap`: consumers of a new stream don't wait until the old one is done. Then its first write comes so
    much later that no clock takes it for an earlier one: nobody promises an order between two streams' records."""

    seed: int
    prefix: str
    settings: Settings
    history: History
    consumers: tuple[Consumer, ...]
    streams_overlap: bool
    faults: Faults


def make_schedule(seed: int, prefix: str, *, images_only: bool = False) -> Schedule:
    """The scenario of this seed; `prefix` begins all its partition keys, so that many schedules share one index.

    Some are broad: everything that there is, a little of each. The others are hostile: few items, written fast under
    clocks that disagree, consumed in ever new batches, and requests that land late. With `images_only` no record needs
    a read of the table."""
    rng = random.Random(seed)
    is_hostile = rng.random() < 0.6
    hangs = rng.random() < 0.3
    settings = Settings(
        conflict_window_seconds=rng.choice((10, 10, 30, 60)),
        bulk_actions=rng.choice((1, 2, 5, 250)),
        bulk_connections=rng.choice((1, 1, 1, 2)),
        compression=rng.choice(("none", "none", "gzip")),
        request_timeout_seconds=1 if hangs else 20,
    )
    shape = Shape(
        prefix=prefix,
        most_keys=2 if is_hostile else 6,
        most_writes=12 if is_hostile else 60,
        conflict_window_seconds=settings.conflict_window_seconds,
        leader_moves=0.8 if is_hostile else rng.choice((0, 0.2)),
        pauses=rng.choice((0, 0.05)) if is_hostile else rng.choice((0.05, 0.1, 0.3)),
        poison=0 if is_hostile else rng.choice((0, 0, 0, 0.15)),
    )
    view_types = [v for v in VIEW_TYPES if not images_only or "NEW" in v]
    streams_overlap = rng.random() < 0.5
    history = make_history(
        rng,
        shape,
        tuple(rng.choice(view_types) for _ in range(rng.choice((1, 1, 1, 2)))),
        switch_seconds=settings.conflict_window_seconds if streams_overlap else 0,
    )
    consumers = [_make_consumer(rng, stream, is_hostile=is_hostile) for stream in range(len(history.streams))]
    if rng.random() < 0.35:
        second = _make_consumer(rng, rng.randrange(len(history.streams)), is_hostile=is_hostile)
        consumers.append(replace(second, begins_after=rng.randint(0, 15)))
    faults = _make_faults(rng, history, is_hostile=is_hostile, hangs=hangs)
    return Schedule(seed, prefix, settings, history, tuple(consumers), streams_overlap, faults)


def _make_consumer(rng: random.Random, stream: int, *, is_hostile: bool) -> Consumer:
    return Consumer(
        stream=stream,
        batch_size=rng.choice((2, 3, 4, 6)) if is_hostile else rng.choice((1, 2, 3, 5, 10, 100)),
        parallelization_factor=1 if is_hostile else rng.choice((1, 1, 2, 3)),
        bisects=rng.random() < 0.6,
        regroups=rng.choice((0.2, 0.5, 0.9)) if is_hostile else 0.1,
        begins_after=0,
        restarts_after=tuple(sorted(rng.randint(1, 20) for _ in range(rng.choice((0, 0, 1, 2))))),
    )


def _make_faults(rng: random.Random, history: History, *, is_hostile: bool, hangs: bool) -> Faults:
    """Broad schedules know all faults, or a few that meet often; hostile ones those that leave writes behind."""
    kinds = [fault for fault in Fault if hangs or fault not in _HANGS]
    if is_hostile:
        chosen = {
            rng.choice(_HELD),
            *rng.sample(_TREACHEROUS, rng.randint(0, 2)),
            *rng.sample(kinds, rng.randint(0, 1)),
        }
    else:
        chosen = set(kinds if rng.random() < 0.5 else rng.sample(kinds, rng.randint(1, 5)))
    largest = max((_largest_action(change.item) for change in history.changes if change.item), default=0)
    return Faults(
        rate=rng.choice((0.2, 0.35, 0.5)) if is_hostile else rng.choice((0.0, 0.1, 0.3, 0.6)),
        budget=25 if is_hostile else rng.choice((5, 15, 30)),
        weights={fault: _WEIGHTS.get(fault, 3) for fault in kinds if fault in chosen},
        read_rate=rng.choice((0.0, 0.1, 0.4)),
        outage_requests=0 if is_hostile else rng.choice((0, 0, 30)),
        max_body_bytes=largest + rng.randint(0, 1000) if rng.random() < 0.15 else None,
    )


_HELD = (Fault.HELD, Fault.KILL_HELD)
_TREACHEROUS = (*_HELD, Fault.RESET_AFTER, Fault.KILL_AFTER, Fault.HALF_DONE)
_HANGS = (Fault.HANG, Fault.HANG_HELD)
# Hanging costs the client's whole time-out, in real time; a write that lands late is what most rules are there for.
_WEIGHTS = {Fault.HANG: 1, Fault.HANG_HELD: 1, Fault.HELD: 6, Fault.KILL_HELD: 6}


def _largest_action(item: Item) -> int:
    """A generous guess at the bytes of one item's bulk action: no document of a schedule is too large by itself."""
    return 500 + 2 * len(str(item))
