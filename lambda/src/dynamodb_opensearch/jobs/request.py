"""Reads a job from JSON: ``{"type": "backfill", "segments": 100}``. Wrong values and unknown members are refused."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.dynamodb.scan import MAXIMUM_SEGMENTS
from dynamodb_opensearch.jobs.backfill import Backfill
from dynamodb_opensearch.jobs.create_index import CreateIndex
from dynamodb_opensearch.jobs.job import Job
from dynamodb_opensearch.jobs.load import Load
from dynamodb_opensearch.jobs.redrive import Redrive
from dynamodb_opensearch.jobs.repair import Repair
from dynamodb_opensearch.jobs.verify import Verify
from dynamodb_opensearch.opensearch.definition import Definition

SEGMENTS = 100
"""Units of a scan, by default."""


@dataclass(frozen=True, slots=True)
class Request:
    """A job, and how to run it."""

    job: Job
    read_units_per_second: float | None
    """The limit of all units together."""
    page_items: int | None
    indices: tuple[str, ...] = ()
    """The indices that it works on; empty: all of the sync."""


def read_request(value: Any, dead_letter_arn: str | None) -> Request:
    """Return the job that the JSON asks for.

    Args:
        dead_letter_arn: the default source of a redrive.

    Raises:
        ConfigurationError: it isn't a job. The text names the wrong value and what is allowed.
    """
    if not isinstance(value, Mapping):
        raise ConfigurationError(f'the job is {value!r}: it must be an object such as {{"type": "backfill"}}')
    read = _Reader(value)
    kind = read.choice("type", tuple(_JOBS))
    job = _JOBS[kind](read, dead_letter_arn)
    request = Request(
        job,
        read.number("readUnitsPerSecond", None, 1, 10_000_000),
        read.whole_or_none("pageItems", 1, 100_000),
        tuple(read.names("indices", "a list of names of the sync's indices")),
    )
    read.end(kind)
    return request


class _Reader:
    """Reads the members of an object, each as a value of some kind."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self._value = value
        self._known: set[str] = set()

    def get(self, name: str, default: Any, allowed: str, is_fine: Callable[[Any], bool]) -> Any:
        """Return a member's value, or its default; ``...`` as the default: the member is required."""
        self._known.add(name)
        value = self._value.get(name, default)
        if value is ...:
            raise ConfigurationError(f"the job has no {name}: it must be {allowed}")
        if name in self._value and not is_fine(value):
            raise ConfigurationError(f"the job's {name} is {value!r}: it must be {allowed}")
        return value

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        return str(self.get(name, ..., f"one of {', '.join(allowed)}", allowed.__contains__))

    def whole(self, name: str, default: int, minimum: int, maximum: int) -> int:
        found = self.get(name, default, f"a whole number from {minimum} to {maximum}", _is_whole(minimum, maximum))
        return int(found)

    def whole_or_none(self, name: str, minimum: int, maximum: int) -> int | None:
        allowed = f"a whole number from {minimum} to {maximum}"
        found: int | None = self.get(name, None, allowed, _is_whole(minimum, maximum))
        return found

    def number(self, name: str, default: float | None, minimum: float, maximum: float) -> Any:
        def is_fine(value: Any) -> bool:
            return isinstance(value, int | float) and not isinstance(value, bool) and minimum <= value <= maximum

        return self.get(name, default, f"a number from {minimum} to {maximum}", is_fine)

    def boolean(self, name: str, *, default: bool = False) -> bool:
        return bool(self.get(name, default, "true or false", lambda value: isinstance(value, bool)))

    def text(self, name: str, default: Any, allowed: str) -> Any:
        return self.get(name, default, allowed, lambda value: isinstance(value, str) and value != "")

    def names(self, name: str, allowed: str) -> Sequence[str]:
        def is_fine(value: Any) -> bool:
            return isinstance(value, list) and all(isinstance(name, str) and name for name in value)

        found: Sequence[str] = self.get(name, [], allowed, is_fine)
        return found

    def end(self, kind: str) -> None:
        """Refuse members that weren't read: a misspelt one would silently have its default."""
        if unknown := sorted(self._value.keys() - self._known):
            known = ", ".join(sorted(self._known - {"type"}))
            raise ConfigurationError(f"the job has {', '.join(unknown)}: {kind} takes {known}")


def _is_whole(minimum: int, maximum: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and minimum <= value <= maximum


def _backfill(read: _Reader, _: str | None) -> Job:
    return Backfill(_segments(read), recheck=read.boolean("recheck", default=True))


def _verify(read: _Reader, _: str | None) -> Job:
    return Verify(
        _segments(read),
        percent=float(read.number("percent", 100, 0.001, 100)),
        seed=read.whole("seed", 0, 0, 2**31),
        patience_seconds=_patience_seconds(read),
        others=_others(read),
    )


def _repair(read: _Reader, _: str | None) -> Job:
    return Repair(Verify(_segments(read), patience_seconds=_patience_seconds(read), others=_others(read)))


def _segments(read: _Reader) -> int:
    return read.whole("segments", SEGMENTS, 1, MAXIMUM_SEGMENTS)


def _patience_seconds(read: _Reader) -> float:
    return float(read.number("patienceSeconds", 10, 0, 120))


def _others(read: _Reader) -> tuple[str, ...]:
    return tuple(read.names("otherIndices", "a list of names of indices behind the alias"))


def _load(read: _Reader, _: str | None) -> Job:
    def is_fine(value: Any) -> bool:
        return isinstance(value, list) and bool(value) and all(isinstance(export, str) for export in value)

    exports = read.get("exports", ..., "a list of exports' ARNs or S3 URLs", is_fine)
    return Load(tuple(exports), recheck=read.boolean("recheck", default=True))


def _redrive(read: _Reader, dead_letter_arn: str | None) -> Job:
    allowed = "the ARN of an SQS queue or S3 bucket; the function's own if DEAD_LETTER_ARN is set"
    return Redrive(
        read.text("source", dead_letter_arn or ..., allowed),
        drop_expired=read.boolean("dropExpired"),
        drop_keyless=read.boolean("dropKeyless"),
    )


def _create_index(read: _Reader, _: str | None) -> Job:
    given = read.get("definition", None, "an object", lambda value: isinstance(value, dict))
    return CreateIndex(
        None if given is None else Definition.parse(given, "the job's definition"),
        read.text("name", None, "an index name"),
        read.whole("items", 1000, 1, 100_000),
        dynamic=read.boolean("dynamic"),
    )


_JOBS: Mapping[str, Callable[[_Reader, str | None], Job]] = {
    "backfill": _backfill,
    "verify": _verify,
    "repair": _repair,
    "load": _load,
    "redrive": _redrive,
    "create-index": _create_index,
}
