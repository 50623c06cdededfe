"""A sync whose sides are in memory."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.dynamodb.table import Table
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.opensearch.bulk import Limits, Writer
from dynamodb_opensearch.opensearch.client import Client
from dynamodb_opensearch.settings import read_settings

from fakes.dynamodb import FakeDynamoDB
from fakes.opensearch import FakeOpenSearch

TABLE_ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/products"


def make_sync(
    table: FakeDynamoDB,
    opensearch: FakeOpenSearch,
    *,
    indices: str | None = None,
    only: Collection[str] = (),
    **changes: Any,
) -> Sync:
    """The table ``products`` with the key ``pk`` and its index; a page may take five seconds.

    Args:
        indices: INDICES, for several.
        only: those of them that the job works on; none: all.
    """
    settings = read_settings(
        {
            "OPENSEARCH_ENDPOINT": "http://localhost:1",
            "OPENSEARCH_AUTH": "none",
            "AWS_REGION": "us-east-1",
            "TABLE_NAME": "products",
            "TABLE_KEYS": "pk",
            **({"INDICES": indices} if indices else {"INDEX": "products"}),
        }
    ).select(only)
    sync = Sync(
        settings=settings,
        table_arn=TABLE_ARN,
        table_id="an id",
        stream_arn=None,
        key_types={"pk": "S"},
        dynamodb=None,
        table=Table(lambda: table, "products", settings.key_schema),
        client=Client(settings),
        writer=Writer(opensearch, settings.projections, Limits(1024**2, 100), 2, 5),
        deadline=lambda: Deadline.after(5),
    )
    return replace(sync, **changes)
