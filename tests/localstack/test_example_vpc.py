"""examples/vpc on LocalStack, but for the domain, which LocalStack can't make: that is seen on the plan only, by the
example's own tests (tests/terraform/examples).

In its place stands an OpenSearch with the security plugin, set up by the very commands that the example puts out. The
function comes with a password in place of a signature, which OpenSearch itself can't check; its user has the function's
role as its backend role, which is how a domain sees a signed request. The VPC is made, but LocalStack routes nothing.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from engines import LocalStackNode, OpenSearchNode, opensearch
from opensearch import api
from terraform.applied import AppliedExample, ApplyExample, eventually
from terraform.workspace import copy_repository

NAME = "vpctest"
PASSWORD = "Walrus-Teapot-42"  # the plugin refuses weak ones
OVERRIDE = """
module "sync" {{
  domain                = null
  opensearch_endpoint   = "{endpoint}"
  opensearch_auth       = "basic"
  opensearch_secret_arn = "{secret_arn}"
  opensearch_ca_file    = "{ca_file}"
}}
"""
# Stands in for curl: a password and our CA in place of the signature, the rest as it was given.
CURL = """#!{python}
import os, sys
arguments = sys.argv[1:]
at = arguments.index("--aws-sigv4")
assert arguments[at : at + 4] == ["--aws-sigv4", "aws:amz:us-east-1:es", "--user", "KEY:SECRET"], arguments
arguments[at : at + 4] = ["--user", "{user}:{password}", "--cacert", "{ca_file}"]
os.execv("{curl}", ["curl", *arguments])
"""
AWS = """#!/bin/sh
[ "$*" = "configure export-credentials --format env" ] || exit 1
echo "export AWS_ACCESS_KEY_ID=KEY AWS_SECRET_ACCESS_KEY=SECRET AWS_SESSION_TOKEN=TOKEN"
"""


@pytest.fixture(scope="module")
def node() -> Iterator[OpenSearchNode]:
    with opensearch(security=True) as node:
        yield node


@pytest.fixture(scope="module")
def secret_arn(aws: LocalStackNode) -> Iterator[str]:
    secrets = boto3.client(
        "secretsmanager", "us-east-1", endpoint_url=aws.url, aws_access_key_id="test", aws_secret_access_key="test"
    )
    value = json.dumps({"username": "function", "password": PASSWORD})
    arn: str = secrets.create_secret(Name=NAME, SecretString=value)["ARN"]
    yield arn
    secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


@pytest.fixture(scope="module")
def example(
    node: OpenSearchNode, secret_arn: str, apply_example: ApplyExample, tmp_path_factory: pytest.TempPathFactory
) -> AppliedExample:
    folder = copy_repository(tmp_path_factory.mktemp("vpc")) / "examples" / "vpc"
    (folder / "domain.tf").unlink()
    override = OVERRIDE.format(endpoint=node.url, secret_arn=secret_arn, ca_file=node.ca_file)
    variables = {"administrator_role_arn": "arn:aws:iam::000000000000:role/admin", "name": NAME}
    return apply_example(folder, NAME, variables, override)


def run_setup(example: AppliedExample, node: OpenSearchNode, folder: Path) -> str:
    """Run the commands of the output `setup`, with stand-ins for curl and aws on the path."""
    curl = CURL.format(
        python=sys.executable, curl=shutil.which("curl"), user=node.user, password=node.password, ca_file=node.ca_file
    )
    for name, text in {"curl": curl, "aws": AWS}.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    commands: str = example.outputs["setup"]
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash"], input=commands, env={"PATH": path}, capture_output=True, text=True, check=True
    ).stdout


def test_the_function_stands_in_the_private_subnets_behind_its_own_group(example: AppliedExample) -> None:
    ec2, outputs = example.client("ec2"), example.outputs
    function = example.client("lambda").get_function(FunctionName=outputs["function_name"])["Configuration"]

    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [outputs["vpc_id"]]}])["Subnets"]
    groups = {
        group["GroupId"]: group["GroupName"]
        for group in ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [outputs["vpc_id"]]}])[
            "SecurityGroups"
        ]
    }

    assert sorted(function["VpcConfig"]["SubnetIds"]) == sorted(subnet["SubnetId"] for subnet in subnets)
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 2
    assert [groups[group] for group in function["VpcConfig"]["SecurityGroupIds"]] == [f"{NAME}-function"]
    internet = ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [outputs["vpc_id"]]}])
    assert internet["InternetGateways"] == []


def test_the_groups_let_pass_what_the_example_says(example: AppliedExample) -> None:
    ec2, vpc = example.client("ec2"), [{"Name": "vpc-id", "Values": [example.outputs["vpc_id"]]}]
    groups = ec2.describe_security_groups(Filters=vpc)["SecurityGroups"]
    names = {group["GroupId"]: group["GroupName"].removeprefix(f"{NAME}-") for group in groups}

    def ways(group: dict[str, Any], side: str) -> set[tuple[str, str, int, int]]:
        return {
            (names[group["GroupId"]], names.get(peer, peer), rule["FromPort"], rule["ToPort"])
            for rule in group[side]
            for peer in [
                *(pair["GroupId"] for pair in rule["UserIdGroupPairs"]),
                *(prefix_list["PrefixListId"][:2] for prefix_list in rule["PrefixListIds"]),
                *(block["CidrIp"] for block in rule["IpRanges"]),
            ]
        }

    assert set().union(*(ways(group, "IpPermissionsEgress") for group in groups)) == {
        ("clients", "domain", 443, 443),
        ("function", "domain", 443, 443),
        ("function", "pl", 443, 443),
        ("function", "sqs", 443, 443),
    }
    assert set().union(*(ways(group, "IpPermissions") for group in groups)) == {
        ("domain", "clients", 443, 443),
        ("domain", "function", 443, 443),
        ("sqs", "function", 443, 443),
    }


def test_the_endpoints_are_for_the_functions_two_calls(example: AppliedExample) -> None:
    vpc = [{"Name": "vpc-id", "Values": [example.outputs["vpc_id"]]}]

    endpoints = example.client("ec2").describe_vpc_endpoints(Filters=vpc)["VpcEndpoints"]

    allowed = {
        endpoint["ServiceName"]: [
            (statement["Action"], statement["Resource"].rsplit(":", 1)[1])
            for statement in json.loads(endpoint["PolicyDocument"])["Statement"]
        ]
        for endpoint in endpoints
    }
    assert allowed == {
        "com.amazonaws.us-east-1.dynamodb": [("dynamodb:BatchGetItem", f"table/{NAME}-products")],
        "com.amazonaws.us-east-1.sqs": [("sqs:SendMessage", f"{NAME}-products-opensearch-sync-failures")],
    }


def test_the_setup_lets_the_functions_role_write_the_index_and_no_other(
    example: AppliedExample, node: OpenSearchNode, tmp_path: Path
) -> None:
    said = run_setup(example, node, tmp_path)
    user = {"password": PASSWORD, "backend_roles": [example.outputs["role_arn"]]}
    api.call(node, "PUT", "/_plugins/_security/api/internalusers/function", user)
    item = {"productId": {"S": "P-1"}, "name": {"S": "Teapot"}, "colour": {"S": "not mapped"}}
    example.client("dynamodb").put_item(TableName=f"{NAME}-products", Item=item)

    found = eventually(lambda: api.source(node, "products", "P-1"))

    assert json.loads(found) == {"productId": "P-1", "name": "Teapot", "colour": "not mapped"}
    assert [line for line in said.splitlines() if line.startswith("PUT")] == [
        "PUT /_plugins/_security/api/roles/products-sync",
        "PUT /_plugins/_security/api/rolesmapping/products-sync",
        "PUT /products",
    ]
    role = json.loads(api.call(node, "GET", "/_plugins/_security/api/roles/products-sync"))["products-sync"]
    assert [permission["index_patterns"] for permission in role["index_permissions"]] == [["products"]]


def planned_changes(example: AppliedExample, override: str = "") -> dict[str, dict[str, Any]]:
    """What a plan would change, but for what LocalStack forgets: descriptions of rules, and the Version of a policy."""
    changes = {}
    for address, values in example.planned_changes(override).items():
        kind = address.split(".")[0]
        forgotten = {"policy"} if kind == "aws_vpc_endpoint" else {"description"} if kind.endswith("_rule") else set()
        if kept := {name: value for name, value in values.items() if name not in forgotten}:
            changes[address] = kept
    return changes


def test_a_second_plan_is_empty(example: AppliedExample) -> None:
    assert planned_changes(example) == {}


def test_a_changed_tunable_is_all_that_a_plan_changes(example: AppliedExample) -> None:
    changes = planned_changes(example, 'module "sync" {\n  maximum_batching_window_in_seconds = 5\n}\n')

    assert changes == {"module.sync.aws_lambda_event_source_mapping.this": {"maximum_batching_window_in_seconds": 5}}
