"""An invocation under way: the sandbox that it runs in, and the requests that wait there."""

from dataclasses import dataclass, field

from simulation.network import Door, Request
from simulation.poller import Batch, EventSourceMapping, Lane
from simulation.proxy import Effect, Fate
from simulation.sandbox import Sandbox


@dataclass(eq=False, slots=True)
class Room:
    """A sandbox, its door to the network, and the requests that wait there."""

    sandbox: Sandbox
    door: Door
    waiting: list[Request] = field(default_factory=list)
    undelivered: list[tuple[Request, Effect]] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Invocation:
    """One run of the function. A restarted poller may have abandoned its lane."""

    name: str
    room: Room
    mapping: EventSourceMapping
    lane: Lane
    batch: Batch
    began: float

    @property
    def has_turn(self) -> bool:
        """Whether one of its requests waits to be handled or answered."""
        return bool(self.room.waiting) or any(effect.fate is not Fate.HANGS for _, effect in self.room.undelivered)

    @property
    def is_busy(self) -> bool:
        """Whether it computes, sleeps or hangs, and will send or return soon."""
        return not self.has_turn or any(effect.fate is Fate.HANGS for _, effect in self.room.undelivered)
