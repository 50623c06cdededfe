"""What the tests of jobs share."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.opensearch.client import Client
from engines import DynamoDBLocal, OpenSearchNode

from opensearch import api
from opensearch.indices import settings_of
from opensearch.shell import ITEMS, Shell
from opensearch.sides import MakeSides, Sides


@pytest.fixture
def make_sides(
    opensearch_node: OpenSearchNode, dynamodb_node: DynamoDBLocal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> MakeSides:
    """A table and its index, with the options of ``Sides``."""
    return lambda **options: Sides(opensearch_node, dynamodb_node, tmp_path, monkeypatch, **options)


_NUMBERS = count(1)


@pytest.fixture
def sync(opensearch_node: OpenSearchNode) -> Iterator[Sync]:
    """A sync whose index doesn't exist, and whose table is never asked."""
    settings = settings_of(opensearch_node, f"definition-{next(_NUMBERS)}")
    table: Any = None
    yield Sync(settings, "", "", None, {}, None, table, Client(settings), table)
    api.call(opensearch_node, "DELETE", f"/{settings.indices[0]}*")


@pytest.fixture
def empty(
    opensearch_node: OpenSearchNode, dynamodb_node: DynamoDBLocal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Shell:
    sides = Sides(opensearch_node, dynamodb_node, tmp_path, monkeypatch, index_settings={"number_of_shards": 3})
    return Shell(sides, tmp_path)


@pytest.fixture
def shell(empty: Shell) -> Shell:
    empty.sides.fill(ITEMS)
    return empty
