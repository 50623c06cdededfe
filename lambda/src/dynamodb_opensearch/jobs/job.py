"""The form that all jobs share: a plan of units, each done step by step, so that it can stop and go on anywhere.

Who runs a unit is not a job's concern: a process of the command line's, or one call of the operator function.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Protocol

from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.unit import Unit

NO_IDENTITY: Mapping[str, Any] = {"no identity": True}
"""Metadata of a job's field that doesn't change what the job does: another run may go on with another value."""


def identity_of(job: Any) -> dict[str, Any]:
    """What a run must be equal in to go on with another's work, as JSON holds it."""
    values = {one.name: getattr(job, one.name) for one in fields(job) if one.metadata != NO_IDENTITY}
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return identity_of(value)
    return str(value) if isinstance(value, Path) else value


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
