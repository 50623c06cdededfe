"""Creates the sync's index as a job of the operator, for an OpenSearch in a VPC that the command can't reach."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

from dynamodb_opensearch.core.items import Item
from dynamodb_opensearch.dynamodb.description import describe_table
from dynamodb_opensearch.jobs.job import Step
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.unit import Unit, Whole
from dynamodb_opensearch.opensearch.definition import Definition
from dynamodb_opensearch.opensearch.mapping import infer

_SEGMENTS = 20  # a sample is taken from so many parts of the table, so that it isn't one corner of it


def sample(sync: Sync, count: int) -> Iterator[Item]:
    """Yield up to ``count`` items from all over the table.

    Raises:
        ConfigurationError: the table can't be scanned.
    """
    part = -(-count // _SEGMENTS)
    scan = replace(sync.scan, page_items=part)
    for segment in range(_SEGMENTS):
        found = scan.pages(segment, _SEGMENTS, None)
        items = (item for page in found for item in page.items)
        yield from islice(items, part)


@dataclass(frozen=True, slots=True)
class CreateIndex:
    """Creates the index from a definition, or from a proposal based on a sample of the table's items."""

    definition: Definition | None = None
    """None: an index mapping is proposed from a sample."""
    name: str | None = None
    """The name of the index, if the sync writes to it through an alias."""
    items: int = 1000
    """The size of the sample."""
    dynamic: bool = False
    """See ``mapping.infer``."""

    def plan(self, sync: Sync) -> Sequence[Unit]:
        """One unit: the index."""
        del sync
        return [Whole("index")]

    def run(self, sync: Sync, unit: Unit, position: Any) -> Iterator[Step]:
        """Yield one step, which lists the fields of a proposed index mapping. See ``job.Job.run``."""
        del unit, position
        definition, notes = self.definition, list[dict[str, Any]]()
        if definition is None:
            proposal = infer(sample(sync, self.items), sync.key_types, dynamic=self.dynamic)
            definition = Definition(proposal.mappings, {}, {})
            notes = [{"kind": "proposed", **asdict(note)} for note in proposal.notes]
        size = describe_table(sync.dynamodb, sync.settings.table_name).size_bytes
        made = sync.index_admin.create(
            definition.with_defaults(table_bytes=size, service=sync.settings.service), self.name
        )
        yield Step(None, Counter(created=1), [*notes, {"kind": "created", "index": made.index, "alias": made.alias}])
