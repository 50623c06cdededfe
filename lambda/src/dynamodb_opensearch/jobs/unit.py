"""The units that jobs are divided into: each can be hashed, sent as JSON, and named in messages."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dynamodb_opensearch.opensearch.reader import Shard


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of a parallel scan."""

    number: int
    total: int
    layout: str = ""
    """The digest of what the job depends on, such as the index's layout, when it was planned; empty if on nothing."""

    def __str__(self) -> str:
        return f"segment {self.number} of {self.total}"


@dataclass(frozen=True, slots=True)
class ShardPart:
    """A shard of an index, or a part of one."""

    index: str
    number: int
    first: int
    layout: str
    last: int | None = None

    def __str__(self) -> str:
        return str(self.shard)

    @property
    def shard(self) -> Shard:
        """The part of the shard to read."""
        return Shard(self.index, self.number, self.first, self.last)


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A data file of an export."""

    export: str
    """The S3 URL of the export's folder."""
    key: str
    lines: int
    layout: str = ""
    """As in a segment."""

    def __str__(self) -> str:
        return f"{self.key} of {self.export}"


@dataclass(frozen=True, slots=True)
class Whole:
    """Something that isn't divided: the messages of a queue, an object of a bucket, a report, an index."""

    name: str

    def __str__(self) -> str:
        return self.name


Unit = Segment | ShardPart | ExportFile | Whole
"""A part of a job that one worker does."""

_KINDS: Mapping[str, type[Unit]] = {"segment": Segment, "shard": ShardPart, "file": ExportFile, "whole": Whole}


def to_json(unit: Unit) -> dict[str, Any]:
    """Return the unit as JSON holds it: ``{"kind": "segment", "number": 3, "total": 100}``."""
    kind = next(kind for kind, unit_type in _KINDS.items() if isinstance(unit, unit_type))
    return {"kind": kind, **{name: value for name, value in asdict(unit).items() if value not in ("", None)}}


def read_unit(value: Any) -> Unit:
    """Read a unit: the inverse of ``to_json``.

    Raises:
        ValueError: it isn't a unit, or is a unit of another version.
    """
    try:
        members = dict(value)
        return _KINDS[members.pop("kind")](**members)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ValueError(f"{value!r:.200} isn't a unit of this version") from None
