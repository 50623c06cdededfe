"""examples/existing-stack through its life, with the module from a git ref as its users have it.

Table and stream are LocalStack's. LocalStack makes no domain, so in the domain's place stands an OpenSearch without
security; that the function's role may write to the domain is seen on the plan, by the example's own tests
(tests/terraform/examples).
"""

import json
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from engines import LocalStackNode, OpenSearchNode
from opensearch import api
from terraform.applied import AppliedExample, ApplyExample, eventually
from terraform.workspace import copy_repository

TABLE = "shop-products"
INDEX, SECOND_INDEX = "stack-products", "stack-offers"
SYNCS = {INDEX: TABLE, SECOND_INDEX: TABLE}
STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
OVERRIDE = """
data "aws_opensearch_domain" "search" {{
  count = 0
}}

module "sync" {{
  source              = "git::{repository}?ref=v1.0.0"
  domain              = null
  opensearch_endpoint = "{endpoint}"
  opensearch_auth     = "none"
}}
"""


def tagged_repository(folder: Path) -> Path:
    """This repository in a git repository of its own, tagged v1.0.0."""
    copy_repository(folder)
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "v1.0.0"], ["tag", "v1.0.0"]):
        subprocess.run(
            ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", *arguments], cwd=folder, check=True
        )
    return folder


def make_table(dynamodb: Any, name: str, **options: Any) -> None:
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "N"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        **options,
    )


@pytest.fixture(scope="module")
def tables(aws: LocalStackNode) -> Iterator[Any]:
    """Client of the account that has a table with a stream already, and one without."""
    dynamodb = boto3.client(
        "dynamodb", endpoint_url=aws.url, region_name=aws.region, aws_access_key_id="test", aws_secret_access_key="test"
    )
    make_table(dynamodb, TABLE, StreamSpecification=STREAM)
    make_table(dynamodb, "shop-customers")
    yield dynamodb
    for name in (TABLE, "shop-customers"):
        dynamodb.delete_table(TableName=name)


@pytest.fixture(scope="module")
def example(
    tables: Any, opensearch_node: OpenSearchNode, apply_example: ApplyExample, tmp_path_factory: pytest.TempPathFactory
) -> AppliedExample:
    del tables  # there before the example, and after it
    for index in SYNCS:
        api.call(opensearch_node, "PUT", f"/{index}", {"settings": {"index.gc_deletes": "1h"}})
    repository = tagged_repository(tmp_path_factory.mktemp("module"))
    folder = tmp_path_factory.mktemp("stack") / "existing-stack"
    folder.mkdir()
    for file in (repository / "examples" / "existing-stack").glob("*.tf"):
        (folder / file.name).write_bytes(file.read_bytes())
    override = OVERRIDE.format(repository=repository.as_uri(), endpoint=opensearch_node.url)
    return apply_example(folder, "stack-", {"domain_name": "search", "indexes": SYNCS}, override)


def test_it_adds_a_function_and_a_queue_per_index_and_leaves_the_table_alone(
    example: AppliedExample, tables: Any
) -> None:
    outputs = example.outputs

    assert outputs["function_names"] == {index: f"{index}-opensearch-sync" for index in SYNCS}
    assert outputs["dead_letter_urls"].keys() == outputs["role_arns"].keys() == SYNCS.keys()
    assert tables.describe_table(TableName=TABLE)["Table"]["StreamSpecification"] == STREAM
    assert (
        tables.list_tags_of_resource(ResourceArn=tables.describe_table(TableName=TABLE)["Table"]["TableArn"])["Tags"]
        == []
    )
    stream = tables.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
    mappings = example.client("lambda").list_event_source_mappings(EventSourceArn=stream)["EventSourceMappings"]
    assert sorted(mapping["FunctionArn"].rsplit(":", 1)[1] for mapping in mappings) == sorted(
        outputs["function_names"].values()
    )


def test_an_item_reaches_both_indexes(example: AppliedExample, tables: Any, opensearch_node: OpenSearchNode) -> None:
    del example
    tables.put_item(TableName=TABLE, Item={"pk": {"S": "P-1"}, "sk": {"N": "1"}, "price": {"N": "19.90"}})

    found = [eventually(partial(api.source, opensearch_node, index, "P-1|1")) for index in SYNCS]

    assert [json.loads(one) for one in found] == [{"pk": "P-1", "sk": 1, "price": 19.9}] * 2


def test_a_second_plan_is_empty(example: AppliedExample) -> None:
    assert example.planned_changes() == {}


def test_a_changed_tunable_is_all_that_a_plan_changes(example: AppliedExample) -> None:
    changes = example.planned_changes('module "sync" {\n  batch_size = 500\n}\n')

    assert changes == {
        f'module.sync["{index}"].aws_lambda_event_source_mapping.this': {"batch_size": 500} for index in SYNCS
    }


def test_a_table_without_a_stream_is_refused_until_its_stream_is_on(example: AppliedExample, tables: Any) -> None:
    variables = {"domain_name": "search", "indexes": {**SYNCS, "stack-customers": "shop-customers"}}

    code, _, errors = example.terraform.plan(var=variables)

    assert code == 1
    assert "table 'shop-customers' has no stream: set stream_enabled = true" in " ".join(errors.split())

    tables.update_table(TableName="shop-customers", StreamSpecification=STREAM)
    code, output, _ = example.terraform.plan(var=variables)

    assert code == 2
    assert 'module.sync["stack-customers"].aws_lambda_event_source_mapping.this' in output
