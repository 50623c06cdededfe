"""The form that all jobs share: a plan of units, each done step by step, so that it can stop and go on anywhere.

Who runs a unit is not a job's concern: a process of the command line's, or one call of the operator function.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from dynamodb_opensearch.jobs.sync import Sync

HOW: Mapping[str, Any] = {"how": True}
"""Metadata of a job's field that doesn't change what the job does, only how: another run may go on with another."""

Unit = str
"""A part of a job that one worker does: ``segment 3 of 100``, ``shard 0 of products``, the key of a data file."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a unit did, a page of it as a rule. Once it is recorded, the step is never done again."""

    position: Any
    """Where the unit goes on, as JSON holds it; None: it is done."""
    counts: Counter[str] = field(default_factory=Counter)
    findings: Sequence[Mapping[str, Any]] = ()
    """What must be told one by one, as JSON holds it: differences, documents that OpenSearch refused."""
    notices: Counter[str] = field(default_factory=Counter)
    """What is worth knowing and no difference, in words -> how often."""
    is_intent: bool = False
    """Whether nothing is done yet, and the position tells what is about to be."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A unit has nothing to do for a while. Whoever runs it may do another one meanwhile."""

    until: float
    """By ``time.monotonic``."""

    @property
    def seconds(self) -> float:
        """What is left of it."""
        return max(self.until - time.monotonic(), 0)


class Job(Protocol):
    """A job's settings; they can be pickled, and made from JSON."""

    def plan(self, sync: Sync) -> Sequence[Unit]:
        """All units, to be done in any order and at the same time."""

    def run(self, sync: Sync, unit: Unit, position: Any) -> Iterator[Step | Pause]:
        """Do a unit from a position on, None: from its start. Each step may be repeated without harm.

        Whoever runs it notes each step before it asks for the next one.

        Raises:
            ConfigurationError: somebody must change something first.
            OutOfTimeError: a side was busy or down for too long; to be repeated from the last step's position.
        """


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of a parallel scan, as a unit."""

    number: int
    total: int

    def __str__(self) -> str:
        return f"segment {self.number} of {self.total}"

    @classmethod
    def parse(cls, unit: Unit) -> "Segment":
        """The inverse of ``str``."""
        _, number, _, total = unit.split()
        return cls(int(number), int(total))
