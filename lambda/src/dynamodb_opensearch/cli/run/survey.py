"""Describes the table and the index before a job begins: whether both can be used, and which they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dynamodb_opensearch.cli.output import counted, stderr, warn
from dynamodb_opensearch.cli.run.progress import waiting
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError, OutOfTimeError, RefusedError, SyncError
from dynamodb_opensearch.dynamodb import wire
from dynamodb_opensearch.dynamodb.description import TableDescription, describe_table
from dynamodb_opensearch.opensearch.client import Client
from dynamodb_opensearch.opensearch.layout import Layout
from dynamodb_opensearch.opensearch.reader import Reader
from dynamodb_opensearch.settings import Settings

_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Survey:
    """Both sides of a sync, at one moment."""

    settings: Settings
    table: TableDescription
    layout: Layout
    documents: int
    """Number of documents in the index that is written to."""
    elsewhere: Mapping[str, int | None] = field(default_factory=dict)
    """Other indices behind the alias, each with its number of documents; None if they can't be counted."""

    def identity(self) -> dict[str, Any]:
        """What must be equal for another run to resume this one.

        A table or an index that was deleted and recreated under its name isn't the one that the work was done on.
        """
        return {
            "table": self.table.arn,
            "tableId": self.table.table_id,
            "index": self.settings.index,
            "indexUuid": self.layout.uuid,
            "routing": self.layout.routing,
            "endpoint": self.settings.endpoint,
        }

    def notices(self, others: Sequence[str] = ()) -> list[str]:
        """List what a comparison doesn't cover, or what may be surprising about it.

        Args:
            others: indices behind the alias that are compared too.
        """
        layout, alias = self.layout, self.layout.name
        notices = [
            f"not compared: {index} ({_size(size)}), which the alias {alias} covers too, but this sync doesn't write "
            f"to; --other-index {index} compares it"
            for index, size in self.elsewhere.items()
            if index not in others
        ]
        if layout.is_filtered:
            notices.append(f"the alias {alias} has a filter: all documents are compared, but searches find only some")
        if not layout.kept.is_whole:
            notices.append(f"{layout.index} keeps only a part of each document ({layout.kept}): only that is compared")
        if layout.pipelines:
            pipelines = ", ".join(layout.pipelines)
            notices.append(f"{layout.index} sends documents through {pipelines}: changes it makes count as differences")
        return notices


def survey(settings: Settings) -> Survey:
    """Ask the table and the index.

    Raises:
        ConfigurationError: one of them can't be used.
    """
    with waiting(stderr(), "asking the table and the index"):
        table, reader = _sides(settings)
        deadline = Deadline.after(_PATIENCE_SECONDS)
        try:
            layout = reader.resolve(deadline)
            elsewhere = {index: _count_or_none(reader, index, deadline) for index in layout.others}
            return Survey(settings, table, layout, reader.count(layout.index, deadline), elsewhere)
        except OutOfTimeError as error:
            raise ConfigurationError(
                f"OpenSearch can't be reached: {error}; check --endpoint, and that this machine may reach it (VPN, "
                "security groups, the domain's access policy)"
            ) from None


def check_unmoved(before: Survey) -> None:
    """Check that the table and the index are still the same, so that all work was done on them.

    Raises:
        ConfigurationError: one was recreated, or the alias was switched.
    """
    try:
        table, reader = _sides(before.settings)
        after = replace(before, table=table, layout=reader.resolve(Deadline.after(60)))
    except SyncError as error:  # hours of finished work aren't thrown away for that
        warn(f"couldn't check whether the table or the index was recreated meanwhile: {error}")
        return
    for name, was in before.identity().items():
        if (now := after.identity()[name]) != was:
            raise ConfigurationError(
                f"while this ran, the table or the index was recreated, or the alias switched ({name} was {was!r}, is "
                f"{now!r}): the result means nothing; run it again"
            )


def _sides(settings: Settings) -> tuple[TableDescription, Reader]:
    reader = Reader(Client(settings, connections=1), settings.index, settings.request_timeout_seconds)
    return describe_table(wire.connect(connections=1), settings.table_name), reader


def _count_or_none(reader: Reader, index: str, deadline: Deadline) -> int | None:
    """Count an index's documents; None if it is closed, or we may not read it: it may be another sync's."""
    try:
        return reader.count(index, deadline)
    except (RefusedError, ConfigurationError):
        return None


def _size(documents: int | None) -> str:
    return "closed, or not readable" if documents is None else counted(documents, "document")
