"""Makes a whole scenario from a seed: the table's history, the function's settings, its consumers, the faults."""

import random
from dataclasses import dataclass, replace

from simulation import projections as projections_of
from simulation.faults import Fault, Faults
from simulation.history import VIEW_TYPES, History, Shape, make_history
from simulation.items import Item
from simulation.projections import Projection


@dataclass(frozen=True, slots=True)
class Settings:
    """The part of the function's environment that varies."""

    conflict_window_seconds: int
    bulk_actions: int
    bulk_connections: int
    compression: str
    request_timeout_seconds: int
    skip_unchanged: bool = False

    def environment(self) -> dict[str, str]:
        return {
            "SKIP_UNCHANGED": str(self.skip_unchanged).lower(),
            "CONFLICT_WINDOW_SECONDS": str(self.conflict_window_seconds),
            "BULK_ACTIONS": str(self.bulk_actions),
            "BULK_CONNECTIONS": str(self.bulk_connections),
            "COMPRESSION": self.compression,
            "REQUEST_TIMEOUT_SECONDS": str(self.request_timeout_seconds),
        }


@dataclass(frozen=True, slots=True)
class Consumer:
    """One event source mapping: when it begins and restarts (counted in invocations), and how often it regroups."""

    stream: int
    batch_size: int
    parallelization_factor: int
    bisects: bool
    regroups: float
    begins_after: int
    restarts_after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """All that a run needs.

    With `streams_overlap`, consumers of a new stream don't wait until the old stream is done. Then its first write
    comes so much later that no clock can date it earlier: no order is promised between the records of two streams."""

    seed: int
    prefix: str
    settings: Settings
    history: History
    consumers: tuple[Consumer, ...]
    streams_overlap: bool
    faults: Faults
    projections: tuple[Projection, ...] = ()
    """Without any, there is one index of whole items."""


@dataclass(frozen=True, slots=True)
class Temper:
    """What the schedules of one kind vary, and the values to choose from."""

    keys: tuple[int, ...]
    most_writes: int
    clocks: int
    leader_moves: tuple[float, ...]
    pauses: tuple[float, ...]
    poison: tuple[float, ...]
    streams: tuple[int, ...]
    batch_sizes: tuple[int, ...]
    parallelization_factors: tuple[int, ...]
    regroups: tuple[float, ...]
    restarts: tuple[int, ...]
    faults: tuple[Fault, ...]
    fault_kinds: tuple[int, ...]
    fault_rates: tuple[float, ...]
    fault_budgets: tuple[int, ...]
    outages: tuple[int, ...]


# A little of everything. Half of these use only a few kinds of fault, so that the same kinds often meet.
BROAD = Temper(
    keys=(2, 3, 4, 5, 6),
    most_writes=60,
    clocks=3,
    leader_moves=(0, 0.2),
    pauses=(0.05, 0.1, 0.3),
    poison=(0, 0, 0, 0.15),
    streams=(1, 1, 2),
    batch_sizes=(1, 2, 3, 5, 10, 100),
    parallelization_factors=(1, 1, 2, 3),
    regroups=(0, 0.1),
    restarts=(0, 0, 1, 2),
    faults=tuple(Fault),
    fault_kinds=(1, 2, 3, 5, len(Fault), len(Fault), len(Fault), len(Fault)),
    fault_rates=(0, 0.1, 0.3, 0.6),
    fault_budgets=(5, 15, 30),
    outages=(0, 0, 30),
)
# Few items, written fast under clocks that disagree; batches that keep changing; writes whose outcome is unknown.
HOSTILE = Temper(
    keys=(1, 2),
    most_writes=12,
    clocks=3,
    leader_moves=(0.8,),
    pauses=(0, 0.05),
    poison=(0,),
    streams=(1, 1, 1, 2),
    batch_sizes=(2, 3, 4, 6),
    parallelization_factors=(1,),
    regroups=(0.2, 0.5, 0.9),
    restarts=(0, 0, 1, 2),
    faults=(Fault.HELD, Fault.KILL_HELD, Fault.RESET_AFTER, Fault.KILL_AFTER, Fault.HALF_DONE, Fault.ITEMS_BUSY),
    fault_kinds=(1, 2, 3),
    fault_rates=(0.2, 0.35, 0.5),
    fault_budgets=(25,),
    outages=(0,),
)
# The shortest stories that can go wrong, one in each lane: a few writes whose stamps go up and down, a request that
# lands last, a retry with more or fewer records.
TRAP = replace(
    HOSTILE,
    keys=(4,),
    most_writes=16,
    leader_moves=(1,),
    clocks=2,
    pauses=(0,),
    streams=(1,),
    batch_sizes=(3, 3, 100),
    parallelization_factors=(5,),
    regroups=(0, 0.7, 1),
    restarts=(0, 0, 0, 1),
    faults=(Fault.KILL_HELD,),
    fault_kinds=(1,),
    fault_rates=(0.4,),
    fault_budgets=(6,),
)


def make_schedule(seed: int, prefix: str, *, images_only: bool = False, several: bool = False) -> Schedule:
    """Make the scenario of a seed. `prefix` begins all its partition keys, so that many schedules can share an index.

    With `images_only`, no record needs a read of the table: for handlers that can't read it. With `several`, there are
    several indices, and most records have both images."""
    rng = random.Random(seed)
    projections = projections_of.choose(rng, prefix) if several else ()
    temper = rng.choice((BROAD, HOSTILE, TRAP))
    faults = _choose_faults(rng, temper)
    settings = Settings(
        conflict_window_seconds=rng.choice((10, 10, 30, 60)),
        bulk_actions=rng.choice((1, 2, 5, 250)),
        bulk_connections=rng.choice((1, 1, 1, 2)),
        compression=rng.choice(("none", "none", "gzip")),
        # Only planned time-outs: others would strike whenever the machine is busy.
        request_timeout_seconds=1 if _HANGS & faults else 20,
        skip_unchanged=several and rng.random() < 0.6,
    )
    shape = Shape(
        prefix=prefix,
        keys=rng.choice(temper.keys),
        most_writes=temper.most_writes,
        conflict_window_seconds=settings.conflict_window_seconds,
        clocks=temper.clocks,
        leader_moves=rng.choice(temper.leader_moves),
        pauses=rng.choice(temper.pauses),
        poison=rng.choice(temper.poison),
        moving=several,
    )
    view_types = [v for v in VIEW_TYPES if not images_only or "NEW" in v]
    if several:
        view_types += ["NEW_AND_OLD_IMAGES"] * 5
    streams_overlap = rng.random() < 0.5
    history = make_history(
        rng,
        shape,
        tuple(rng.choice(view_types) for _ in range(rng.choice(temper.streams))),
        switch_seconds=settings.conflict_window_seconds if streams_overlap else 0,
    )
    consumers = [_make_consumer(rng, temper, stream) for stream in range(len(history.streams))]
    if rng.random() < 0.35:
        second = _make_consumer(rng, temper, rng.randrange(len(history.streams)))
        consumers.append(replace(second, begins_after=rng.randint(0, 15)))
    largest = max((_largest_action(change.item) for change in history.changes if change.item), default=0)
    return Schedule(
        seed,
        prefix,
        settings,
        history,
        tuple(consumers),
        streams_overlap,
        Faults(
            rate=rng.choice(temper.fault_rates),
            budget=rng.choice(temper.fault_budgets),
            weights={fault: 1 if fault in _HANGS else 3 for fault in Fault if fault in faults},
            read_rate=rng.choice((0.0, 0.1, 0.4)),
            outage_requests=rng.choice(temper.outages),
            max_body_bytes=largest + rng.randint(0, 1000) if rng.random() < 0.15 else None,
            only_index=rng.choice((None, rng.choice(projections).name)) if projections else None,
        ),
        projections,
    )


# Each takes the client's whole time-out, in real time.
_HANGS = {Fault.HANG, Fault.HANG_HELD}


def _choose_faults(rng: random.Random, temper: Temper) -> set[Fault]:
    faults = set(rng.sample(temper.faults, min(rng.choice(temper.fault_kinds), len(temper.faults))))
    return faults if rng.random() < 0.4 else faults - _HANGS or faults


def _make_consumer(rng: random.Random, temper: Temper, stream: int) -> Consumer:
    return Consumer(
        stream=stream,
        batch_size=rng.choice(temper.batch_sizes),
        parallelization_factor=rng.choice(temper.parallelization_factors),
        bisects=rng.random() < 0.6,
        regroups=rng.choice(temper.regroups),
        begins_after=0,
        restarts_after=tuple(sorted(rng.randint(1, 20) for _ in range(rng.choice(temper.restarts)))),
    )


def _largest_action(item: Item) -> int:
    """A generous guess at the bytes of an item's bulk action: no document of a schedule is too large by itself."""
    return 500 + 2 * len(str(item))
