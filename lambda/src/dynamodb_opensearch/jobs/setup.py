"""Creates the pair's index as a job, where no command line reaches OpenSearch: in a VPC, from the operator function."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dynamodb_opensearch.jobs.definition import Definition, create
from dynamodb_opensearch.jobs.mapping import infer, sample
from dynamodb_opensearch.jobs.pair import Pair, describe_table
from dynamodb_opensearch.jobs.work import Step, Unit


@dataclass(frozen=True, slots=True)
class CreateIndex:
    """From a definition, or from what items of the table look like."""

    definition: Definition | None = None
    """None: a mapping is proposed from a sample."""
    name: str | None = None
    """Of the index, if the pair's is to be an alias of it."""
    items: int = 1000
    """Of the sample."""
    dynamic: bool = False
    """See ``mapping.infer``."""

    def plan(self, pair: Pair) -> Sequence[Unit]:
        """There is one index to be made."""
        del pair
        return ["index"]

    def run(self, pair: Pair, unit: Unit, position: Any) -> Iterator[Step]:
        """One step, which tells each field of a proposed mapping. See ``work.Job.run``."""
        del unit, position
        definition, notes = self.definition, list[dict[str, Any]]()
        if definition is None:
            proposal = infer(sample(pair, self.items), pair.key_types, dynamic=self.dynamic)
            definition = Definition(proposal.mappings, {}, {})
            notes = [{"kind": "proposed", **asdict(note)} for note in proposal.notes]
        size = describe_table(pair.dynamodb, pair.settings.table_name).size_bytes
        made = create(pair, definition.with_defaults(table_bytes=size, service=pair.settings.service), self.name)
        yield Step(None, Counter(created=1), [*notes, {"kind": "created", "index": made.index, "alias": made.alias}])
