"""One index of a sync as a comparison sees it: what it must hold, how it is read, and where its documents are."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.documents import Place
from dynamodb_opensearch.core.errors import ConfigurationError, RefusedError
from dynamodb_opensearch.core.projections import Projection
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.opensearch.layout import Layout
from dynamodb_opensearch.opensearch.reader import Reader


@dataclass(frozen=True, slots=True)
class Side:
    """One index."""

    projection: Projection
    reader: Reader
    layout: Layout
    """The layout when the job began."""

    @property
    def name(self) -> str:
        """The name under which the sync writes: the index's own, or an alias."""
        return self.projection.index


def homes_of(readers: Iterable[Reader], deadline: Deadline) -> dict[str, str]:
    """Return the indices that are written to under these names, each with its name, if they exist.

    Raises:
        OutOfTimeError: OpenSearch was busy or down until the deadline.
    """
    homes = {}
    for reader in readers:
        with suppress(ConfigurationError, RefusedError):
            homes[reader.resolve(deadline).index] = reader.name
    return homes


@dataclass(frozen=True, slots=True)
class Sides:
    """All indices that a job works on."""

    by_index: Mapping[str, Side]
    """By the index that is written to, and by the others behind its alias: the places of documents name these."""

    @classmethod
    def resolve(cls, sync: Sync) -> "Sides":
        """Look up where the names lead to now.

        Raises:
            ConfigurationError: an index doesn't exist, can't be written to, or is written to under two names.
        """
        readers = [(projection, sync.reader(index)) for index, projection in sync.projections.items()]
        sides = [Side(projection, reader, reader.resolve(sync.deadline())) for projection, reader in readers]
        return cls.of_all(sides, homes_of(map(sync.reader, sync.settings.unselected), sync.deadline()))

    @classmethod
    def of_all(cls, sides: Sequence[Side], siblings: Mapping[str, str]) -> "Sides":
        """All sides that a job works on.

        Args:
            siblings: the sync's other indices: the index that is written to -> its name in the sync.

        Raises:
            ConfigurationError: an index is written to under two names.
        """
        homes: dict[str, Side] = {}
        for side in sides:
            index = side.layout.index
            other = homes.setdefault(index, side).name
            if other != side.name or index in siblings:
                raise ConfigurationError(
                    f"{siblings.get(index, other)} and {side.name} both lead to {index}: each needs an index of its "
                    "own, or each would delete the other's documents"
                )
        behind = {name: side for side in sides for name in side.layout.others if name not in homes}
        return cls(homes | behind)

    @classmethod
    def of_one(cls, side: Side) -> "Sides":
        """One index, with the others behind its alias."""
        return cls(dict.fromkeys((*side.layout.others, side.layout.index), side))

    def __iter__(self) -> Iterator[Side]:
        """Each once, in the order of the settings."""
        return (side for index, side in self.by_index.items() if index == side.layout.index)

    def check_comparable(self) -> None:
        """Refuse an index whose documents can't be compared with items; see ``Layout.check_comparable``."""
        for side in self:
            side.layout.check_comparable()

    def names(self) -> dict[str, str]:
        """Each index's name in the sync: by itself, by the index that is written to, and by others behind its alias."""
        return {index: side.name for index, side in self.by_index.items()} | {side.name: side.name for side in self}

    def of(self, place: Place) -> Side:
        """The side that a place belongs to."""
        return self.by_index[place.index]

    def others(self) -> tuple[str, ...]:
        """The indices behind the aliases that aren't written to."""
        return tuple(sorted(index for index, side in self.by_index.items() if index != side.layout.index))

    def digest(self, others: Sequence[str] = ()) -> str:
        """A short text that changes as soon as a name leads to another index, or an index is to hold something else.

        Args:
            others: further indices that it depends on.
        """
        texts = [
            f"{side.layout.digest([index for index in others if index in side.layout.others])} {side.projection.digest}"
            for side in self
        ]
        return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]
