"""Results of commands that worked on several indices, without a table or an OpenSearch."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dynamodb_opensearch.cli.run.checkpoint import Checkpoint
from dynamodb_opensearch.cli.run.survey import IndexSurvey, Survey
from dynamodb_opensearch.cli.run.task import Result, Task
from dynamodb_opensearch.cli.target.configuration import Configuration
from dynamodb_opensearch.dynamodb.description import TableDescription
from dynamodb_opensearch.jobs.job import Step
from dynamodb_opensearch.jobs.unit import Whole
from dynamodb_opensearch.jobs.verify import Verify
from dynamodb_opensearch.opensearch.layout import Layout, read_layout
from fakes.settings import settings

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/products"
INDICES = {
    "orders": {"when": [{"attribute": "type", "equals": ["order"]}]},
    "customers": {"exclude": ["secret"]},
    "lines": {"standby": True},
}


def configured(indices: Mapping[str, Any] | None = None) -> Configuration:
    """A sync with these indices, or with one index of whole items."""
    if indices is None:
        return Configuration(settings(), holds={"products": {}})
    return Configuration(settings(INDEX="", INDICES=json.dumps(indices)), holds=indices)


def layout(name: str, *, home: str = "", others: Sequence[str] = (), uuid: str = "") -> Layout:
    """An index, or an alias that writes to ``home`` and covers others."""
    home = home or name

    def described(index: str) -> Mapping[str, Any]:
        aliases = {} if home == name else {name: {"is_write_index": index == home}}
        own = {"uuid": uuid or f"uuid of {index}", "number_of_shards": "1"}
        return {"aliases": aliases, "mappings": {}, "settings": {"index": own}}

    return read_layout(name, json.dumps({index: described(index) for index in (home, *others)}))


def surveyed(configuration: Configuration, layouts: Mapping[str, Layout] | None = None) -> Survey:
    """Both sides at one moment; an index without a layout of its own is no alias."""
    found = {index: layout(index) for index in configuration.settings.indices} | dict(layouts or {})
    projections = configuration.settings.projections
    indices = tuple(IndexSurvey(projection, found[projection.index], 6) for projection in projections)
    return Survey(configuration, TableDescription(TABLE, None, {"pk": "S"}, "a table", 6, 0), indices)


def result(
    folder: Path,
    counts: Mapping[str, int],
    findings: Sequence[Mapping[str, Any]] = (),
    *,
    notices: Mapping[str, int] | None = None,
    found: Survey | None = None,
    name: str = "verify",
    done: bool = True,
) -> Result:
    """What is left of a run that counted and found this."""
    checkpoint = Checkpoint(folder / "checkpoint.jsonl", {})
    unit = Whole("all")
    checkpoint.begin([unit])
    checkpoint.record(unit, Step(None, Counter(counts), list(findings), Counter(notices or {})))
    checkpoint.close()
    found = found or surveyed(configured(INDICES))
    return Result(Task(name, Verify(1), None), found, checkpoint, done, 1.0)


def difference(index: str, number: int, kind: str = "missing") -> dict[str, Any]:
    keys = {"pk": {"S": f"id-{number}"}}
    common = {"index": index, "id": f"id-{number}", "routing": None, "keys": keys, "version": None}
    return {"kind": kind, **common, "fields": []}
