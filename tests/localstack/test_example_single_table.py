"""examples/single-table through its life: what each index holds of the table, document by document.

LocalStack makes no domain, so an OpenSearch without security takes its place; who may write to the domain is seen by
the example's own tests (tests/terraform/examples). Each test goes on from where the one before it left the table.
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
from terraform import shop
from terraform.applied import AppliedExample, ApplyExample, eventually
from terraform.workspace import REPOSITORY, copy_repository

NAME = "onetable"
INDICES = ("customers", "line-items", "orders")
OVERRIDE = """
module "sync" {{
  domain              = null
  opensearch_endpoint = "{endpoint}"
  opensearch_auth     = "none"
}}
"""


class Shop:
    """The applied example, its table and its indices."""

    def __init__(self, example: AppliedExample, node: OpenSearchNode) -> None:
        self.example, self.node = example, node
        session = boto3.Session("test", "test", region_name=example.aws.region)
        dynamodb: Any = session.resource("dynamodb", endpoint_url=example.aws.url)
        self._table = dynamodb.Table(example.outputs["table_name"])

    def put(self, item: Mapping[str, Any]) -> None:
        self._table.put_item(Item=dict(item))

    def delete(self, item: Mapping[str, Any]) -> None:
        self._table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})

    def search(self, indices: str, **body: Any) -> list[dict[str, Any]]:
        api.call(self.node, "POST", "/" + ",".join(INDICES) + "/_refresh")
        answer = api.call(self.node, "POST", f"/{indices}/_search", {"size": 100, "version": True, **body})
        hits: list[dict[str, Any]] = json.loads(answer, parse_float=Decimal)["hits"]["hits"]
        return hits

    def documents(self) -> shop.Documents:
        return {index: {hit["_id"]: hit["_source"] for hit in self.search(index)} for index in INDICES}

    def versions(self) -> dict[tuple[str, str], int]:
        return {(hit["_index"], hit["_id"]): hit["_version"] for hit in self.search(",".join(INDICES))}

    def comes_to(self, documents: shop.Documents) -> None:
        """Wait until the indices hold these documents and no others."""
        try:
            eventually(lambda: self.documents() == documents)
        except AssertionError:
            assert self.documents() == documents  # shows what differs


@pytest.fixture(scope="module")
def living(
    opensearch_node: OpenSearchNode, apply_example: ApplyExample, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    for index in INDICES:  # as `dynamodb-opensearch index create --file` does
        definition = read_definition(REPOSITORY / "examples" / "single-table" / "mappings" / f"{index}.json")
        body = definition.with_defaults(table_bytes=0, service=Service.ES).to_json()
        api.call(opensearch_node, "PUT", f"/{index}", body)
    folder = copy_repository(tmp_path_factory.mktemp("single-table")) / "examples" / "single-table"
    (folder / "domain.tf").unlink()
    override = OVERRIDE.format(endpoint=opensearch_node.url)
    yield Shop(apply_example(folder, NAME, {"name": NAME}, override), opensearch_node)
    for index in INDICES:
        api.call(opensearch_node, "DELETE", f"/{index}")


def test_one_function_reads_the_table_for_all_indices(living: Shop) -> None:
    outputs = living.example.outputs

    assert {name: outputs[name] for name in ("function_name", "indices", "opensearch_endpoint", "table_name")} == {
        "function_name": "onetable-opensearch-sync",
        "indices": list(INDICES),
        "opensearch_endpoint": living.node.url,
        "table_name": "onetable",
    }
    functions = living.example.client("lambda").list_functions()["Functions"]
    assert [one["FunctionName"] for one in functions if NAME in one["FunctionName"]] == ["onetable-opensearch-sync"]


def test_each_item_is_in_its_index_in_its_shape_and_what_is_not_searched_is_nowhere(living: Shop) -> None:
    for item in shop.FIRST:
        living.put(item)

    living.comes_to(shop.first_documents())


def test_drafts_and_deleted_customers_leave_and_a_guest_becomes_a_customer(living: Shop) -> None:
    before = living.versions()

    for old, new in shop.CHANGES:
        if new is None:
            living.delete(old)
        else:
            living.put(new)

    living.comes_to(shop.changed_documents())
    after = living.versions()
    assert {address for address in before if before[address] == after.get(address)} == shop.UNCHANGED


def test_a_draft_that_is_placed_and_a_customer_who_is_restored_come_back(living: Shop) -> None:
    for item in shop.RETURNS:
        living.put(item)

    living.comes_to(shop.returned_documents())


def test_an_item_that_two_rules_hold_for_is_in_two_indices_until_its_type_changes(living: Shop) -> None:
    """Key rules and attribute rules don't exclude each other."""
    gift = {"pk": "ORDER#O-1", "sk": "LINE#9", "type": "customer", "name": "Gift card", "title": "Gift card"}
    expected = shop.returned_documents()
    line = {name: gift[name] for name in ("type", "name", "title")}
    expected["line-items"]["ORDER#O-1|LINE#9"] = line
    expected["customers"]["ORDER#O-1|LINE#9"] = {"name": "Gift card"}
    living.put(gift)
    living.comes_to(expected)

    living.put({**gift, "type": "gift"})

    del expected["customers"]["ORDER#O-1|LINE#9"]
    expected["line-items"]["ORDER#O-1|LINE#9"] = {**line, "type": "gift"}
    living.comes_to(expected)
    living.delete(gift)
    living.comes_to(shop.returned_documents())


def test_the_alias_searches_all_indices_and_takes_no_writes(living: Shop) -> None:
    found = living.search("shop", query={"multi_match": {"query": "ada", "fields": ["name", "customerName", "title"]}})

    assert {(hit["_index"], hit["_id"]) for hit in found} == {
        ("customers", "CUSTOMER#C-1|PROFILE"),
        ("orders", "CUSTOMER#C-1|ORDER#O-1"),
        ("orders", "CUSTOMER#C-1|ORDER#O-2"),
    }
    with pytest.raises(HTTPError) as refused:
        api.call(living.node, "PUT", "/shop/_doc/any", {"name": "Ada"})
    refused.value.close()
    assert refused.value.code == 400


def test_nothing_was_refused(living: Shop) -> None:
    received = living.example.client("sqs").receive_message(QueueUrl=living.example.outputs["dead_letter_url"])
    assert received.get("Messages", []) == []


def test_a_second_plan_is_empty(living: Shop) -> None:
    assert living.example.planned_changes() == {}


def test_a_changed_rule_is_all_that_a_plan_changes(living: Shop) -> None:
    changes = living.example.planned_changes(
        'module "sync" {\n  indices = { orders = { when = [{ attribute = "sk", begins_with = "ORDER#" }] } }\n}\n'
    )

    assert set(changes) == {
        "module.sync.aws_lambda_event_source_mapping.this",  # a rule about keys only: Lambda gets a filter
        "module.sync.aws_lambda_function.this",
    }
