"""cli/status: where the event source mapping follows an alias, which has a name of its own there and nowhere else."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from dynamodb_opensearch.cli.status.status import EventSourceMapping, Observer, Part, _part
from dynamodb_opensearch.settings import read_settings

SETTINGS = read_settings(
    {
        "OPENSEARCH_ENDPOINT": "http://127.0.0.1:9",
        "OPENSEARCH_AUTH": "none",
        "AWS_REGION": "us-east-1",
        "TABLE_NAME": "products",
        "TABLE_KEYS": "pk",
        "INDEX": "products",
    }
)
FOLLOWED = "no event source mapping follows sync itself, but one follows its alias live: give --function sync:live"


def list_event_source_mappings(FunctionName: str) -> dict[str, Any]:  # noqa: N803
    """Lambda lists only those of exactly the name that it is asked for."""
    trigger = {"UUID": "u-1", "State": "Enabled", "LastProcessingResult": "OK", "StateTransitionReason": "User action"}
    return {"EventSourceMappings": [trigger] if FunctionName == "sync:live" else []}


def list_aliases(FunctionName: str) -> dict[str, Any]:  # noqa: N803
    if FunctionName != "sync":
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "ListAliases")
    return {"Aliases": [{"Name": "old"}, {"Name": "live"}]}


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("sync:live", Part([EventSourceMapping("u-1", "Enabled", "OK", "User action")])),
        ("sync", Part(problem=FOLLOWED, broken=True)),
        ("sync:old", Part([])),
        ("unreadable", Part([])),
    ],
)
def test_the_alias_that_the_trigger_follows_is_named(named: str, expected: Part[Any]) -> None:
    observer = Observer(SETTINGS, named, None)
    observer._aws["lambda"] = SimpleNamespace(
        list_event_source_mappings=list_event_source_mappings, list_aliases=list_aliases
    )
    assert _part(observer._mappings) == expected


def test_an_alias_has_the_functions_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    observer = Observer(SETTINGS, "sync:live", None)
    ages = {("AWS/Lambda", "IteratorAge", "sync"): 300.0}
    monkeypatch.setattr(observer, "_latest", lambda space, name, by: ages[space, name, by["FunctionName"]])
    assert observer._iterator_age() == 0.3
