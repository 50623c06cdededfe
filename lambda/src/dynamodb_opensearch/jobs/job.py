"""What all jobs have in common: a plan of units, each done in steps, so that it can stop and continue anywhere.

A job doesn't know what runs its units: processes of the command, or invocations of the operator.
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
"""Metadata of a field that doesn't change what the job does: a run may continue another's work with another value."""


def identity_of(job: Any) -> dict[str, Any]:
    """Return the values, as JSON holds them, that must be equal for a run to continue another's work."""
    values = {setting.name: getattr(job, setting.name) for setting in fields(job) if setting.metadata != NO_IDENTITY}
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return identity_of(value)
    return str(value) if isinstance(value, Path) else value


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a unit did, usually one page. Once it is recorded, the step isn't repeated."""

    position: Any
    """Where the unit continues, as JSON holds it; None: it is done."""
    counts: Counter[str] = field(default_factory=Counter)
    findings: Sequence[Mapping[str, Any]] = ()
    """What is reported one by one, as JSON holds it: differences, refusals, failures that are kept."""
    notices: Counter[str] = field(default_factory=Counter)
    """What is worth knowing but isn't a difference, in words -> how often."""
    is_intent: bool = False
    """Whether nothing is done yet, and the position says what is about to be done."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A unit has nothing to do for a while. Its runner may do another unit meanwhile."""

    until: float
    """The end of the pause, by ``time.monotonic``."""

    @property
    def seconds(self) -> float:
        """The time that is left of it."""
        return max(self.until - time.monotonic(), 0)


class Job(Protocol):
    """A job's settings. They can be pickled, and read from JSON."""

    def plan(self, sync: Sync) -> Sequence[Unit]:
        """All units. They may be done in any order, and in parallel."""

    def run(self, sync: Sync, unit: Unit, position: Any) -> Iterator[Step | Pause]:
        """Do a unit from a position on; None: from its start. A step may be repeated without harm.

        The runner notes each step before it asks for the next one.

        Raises:
            ConfigurationError: something must be changed first.
            OutOfTimeError: the table or OpenSearch was busy or down for too long: repeat from the last step's position.
        """
