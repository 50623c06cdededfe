"""examples/products through its life: applied, unchanged, moved to another folder, tuned, destroyed."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from engines import LocalStackNode, terraform_environment
from terraform.workspace import Terraform, copy_repository

EXAMPLE = "examples/products"
NAME = "stable"
NOBODY = "http://127.0.0.1:9"  # nothing is put into the table, so nothing is sent there


@pytest.fixture(scope="module")
def applied(aws: LocalStackNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terraform]:
    """The example, applied; destroyed at the end, which is tested by the last test."""
    with terraform_environment() as environment:
        variables = {"aws_endpoint": aws.url, "opensearch_endpoint": NOBODY, "name": NAME}
        environment |= {f"TF_VAR_{name}": value for name, value in variables.items()}
        terraform = Terraform(copy_repository(tmp_path_factory.mktemp("example")), environment)
        terraform.init(EXAMPLE)
        terraform(EXAMPLE, "apply", "-auto-approve")
        yield terraform
        terraform(EXAMPLE, "destroy", "-auto-approve")
    assert _left(aws) == []


def _planned_changes(terraform: Terraform) -> dict[str, dict[str, Any]]:
    """What a plan would change: by resource, each attribute's new value."""
    terraform(EXAMPLE, "plan", "-out=planned")
    plan = json.loads(terraform(EXAMPLE, "show", "-json", "planned"))
    changes = {}
    for resource in plan.get("resource_changes", []):
        before, after = resource["change"]["before"] or {}, resource["change"]["after"] or {}
        if resource["mode"] == "managed" and resource["change"]["actions"] != ["no-op"]:
            changes[resource["address"]] = {key: after[key] for key in after if after[key] != before.get(key)}
    return changes


def _left(aws: LocalStackNode) -> list[str]:
    """What the example makes, as far as it is still there."""
    session = boto3.Session("test", "test", region_name=aws.region)

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=aws.url)

    names = [
        *client("dynamodb").list_tables()["TableNames"],
        *(function["FunctionName"] for function in client("lambda").list_functions()["Functions"]),
        *(mapping["FunctionArn"] for mapping in client("lambda").list_event_source_mappings()["EventSourceMappings"]),
        *client("sqs").list_queues().get("QueueUrls", []),
        *(role["RoleName"] for role in client("iam").list_roles()["Roles"]),
        *(group["logGroupName"] for group in client("logs").describe_log_groups()["logGroups"]),
    ]
    return [name for name in names if NAME in name]


def test_the_example_makes_a_table_a_function_a_mapping_a_queue_a_role_and_a_log_group(
    aws: LocalStackNode, applied: Terraform
) -> None:
    outputs = json.loads(applied(EXAMPLE, "output", "-json"))

    assert {name: output["value"] for name, output in outputs.items() if name != "event_source_mapping_uuid"} == {
        "dead_letter_url": f"{aws.url}/000000000000/stable-products-opensearch-sync-failures",
        "function_name": "stable-products-opensearch-sync",
        "index": "products",
        "log_group_name": "/aws/lambda/stable-products-opensearch-sync",
        "opensearch_endpoint": NOBODY,
        "table_name": "stable-products",
    }
    assert len(_left(aws)) == 6


def test_aws_gets_the_mapping_as_it_is_written(aws: LocalStackNode, applied: Terraform) -> None:
    uuid = json.loads(applied(EXAMPLE, "output", "-json"))["event_source_mapping_uuid"]["value"]
    session = boto3.Session("test", "test", region_name=aws.region)

    mapping = session.client("lambda", endpoint_url=aws.url).get_event_source_mapping(UUID=uuid)

    assert "table/stable-products/stream/" in mapping["EventSourceArn"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"].endswith(
        ":stable-products-opensearch-sync-failures"
    )
    assert (mapping["BatchSize"], mapping["ParallelizationFactor"], mapping["StartingPosition"]) == (
        1000,
        1,
        "TRIM_HORIZON",
    )
    assert (mapping["MaximumRetryAttempts"], mapping["MaximumRecordAgeInSeconds"]) == (-1, -1)
    assert mapping["MetricsConfig"] == {"Metrics": ["EventCount"]}


def test_a_second_plan_is_empty(applied: Terraform) -> None:
    assert _planned_changes(applied) == {}


def test_a_plan_in_another_checkout_is_empty(applied: Terraform, tmp_path: Path) -> None:
    moved = Terraform(tmp_path / "elsewhere", applied.environment)
    shutil.copytree(applied.copy, moved.copy, ignore=shutil.ignore_patterns(".terraform"))
    moved.init(EXAMPLE)

    assert _planned_changes(moved) == {}


def test_a_changed_tunable_is_all_that_a_plan_changes(applied: Terraform) -> None:
    override = applied.copy / EXAMPLE / "tuned_override.tf"
    override.write_text('module "sync" {\n  batch_size = 500\n}\n', encoding="utf-8")

    changes = _planned_changes(applied)

    override.unlink()
    assert changes == {"module.sync.aws_lambda_event_source_mapping.this": {"batch_size": 500}}
