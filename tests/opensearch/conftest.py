"""What the tests of jobs share."""

from pathlib import Path

import pytest
from engines import DynamoDBLocal, OpenSearchNode

from opensearch.sides import MakeSides, Sides


@pytest.fixture
def make_sides(
    opensearch_node: OpenSearchNode, dynamodb_node: DynamoDBLocal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> MakeSides:
    """A table and its index, with the options of ``Sides``."""
    return lambda **options: Sides(opensearch_node, dynamodb_node, tmp_path, monkeypatch, **options)
