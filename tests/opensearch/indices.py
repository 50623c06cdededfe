"""Indices of a sync without items: definitions, and a client that fails where it is told to."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.opensearch.client import Client
from dynamodb_opensearch.opensearch.definition import Definition
from dynamodb_opensearch.opensearch.index import IndexAdmin
from dynamodb_opensearch.settings import Settings, read_settings
from engines import OpenSearchNode


def settings_of(node: OpenSearchNode, index: str) -> Settings:
    environment = {"OPENSEARCH_ENDPOINT": node.url, "OPENSEARCH_AUTH": "none", "TABLE_KEYS": "pk"}
    return read_settings({**environment, "TABLE_NAME": "any", "INDEX": index})


def name_of(sync: Sync) -> str:
    """The name of the only index."""
    [name] = sync.projections
    return name


def admin(sync: Sync) -> IndexAdmin:
    """What creates and changes the only index."""
    return sync.index_admin(name_of(sync))


def parsed(**parts: Any) -> Definition:
    return Definition.parse(parts, "test.json")


NUMBERS = {"properties": {"n": {"type": "long"}, "t": {"type": "text", "fields": {"keyword": {"type": "keyword"}}}}}


class Between:
    """A client between us and OpenSearch: what its function returns instead of None is raised."""

    def __init__(self, client: Client, raised: Callable[[str, str, str], Exception | None]) -> None:
        self._client, self._raised = client, raised

    def fetch(self, method: str, path: str, parameters: Any, body: bytes | None, timeout_seconds: float) -> str:
        if error := self._raised(method, path, (body or b"").decode()):
            raise error
        return self._client.fetch(method, path, parameters, body, timeout_seconds)


def through(sync: Sync, raised: Callable[[str, str, str], Exception | None]) -> Sync:
    client: Any = Between(sync.client, raised)
    return replace(sync, client=client, deadline=lambda: Deadline.after(1))
