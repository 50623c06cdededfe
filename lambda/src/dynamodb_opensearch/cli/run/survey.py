"""What table and index are, asked before anything is begun: it shows whether both can be used, and which they are."""

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
    """Of the index that is written to."""
    elsewhere: Mapping[str, int | None] = field(default_factory=dict)
    """Other indices behind the alias, each with its documents; None: they can't be counted."""

    def identity(self) -> dict[str, Any]:
        """What another run must be equal in to go on with this one's work.

        A table or an index that was deleted and made anew under its name isn't the one that work was done on.
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
        """What a comparison doesn't cover, or what may surprise somebody who trusts it.

        Args:
            others: indices behind the alias that are compared, too.
        """
        layout, alias = self.layout, self.layout.name
        told = [
            f"not compared: {index} ({_size(size)}), which the alias {alias} covers, too, and this sync doesn't write "
            f"to; --other-index {index} compares it"
            for index, size in self.elsewhere.items()
            if index not in others
        ]
        if layout.is_filtered:
            told.append(f"the alias {alias} has a filter: searches find less than what is compared, which is all")
        if not layout.kept.is_whole:
            told.append(f"{layout.index} keeps only a part of each document ({layout.kept}): only that is compared")
        if layout.pipelines:
            pipelines = ", ".join(layout.pipelines)
            told.append(f"{layout.index} sends documents through {pipelines}: what it changes is named as a difference")
        return told


def survey(settings: Settings) -> Survey:
    """Ask both sides.

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
    """Whether both sides still are what they were: what was done in the meantime was done to them alone.

    Raises:
        ConfigurationError: one was made anew, or the alias was switched.
    """
    try:
        table, reader = _sides(before.settings)
        after = replace(before, table=table, layout=reader.resolve(Deadline.after(60)))
    except SyncError as error:  # what was done is done: hours of it aren't thrown away for that
        warn(f"whether table and index were made anew meanwhile couldn't be asked: {error}")
        return
    for name, was in before.identity().items():
        if (now := after.identity()[name]) != was:
            raise ConfigurationError(
                f"while this ran, the table or the index was made anew, or the alias switched ({name} was {was!r}, is "
                f"{now!r}): the result says nothing; run it again"
            )


def _sides(settings: Settings) -> tuple[TableDescription, Reader]:
    reader = Reader(Client(settings, connections=1), settings.index, settings.request_timeout_seconds)
    return describe_table(wire.connect(connections=1), settings.table_name), reader


def _count_or_none(reader: Reader, index: str, deadline: Deadline) -> int | None:
    """Another sync's index may be closed, or none of ours to read."""
    try:
        return reader.count(index, deadline)
    except (RefusedError, ConfigurationError):
        return None


def _size(documents: int | None) -> str:
    return "closed, or not ours to read" if documents is None else counted(documents, "document")
