"""examples/many-tables through its life: each table in its index, and one search over all.

LocalStack makes no domain, so an OpenSearch without security takes its place; which sync may write which index is seen
by the example's own tests (tests/terraform/examples). Each test goes on from where the one before it left the tables.
"""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.error import HTTPError

import boto3
import pytest
from dynamodb_opensearch.opensearch.definition import read_definition
from dynamodb_opensearch.settings import Service
from engines import OpenSearchNode
from opensearch import api
from terraform import pages
from terraform.applied import AppliedExample, ApplyExample, eventually
from terraform.workspace import REPOSITORY, copy_repository

NAME = "manytables"
OVERRIDE = """
module "sync" {{
  domain              = null
  opensearch_endpoint = "{endpoint}"
  opensearch_auth     = "none"
}}
"""


class Site:
    """The applied example, its tables and its indices."""

    def __init__(self, example: AppliedExample, node: OpenSearchNode) -> None:
        self.example, self.node = example, node
        session = boto3.Session("test", "test", region_name=example.aws.region)
        dynamodb: Any = session.resource("dynamodb", endpoint_url=example.aws.url)
        self.tables = {index: dynamodb.Table(name) for index, name in example.outputs["table_names"].items()}

    def search(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Search all tables, by the alias."""
        api.call(self.node, "POST", "/site/_refresh")
        answer: dict[str, Any] = json.loads(api.call(self.node, "POST", "/site/_search", body), parse_float=Decimal)
        return answer

    def documents(self) -> dict[tuple[str, str], dict[str, Any]]:
        hits = self.search({"size": 100})["hits"]["hits"]
        return {(hit["_index"], hit["_id"]): hit["_source"] for hit in hits}

    def comes_to(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        """Wait until each index holds this document, and no other."""
        expected = {(index, pages.IDS[index]): document for index, document in documents.items()}
        try:
            eventually(lambda: self.documents() == expected)
        except AssertionError:
            assert self.documents() == expected  # shows what differs


@pytest.fixture(scope="module")
def living(
    opensearch_node: OpenSearchNode, apply_example: ApplyExample, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    definition = read_definition(REPOSITORY / "examples" / "many-tables" / "index.json")
    for index in pages.ITEMS:  # as `dynamodb-opensearch index create --file` does
        body = definition.with_defaults(table_bytes=0, service=Service.ES).to_json()
        api.call(opensearch_node, "PUT", f"/{index}", body)
    folder = copy_repository(tmp_path_factory.mktemp("many-tables")) / "examples" / "many-tables"
    (folder / "domain.tf").unlink()
    override = OVERRIDE.format(endpoint=opensearch_node.url)
    yield Site(apply_example(folder, NAME, {"name": NAME}, override), opensearch_node)
    for index in pages.ITEMS:
        api.call(opensearch_node, "DELETE", f"/{index}")


def test_each_table_has_a_function_and_a_queue_of_its_own(living: Site) -> None:
    outputs = living.example.outputs

    assert outputs["table_names"] == {index: f"{NAME}-{index}" for index in pages.ITEMS}
    assert outputs["function_names"] == {index: f"{NAME}-{index}-opensearch-sync" for index in pages.ITEMS}
    assert sorted(url.rsplit("/", 1)[1] for url in outputs["dead_letter_urls"].values()) == [
        f"{NAME}-{index}-opensearch-sync-failures" for index in sorted(pages.ITEMS)
    ]
    assert outputs["opensearch_endpoint"] == living.node.url


def test_each_tables_items_are_in_its_index_in_fields_that_all_share(living: Site) -> None:
    for index, item in pages.ITEMS.items():
        living.tables[index].put_item(Item=dict(item))

    living.comes_to(pages.DOCUMENTS)


def test_one_search_finds_what_each_table_holds(living: Site) -> None:
    answer = living.search(
        {
            "query": {"multi_match": {"query": "teapot", "fields": ["title^2", "text"]}},
            "aggs": {"kinds": {"terms": {"field": "kind"}}},
        }
    )

    assert {hit["_index"]: hit["_source"] for hit in answer["hits"]["hits"]} == pages.DOCUMENTS
    kinds = {bucket["key"]: bucket["doc_count"] for bucket in answer["aggregations"]["kinds"]["buckets"]}
    assert kinds == dict.fromkeys(pages.ITEMS, 1)


def test_a_change_and_a_delete_follow_in_their_own_index(living: Site) -> None:
    living.tables["products"].put_item(Item={**pages.ITEMS["products"], "name": "Large teapot"})
    living.tables["articles"].delete_item(Key={"slug": "brewing"})

    changed = {**pages.DOCUMENTS["products"], "title": "Large teapot"}
    living.comes_to({"answers": pages.DOCUMENTS["answers"], "products": changed})


def test_the_alias_takes_no_writes(living: Site) -> None:
    with pytest.raises(HTTPError) as refused:
        api.call(living.node, "PUT", "/site/_doc/any", {"title": "Teapot"})
    refused.value.close()
    assert refused.value.code == 400


def test_a_second_plan_is_empty(living: Site) -> None:
    assert living.example.planned_changes() == {}
