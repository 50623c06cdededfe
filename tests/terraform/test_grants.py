"""The policy that the module renders against the calls that the function makes: none missing, none superfluous."""

import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import pytest
from terraform.calls import Call, calls_of_a_batch
from terraform.workspace import Terraform

# The runs of modules/sync/tests/policy.tftest.hcl: every way to OpenSearch, every destination, every optional right.
CASES = (
    "a_domain_and_a_queue",
    "a_collection_and_a_topic",
    "everything_that_adds_a_right",
    "a_given_encrypted_queue",
    "a_table_whose_key_aws_owns_adds_nothing",
)
ENDPOINTS = {
    "search-x.eu-west-1.es.amazonaws.com": "arn:aws:es:eu-west-1:111122223333:domain/search",
    "abc123.eu-west-1.aoss.amazonaws.com": "arn:aws:aoss:eu-west-1:111122223333:collection/abc123",
}
POLLS = "Lambda's pollers read the stream with the function's role (Lambda guide, with-ddb)"
NETWORK = "Lambda makes and removes the function's network interfaces with its role (Lambda guide, configuration-vpc)"
TRACES = "Lambda sends the function's segments with its role (Lambda guide, services-xray)"
# What the role needs although the function's code never asks for it: who does, and where AWS says so.
USED_BY_AWS = {
    ("ReadStream", "dynamodb:DescribeStream"): POLLS,
    ("ReadStream", "dynamodb:GetRecords"): POLLS,
    ("ReadStream", "dynamodb:GetShardIterator"): POLLS,
    ("FindStream", "dynamodb:ListStreams"): "CreateEventSourceMapping refuses a role without it (with-ddb)",
    ("DecryptTable", "kms:Decrypt"): "DynamoDB uses the key in its caller's name (encryption.usagenotes)",
    ("DecryptPassword", "kms:Decrypt"): "Secrets Manager uses the key in its caller's name (security-encryption)",
    ("FindFailures", "s3:ListBucket"): "Lambda looks for the bucket of its own records (services-dynamodb-errors)",
    (
        "EncryptFailures",
        "kms:GenerateDataKey",
    ): "SQS, SNS and S3 use the key in their sender's name (sqs-key-management)",
    ("EncryptFailures", "kms:Decrypt"): "SQS and SNS use the data key again (sqs-key-management)",
    ("WriteLogs", "logs:CreateLogStream"): "Lambda writes the function's log (monitoring-cloudwatchlogs)",
    ("WriteLogs", "logs:PutLogEvents"): "Lambda writes the function's log (monitoring-cloudwatchlogs)",
    ("DecryptEnvironment", "kms:Decrypt"): "Lambda decrypts the environment with the role (configuration-envvars)",
    ("Trace", "xray:PutTelemetryRecords"): TRACES,
    ("Trace", "xray:PutTraceSegments"): TRACES,
    ("AttachToVpc", "ec2:AssignPrivateIpAddresses"): NETWORK,
    ("AttachToVpc", "ec2:CreateNetworkInterface"): NETWORK,
    ("AttachToVpc", "ec2:DeleteNetworkInterface"): NETWORK,
    ("AttachToVpc", "ec2:DescribeNetworkInterfaces"): NETWORK,
    ("AttachToVpc", "ec2:DescribeSubnets"): NETWORK,
    ("AttachToVpc", "ec2:UnassignPrivateIpAddresses"): NETWORK,
}

Policy = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What the real provider makes of a module call."""

    policy: Policy
    environment: dict[str, str]


@pytest.fixture(scope="module")
def rendered(terraform: Terraform) -> dict[str, Rendered]:
    """Policy and environment of each run of policy.tftest.hcl."""
    terraform.init("modules/sync")
    arguments = ("-filter=tests/policy.tftest.hcl", "-json", "-verbose")
    output = terraform("modules/sync", "test", *arguments, allowed=(0, 1))
    events = [json.loads(line) for line in output.splitlines()]
    wrong = [event["diagnostic"]["detail"] for event in events if event["type"] == "diagnostic"]
    assert wrong == []
    return {event["@testrun"]: _rendered(event["test_state"]) for event in events if event["type"] == "test_state"}


def _rendered(state: dict[str, Any]) -> Rendered:
    function = next(r for r in state["root_module"]["resources"] if r["address"] == "aws_lambda_function.this")
    policy = json.loads(state["outputs"]["policy"]["value"])
    return Rendered(policy["Statement"], function["values"]["environment"][0]["variables"])


@pytest.fixture
def calls(rendered: dict[str, Rendered], case: str, monkeypatch: pytest.MonkeyPatch) -> set[Call]:
    """What the function calls with the environment of a case."""
    environment = {**rendered[case].environment, "SYNC_NAME": case}  # a logger of its own
    return calls_of_a_batch(environment, ENDPOINTS, monkeypatch)


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def grants(statement: dict[str, Any]) -> Iterator[Call]:
    """Each action of a statement on each of its resources, which may be patterns."""
    for action in listed(statement["Action"]):
        for resource in listed(statement["Resource"]):
            yield Call(action, resource)


def covers(grant: Call, call: Call) -> bool:
    return grant.action == call.action and fnmatchcase(call.resource, grant.resource)


def missing(policy: Policy, calls: set[Call]) -> list[Call]:
    """Calls that no statement allows."""
    allowed = [grant for statement in policy if statement["Effect"] == "Allow" for grant in grants(statement)]
    return sorted(call for call in calls if not any(covers(grant, call) for grant in allowed))


def superfluous(policy: Policy, calls: set[Call]) -> list[tuple[str, Call]]:
    """What is allowed though neither the function nor AWS in its place uses it."""
    return [
        (statement["Sid"], grant)
        for statement in policy
        if statement["Effect"] == "Allow"
        for grant in grants(statement)
        if not any(covers(grant, call) for call in calls) and (statement["Sid"], grant.action) not in USED_BY_AWS
    ]


def test_every_case_is_rendered(rendered: dict[str, Rendered]) -> None:
    assert tuple(rendered) == CASES


@pytest.mark.parametrize("case", CASES)
def test_every_call_is_granted(rendered: dict[str, Rendered], calls: set[Call], case: str) -> None:
    assert missing(rendered[case].policy, calls) == []


@pytest.mark.parametrize("case", CASES)
def test_every_granted_action_is_used(rendered: dict[str, Rendered], calls: set[Call], case: str) -> None:
    assert superfluous(rendered[case].policy, calls) == []


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("a_domain_and_a_queue", ["dynamodb:BatchGetItem", "es:ESHttpPost", "sqs:SendMessage"]),
        ("a_collection_and_a_topic", ["aoss:APIAccessAll", "dynamodb:BatchGetItem", "sns:Publish"]),
        ("everything_that_adds_a_right", ["dynamodb:BatchGetItem", "s3:PutObject", "secretsmanager:GetSecretValue"]),
    ],
)
def test_the_function_calls_nothing_else(calls: set[Call], expected: Sequence[str]) -> None:
    assert sorted(call.action for call in calls) == expected


@pytest.mark.parametrize("case", CASES)
def test_without_any_one_of_the_rights_that_the_code_uses_a_call_is_missing(
    rendered: dict[str, Rendered], calls: set[Call], case: str
) -> None:
    for position, statement in enumerate(rendered[case].policy):
        used = [grant for grant in grants(statement) if any(covers(grant, call) for call in calls)]
        rest = rendered[case].policy[:position] + rendered[case].policy[position + 1 :]
        assert bool(missing(rest, calls)) == bool(used), statement["Sid"]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("action", ["dynamodb:PutItem", "es:ESHttpDelete", "kms:Encrypt", "sqs:DeleteMessage"])
def test_an_action_too_many_is_noticed_in_any_statement(
    rendered: dict[str, Rendered], calls: set[Call], case: str, action: str
) -> None:
    allowed = [number for number, statement in enumerate(rendered[case].policy) if statement["Effect"] == "Allow"]
    for number in allowed:
        policy = deepcopy(rendered[case].policy)
        policy[number]["Action"] = [*listed(policy[number]["Action"]), action]
        assert superfluous(policy, calls) != []


@pytest.mark.parametrize("case", CASES)
def test_a_right_on_another_resource_is_none(rendered: dict[str, Rendered], calls: set[Call], case: str) -> None:
    policy = deepcopy(rendered[case].policy)
    for statement in policy:
        statement["Resource"] = [f"{resource}-other" for resource in listed(statement["Resource"]) if resource != "*"]
    assert missing(policy, calls) == sorted(calls)


def test_the_table_of_what_aws_uses_holds_nothing_that_no_policy_grants(rendered: dict[str, Rendered]) -> None:
    granted = {
        (statement["Sid"], grant.action)
        for case in rendered.values()
        for statement in case.policy
        for grant in grants(statement)
    }
    assert set(USED_BY_AWS) - granted == set()
