"""Describes the table and the indices before a job begins: whether all can be used, and which they are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dynamodb_opensearch.cli.output import counted, stderr, warn
from dynamodb_opensearch.cli.run.progress import waiting
from dynamodb_opensearch.cli.target.configuration import Configuration
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError, OutOfTimeError, RefusedError, SyncError
from dynamodb_opensearch.core.projections import Projection
from dynamodb_opensearch.dynamodb import wire
from dynamodb_opensearch.dynamodb.description import TableDescription, describe_table
from dynamodb_opensearch.jobs.side import Side, Sides, homes_of
from dynamodb_opensearch.opensearch.client import Client
from dynamodb_opensearch.opensearch.layout import Layout
from dynamodb_opensearch.opensearch.reader import Reader
from dynamodb_opensearch.settings import Settings

_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class IndexSurvey:
    """One index that the command works on, at one moment."""

    projection: Projection
    layout: Layout
    documents: int
    """Number of documents in the index that is written to."""
    elsewhere: Mapping[str, int | None] = field(default_factory=dict)
    """Other indices behind the alias, each with its number of documents; None if they can't be counted."""

    @property
    def name(self) -> str:
        """The name under which the sync writes: the index's own, or an alias."""
        return self.projection.index

    def notices(self, others: Sequence[str]) -> Iterator[str]:
        """Yield what a comparison doesn't cover, or what may be surprising about it."""
        layout, alias = self.layout, self.layout.name
        for index, size in self.elsewhere.items():
            if index not in others:
                yield (
                    f"not compared: {index} ({_size(size)}), which the alias {alias} covers too, but this sync doesn't "
                    f"write to; --other-index {index} compares it"
                )
        if layout.is_filtered:
            yield f"the alias {alias} has a filter: all documents are compared, but searches find only some"
        if not layout.kept.is_whole:
            yield f"{layout.index} keeps only a part of each document ({layout.kept}): only that is compared"
        if layout.pipelines:
            pipelines = ", ".join(layout.pipelines)
            yield f"{layout.index} sends documents through {pipelines}: changes it makes count as differences"


@dataclass(frozen=True, slots=True)
class Survey:
    """All sides of a sync that a command works on, at one moment."""

    configuration: Configuration
    table: TableDescription
    indices: tuple[IndexSurvey, ...]

    @property
    def settings(self) -> Settings:
        """The sync's settings, about the indices that the command works on."""
        return self.configuration.settings

    @property
    def documents(self) -> int:
        """Number of documents in the indices that are written to."""
        return sum(index.documents for index in self.indices)

    @property
    def elsewhere(self) -> Mapping[str, int | None]:
        """Other indices behind the aliases, each with its number of documents; None if they can't be counted."""
        return {name: size for index in self.indices for name, size in index.elsewhere.items()}

    def names(self) -> Mapping[str, str]:
        """Each index's name in the sync: by itself, by the index that is written to, and by others behind its alias."""
        behind = {name: index.name for index in self.indices for name in index.layout.others}
        homes = {index.layout.index: index.name for index in self.indices}
        return behind | homes | {index.name: index.name for index in self.indices}

    def of(self, name: str) -> IndexSurvey:
        """The index with this name in the sync."""
        return next(index for index in self.indices if index.name == name)

    def identity(self) -> dict[str, Any]:
        """What must be equal for another run to resume this one.

        A table or an index that was deleted and recreated under its name isn't the one that the work was done on.
        """
        layouts = [index.layout for index in self.indices]
        routings = [layout.routing for layout in layouts]
        holds = [index.projection.identity for index in self.indices]
        return {
            "table": self.table.arn,
            "tableId": self.table.table_id,
            "index": ",".join(index.name for index in self.indices),
            "indexUuid": ",".join(layout.uuid for layout in layouts),
            "routing": ",".join(routing or "" for routing in routings) if any(routings) else None,
            "projections": ",".join(hold or "whole" for hold in holds) if any(holds) else None,
            "endpoint": self.settings.endpoint,
        }

    def notices(self, others: Sequence[str] = ()) -> list[str]:
        """List what a comparison doesn't cover, or what may be surprising about it.

        Args:
            others: indices behind the aliases that are compared too.
        """
        return list(dict.fromkeys(notice for index in self.indices for notice in index.notices(others)))


def survey(configuration: Configuration) -> Survey:
    """Ask the table and all indices that the command works on.

    Raises:
        ConfigurationError: one of them can't be used, or two names lead to one index.
    """
    settings = configuration.settings
    with waiting(stderr(), "asking the table and the index"):
        table = describe_table(wire.connect(connections=1), settings.table_name)
        client, deadline = Client(settings, connections=1), Deadline.after(_PATIENCE_SECONDS + len(settings.indices))
        try:
            sides = list(_resolved(settings, client, deadline))
            unselected = [Reader(client, name, settings.request_timeout_seconds) for name in settings.unselected]
            others = homes_of(unselected, deadline)
            Sides.of_all(sides, others)  # checks them
            siblings = {side.layout.index for side in sides} | others.keys()
            return Survey(configuration, table, tuple(_surveyed(side, siblings, deadline) for side in sides))
        except OutOfTimeError as error:
            raise ConfigurationError(
                f"OpenSearch can't be reached: {error}; check --endpoint, and that this machine may reach it (VPN, "
                "security groups, the domain's access policy)"
            ) from None


def check_unmoved(before: Survey) -> None:
    """Check that the table, the indices and what they are to hold are the same, so that all work was done on them.

    Raises:
        ConfigurationError: one was recreated, an alias was switched, or the function's configuration was changed.
    """
    settings = before.settings
    try:
        table = describe_table(wire.connect(connections=1), settings.table_name)
        sides = _resolved(settings, Client(settings, connections=1), Deadline.after(60))
        indices = tuple(replace(index, layout=side.layout) for index, side in zip(before.indices, sides, strict=True))
        after = replace(before, table=table, indices=indices)
    except SyncError as error:  # hours of finished work aren't thrown away for that
        warn(f"couldn't check whether the table or the index was recreated meanwhile: {error}")
    else:
        for name, was in before.identity().items():
            if (now := after.identity()[name]) != was:
                raise ConfigurationError(
                    f"while this ran, the table or the index was recreated, or the alias switched ({name} was {was!r}, "
                    f"is {now!r}): the result means nothing; run it again"
                )
    try:
        moved = before.configuration.moved()
    except SyncError as error:
        warn(f"couldn't check whether the function was changed meanwhile: {error}")
    else:
        if moved:
            raise ConfigurationError(f"while this ran, {moved}: the result means nothing; run it again")
    try:
        before.configuration.check_code()
    except OutOfTimeError as error:
        warn(f"couldn't check whether the transforms' code was changed meanwhile: {error}")


def check_function(configuration: Configuration) -> None:
    """Check that the indices are to hold what they were to hold when this began, before documents are deleted.

    Raises:
        ConfigurationError: they aren't, or the function can't be asked.
        OutOfTimeError: the function can't be asked now.
    """
    if moved := configuration.moved():
        raise ConfigurationError(f"while this ran, {moved}: nothing more is repaired; start again with --restart")
    configuration.check_code()


def _resolved(settings: Settings, client: Client, deadline: Deadline) -> Iterator[Side]:
    for projection in settings.projections:
        reader = Reader(client, projection.index, settings.request_timeout_seconds)
        yield Side(projection, reader, reader.resolve(deadline))


def _surveyed(side: Side, siblings: set[str], deadline: Deadline) -> IndexSurvey:
    reader, layout = side.reader, side.layout
    elsewhere = {index: _count_or_none(reader, index, deadline) for index in layout.others if index not in siblings}
    return IndexSurvey(side.projection, layout, reader.count(layout.index, deadline), elsewhere)


def _count_or_none(reader: Reader, index: str, deadline: Deadline) -> int | None:
    """Count an index's documents; None if it is closed, or we may not read it: it may be another sync's."""
    try:
        return reader.count(index, deadline)
    except (RefusedError, ConfigurationError):
        return None


def _size(documents: int | None) -> str:
    return "closed, or not readable" if documents is None else counted(documents, "document")
