"""The policies that the modules render against the calls that their functions make: none missing, none superfluous."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest
from dynamodb_opensearch.jobs.request import _JOBS
from terraform.calls import Call
from terraform.invocations import calls_of_a_batch, calls_of_jobs
from terraform.workspace import Terraform

# The runs of each module's policy.tftest.hcl: every way to OpenSearch, every destination, every optional right.
FOLDERS = {"sync": ".", "operations": "modules/operations"}
RUNS = {
    "sync": (
        "a_domain_and_a_queue",
        "a_collection_and_a_topic",
        "everything_that_adds_a_right",
        "a_given_encrypted_queue",
        "a_table_whose_key_aws_owns_adds_nothing",
        "several_indices_in_a_parameter",
    ),
    "operations": (
        "a_domain_alone",
        "a_collection_and_a_bucket_of_failures",
        "everything_that_adds_a_right",
        "a_password_and_another_accounts_table",
        "several_indices_in_a_parameter_and_a_transform",
    ),
}
POLICIES = {
    "sync": "data.aws_iam_policy_document.this",
    "operations": "data.aws_iam_policy_document.function",
}
# The runs whose indices are in a parameter. The others have one: INDEX.
INDICES = dict.fromkeys(
    ("several_indices_in_a_parameter", "several_indices_in_a_parameter_and_a_transform"), ("orders", "products")
)
# Where the operator may reach other `indices`: the sync's own may be an index, or an alias of one of those.
BEHIND = {"everything_that_adds_a_right": (None, "products-1")}
ENDPOINTS = {
    "search-x.eu-west-1.es.amazonaws.com": "arn:aws:es:eu-west-1:111122223333:domain/search",
    "abc123.eu-west-1.aoss.amazonaws.com": "arn:aws:aoss:eu-west-1:111122223333:collection/abc123",
}
POLLS = "Lambda's pollers read the stream with the function's role (Lambda guide, with-ddb)"
NETWORK = "Lambda makes and removes the function's network interfaces with its role (Lambda guide, configuration-vpc)"
TRACES = "Lambda sends the function's segments with its role (Lambda guide, services-xray)"
SENDS = "SQS, SNS and S3 use the key in their sender's name (sqs-key-management)"
READS = "S3 uses the key in the name of who gets an object (S3 guide, UsingKMSEncryption)"
# What a role needs although the function's code never asks for it: who does, and where AWS says so.
USED_FOR_ANY_FUNCTION = {
    ("DecryptTable", "kms:Decrypt"): "DynamoDB uses the key in its caller's name (encryption.usagenotes)",
    ("DecryptPassword", "kms:Decrypt"): "Secrets Manager uses the key in its caller's name (security-encryption)",
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
USED_BY_AWS = {
    "sync": USED_FOR_ANY_FUNCTION
    | {
        ("ReadStream", "dynamodb:DescribeStream"): POLLS,
        ("ReadStream", "dynamodb:GetRecords"): POLLS,
        ("ReadStream", "dynamodb:GetShardIterator"): POLLS,
        ("FindStream", "dynamodb:ListStreams"): "CreateEventSourceMapping refuses a role without it (with-ddb)",
        ("FindFailures", "s3:ListBucket"): "Lambda looks for the bucket of its own records (services-dynamodb-errors)",
        ("EncryptFailures", "kms:GenerateDataKey"): SENDS,
        ("EncryptFailures", "kms:Decrypt"): "SQS and SNS use the data key again (sqs-key-management)",
    },
    "operations": USED_FOR_ANY_FUNCTION
    | {
        ("DecryptFailures", "kms:Decrypt"): "SQS and S3 use the key in their reader's name (sqs-key-management)",
        ("DecryptFailures", "kms:GenerateDataKey"): SENDS,
        ("DecryptExports", "kms:Decrypt"): READS,
        ("EncryptReports", "kms:GenerateDataKey"): SENDS,
    },
}


@dataclass(frozen=True, slots=True)
class Case:
    """A run of a module's policy.tftest.hcl."""

    module: str
    run: str

    def __str__(self) -> str:
        return f"{self.module}-{self.run}"


@dataclass(frozen=True, slots=True)
class Grant:
    """An action that a statement allows on a resource, which may be a pattern."""

    sid: str
    action: str
    resource: str

    def covers(self, call: Call) -> bool:
        return self.action == call.action and fnmatchcase(call.resource, self.resource)


@dataclass(frozen=True, slots=True)
class Rendered:
    """What the real provider makes of a module call."""

    grants: list[Grant]
    environment: dict[str, str]
    jobs: frozenset[str]
    """Those that the module has a command for."""


CASES = [Case(module, run) for module, runs in RUNS.items() for run in runs]
Render = Callable[[str], dict[str, Rendered]]


@pytest.fixture(scope="module")
def render(terraform: Terraform) -> Render:
    """What comes of each run of a module's policy.tftest.hcl."""

    @cache
    def run(module: str) -> dict[str, Rendered]:
        terraform.init(FOLDERS[module])
        output = terraform.test(FOLDERS[module], "policy.tftest.hcl", options=("-json", "-verbose"), allowed=(0, 1))
        events = [json.loads(line) for line in output.splitlines()]
        wrong = [event["diagnostic"]["detail"] for event in events if event["type"] == "diagnostic"]
        assert wrong == []
        states = {event["@testrun"]: event["test_state"] for event in events if event["type"] == "test_state"}
        return {name: _rendered(module, state) for name, state in states.items()}

    return run


def _rendered(module: str, state: dict[str, Any]) -> Rendered:
    resources = {one["address"]: one["values"] for one in state["root_module"]["resources"]}
    policy = json.loads(resources[POLICIES[module]]["json"])
    environment = resources["aws_lambda_function.this"]["environment"][0]["variables"]
    commands = state["outputs"].get("commands", {"value": {}})["value"]
    return Rendered(list(_grants(policy)), environment, frozenset(commands) - {"list"})


def _grants(policy: dict[str, Any]) -> Iterator[Grant]:
    """Each action of each statement on each of its resources. What is denied grants nothing."""
    for statement in policy["Statement"]:
        if statement["Effect"] == "Allow":
            for action in _listed(statement["Action"]):
                for resource in _listed(statement["Resource"]):
                    yield Grant(statement["Sid"], action, resource)


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    chosen: Case = request.param
    return chosen


@pytest.fixture(scope="module")
def grants(render: Render, case: Case) -> list[Grant]:
    """What the function's role may."""
    return render(case.module)[case.run].grants


@pytest.fixture(scope="module")
def calls(render: Render, case: Case) -> set[Call]:
    """What the function calls with the environment of a case."""
    rendered = render(case.module)[case.run]
    environment = {**rendered.environment, "SYNC_NAME": str(case)}  # a logger of its own
    indices = INDICES.get(case.run) or (environment["INDEX"],)
    if case.module == "sync":
        return calls_of_a_batch(environment, ENDPOINTS, indices)
    return calls_of_jobs(environment, ENDPOINTS, rendered.jobs, indices, BEHIND.get(case.run, (None,)))


def missing(grants: Sequence[Grant], calls: set[Call]) -> list[Call]:
    """Calls that nothing allows."""
    return sorted(call for call in calls if not any(grant.covers(call) for grant in grants))


def superfluous(grants: Sequence[Grant], calls: set[Call], module: str) -> list[Grant]:
    """What is allowed though neither the function nor AWS in its place uses it."""
    return [
        grant
        for grant in grants
        if not any(grant.covers(call) for call in calls) and (grant.sid, grant.action) not in USED_BY_AWS[module]
    ]


@pytest.mark.parametrize("module", RUNS)
def test_every_case_is_rendered(render: Render, module: str) -> None:
    assert tuple(render(module)) == RUNS[module]


def test_every_job_is_run(render: Render) -> None:
    assert frozenset[str]().union(*(case.jobs for case in render("operations").values())) == set(_JOBS)


def test_every_call_is_granted(grants: list[Grant], calls: set[Call]) -> None:
    assert missing(grants, calls) == []


def test_every_granted_action_is_used_on_every_granted_resource(
    grants: list[Grant], calls: set[Call], case: Case
) -> None:
    assert superfluous(grants, calls, case.module) == []


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (CASES[0], ["dynamodb:BatchGetItem", "es:ESHttpPost", "sqs:SendMessage"]),
        (CASES[1], ["aoss:APIAccessAll", "dynamodb:BatchGetItem", "sns:Publish"]),
        (CASES[2], ["dynamodb:BatchGetItem", "s3:PutObject", "secretsmanager:GetSecretValue"]),
    ],
    indirect=["case"],
    ids=str,
    scope="module",
)
def test_the_sync_calls_nothing_else(calls: set[Call], expected: Sequence[str]) -> None:
    assert sorted(call.action for call in calls) == expected


def test_without_any_one_of_the_rights_that_the_code_uses_a_call_is_missing(
    grants: list[Grant], calls: set[Call]
) -> None:
    for number, grant in enumerate(grants):
        rest = grants[:number] + grants[number + 1 :]
        assert bool(missing(rest, calls)) == any(grant.covers(call) for call in calls), grant


@pytest.mark.parametrize("action", ["dynamodb:PutItem", "es:ESHttpPatch", "kms:Encrypt", "sqs:PurgeQueue"])
def test_an_action_too_many_is_noticed_on_any_resource(
    grants: list[Grant], calls: set[Call], case: Case, action: str
) -> None:
    for grant in grants:
        added = replace(grant, action=action)
        assert superfluous([*grants, added], calls, case.module) == [added]


def test_a_resource_too_many_is_noticed_of_any_right_that_the_code_uses(
    grants: list[Grant], calls: set[Call], case: Case
) -> None:
    for grant in grants:
        added = replace(grant, resource=f"{grant.resource}-other")
        if (grant.sid, grant.action) not in USED_BY_AWS[case.module]:
            assert superfluous([*grants, added], calls, case.module) == [added]


def test_a_right_on_another_resource_is_none(grants: list[Grant], calls: set[Call]) -> None:
    others = [replace(grant, resource=f"{grant.resource}-other") for grant in grants if grant.resource != "*"]
    assert missing(others, calls) == sorted(calls)


@pytest.mark.parametrize("module", RUNS)
def test_the_table_of_what_aws_uses_holds_nothing_that_no_policy_grants(render: Render, module: str) -> None:
    granted = {(grant.sid, grant.action) for case in render(module).values() for grant in case.grants}
    assert set(USED_BY_AWS[module]) - granted == set()
