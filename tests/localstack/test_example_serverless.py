"""examples/serverless on LocalStack, but for the collection, which LocalStack can't make.

That, its policies and its endpoint are seen on the plan only, by the example's own tests
(tests/terraform/examples). In the collection's place there is an OpenSearch without security, with the index that the
example's README makes.
"""

import json
from collections.abc import Iterator

import pytest
from engines import OpenSearchNode
from opensearch import api
from terraform.applied import AppliedExample, ApplyExample, eventually
from terraform.workspace import REPOSITORY, copy_repository

NAME = "aoss"
LEFT_OUT = ("access.tf", "collection.tf", "network.tf")
OVERRIDE = """
module "sync" {{
  collection          = null
  opensearch_endpoint = "{endpoint}"
  opensearch_auth     = "none"
}}
"""


@pytest.fixture(scope="module")
def example(
    apply_example: ApplyExample, opensearch_node: OpenSearchNode, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AppliedExample]:
    folder = copy_repository(tmp_path_factory.mktemp("serverless")) / "examples" / "serverless"
    for file in LEFT_OUT:
        (folder / file).unlink()
    mapping = (REPOSITORY / "examples" / "serverless" / "mapping.json").read_text(encoding="utf-8")
    api.call(opensearch_node, "PUT", "/products", json.loads(mapping))
    variables = {"administrator_arns": ["arn:aws:iam::000000000000:role/admin"], "name": NAME}
    yield apply_example(folder, NAME, variables, OVERRIDE.format(endpoint=opensearch_node.url))
    api.call(opensearch_node, "DELETE", "/products")


def test_it_makes_a_table_and_a_function_outside_any_vpc(example: AppliedExample) -> None:
    outputs = example.outputs

    function = example.client("lambda").get_function(FunctionName=outputs["function_name"])

    assert outputs["table_name"] == "aoss-products"
    assert function["Configuration"].get("VpcConfig", {}).get("SubnetIds", []) == []
    assert function["Tags"] == {"example": "serverless", "name": NAME}


def test_an_item_reaches_an_index_that_maps_only_what_is_searched(
    example: AppliedExample, opensearch_node: OpenSearchNode
) -> None:
    item = {"productId": {"S": "P-1"}, "name": {"S": "Teapot"}, "secret": {"M": {"pin": {"N": "1"}}}}
    example.client("dynamodb").put_item(TableName="aoss-products", Item=item)

    found = eventually(lambda: api.source(opensearch_node, "products", "P-1"))

    assert json.loads(found) == {"productId": "P-1", "name": "Teapot", "secret": {"pin": 1}}
    assert "secret" not in api.call(opensearch_node, "GET", "/products/_mapping")


def test_a_second_plan_is_empty(example: AppliedExample) -> None:
    assert example.planned_changes() == {}


def test_a_changed_tunable_is_all_that_a_plan_changes(example: AppliedExample) -> None:
    changes = example.planned_changes('module "sync" {\n  memory_size = 1024\n}\n')

    assert changes == {"module.sync.aws_lambda_function.this": {"memory_size": 1024}}
