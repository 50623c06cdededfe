"""Creates one of the sync's indices as a job of the operator, where the command can't reach an OpenSearch in a VPC."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

from dynamodb_opensearch.core.documents import exact
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.items import Item, unescape_name
from dynamodb_opensearch.core.projections import Faulty, Projection
from dynamodb_opensearch.dynamodb.description import describe_table
from dynamodb_opensearch.jobs.job import Step
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.unit import Unit, Whole
from dynamodb_opensearch.opensearch.definition import Definition
from dynamodb_opensearch.opensearch.mapping import Proposal, infer

_SEGMENTS = 20  # a sample is taken from so many parts of the table, so that it isn't one corner of it
_MOST_READ = 50  # items that are read for each that is wanted, if the index holds only few of them


def only(sync: Sync) -> Projection:
    """Return the one index that the job works on.

    Raises:
        ConfigurationError: there are several.
    """
    if len(sync.projections) > 1:
        raise ConfigurationError(
            f"the sync has the indices {', '.join(sync.projections)}, and this is about one of them: name it, with "
            "--index NAME or a job's indices"
        )
    [projection] = sync.projections.values()
    return projection


def propose(sync: Sync, projection: Projection, count: int, *, dynamic: bool) -> Proposal:
    """Propose an index mapping for what the index holds of up to ``count`` items from all over the table.

    Raises:
        ConfigurationError: the table can't be scanned.
    """
    shape, types = projection.shape, sync.key_types
    names = {} if projection.transform else {name: shape.field_of(name) for name in types}
    key_types = {field: types[name] for name, field in names.items() if field is not None}
    return infer(_sample(sync, projection, count), key_types, dynamic=dynamic)


def _sample(sync: Sync, projection: Projection, count: int) -> Iterator[Item]:
    """Yield the documents of some items, in the form that items have."""
    part = -(-count // _SEGMENTS)
    scan = replace(sync.scan, page_items=part if projection.is_whole else 1_000)
    for segment in range(_SEGMENTS):
        found = scan.pages(segment, _SEGMENTS, None)
        items = islice((item for page in found for item in page.items), part * _MOST_READ)
        documents = (document for item in items if (document := _document(projection, item)) is not None)
        yield from islice(documents, part)


def _document(projection: Projection, item: Item) -> Item | None:
    content = projection.project(item)
    if content is None or isinstance(content, Faulty):
        return None
    if isinstance(content, bytes):
        document = exact(content.decode())
        return {unescape_name(name): _attribute(value) for name, value in document.items()}
    constants = {name: _attribute(value) for name, value in projection.shape.constants.items()}
    return {**projection.shape.select(content), **constants}


def _attribute(value: Any) -> Mapping[str, Any]:
    """Return a document's value as an attribute value."""
    match value:
        case None:
            attribute: Mapping[str, Any] = {"NULL": True}
        case bool():
            attribute = {"BOOL": value}
        case str():
            attribute = {"S": value}
        case list():
            attribute = {"L": list(map(_attribute, value))}
        case dict():
            attribute = {"M": {unescape_name(name): _attribute(content) for name, content in value.items()}}
        case (number,):  # as ``exact`` reads it
            attribute = {"N": str(number)}
        case number:
            attribute = {"N": str(number)}
    return attribute


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
        projection, definition, notes = only(sync), self.definition, list[dict[str, Any]]()
        if definition is None:
            proposal = propose(sync, projection, self.items, dynamic=self.dynamic)
            definition = Definition(proposal.mappings, {}, {})
            notes = [{"kind": "proposed", **asdict(note)} for note in proposal.notes]
        size = describe_table(sync.dynamodb, sync.settings.table_name).size_bytes
        made = sync.index_admin(projection.index).create(
            definition.with_defaults(table_bytes=size, service=sync.settings.service), self.name
        )
        yield Step(None, Counter(created=1), [*notes, {"kind": "created", "index": made.index, "alias": made.alias}])
