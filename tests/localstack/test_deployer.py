"""docs/reference/deployer.md against what Terraform calls to make, change and destroy everything that the modules make.

And what a change of name, role and path does: the configuration is changed in every way that has a call of its own.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

import pytest
from engines import LocalStackNode, terraform_environment
from terraform import recording
from terraform.applied import client
from terraform.calls import Call
from terraform.life import Life, Plan, prepare
from terraform.recording import ACCOUNT, REGION
from terraform.workspace import REPOSITORY

FOLDER = "tests/terraform/deployer"
PAGE = REPOSITORY / "docs/reference/deployer.md"
LARGEST_POLICY = 6144  # characters of a managed policy, without white space
# AWS asks for no permission: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
FREE = {"sts:GetCallerIdentity"}
MAPPING = "aws_lambda_event_source_mapping.this"


@dataclass(frozen=True, slots=True)
class Grant:
    """An action that a statement of the page allows on a resource, which may be a pattern."""

    sid: str
    action: str
    resource: str

    def covers(self, call: Call) -> bool:
        return self.action == call.action and fnmatchcase(call.resource, self.resource)


@dataclass(frozen=True, slots=True)
class Made:
    """What was called, and what the plans said."""

    calls: set[Call]
    second: Plan
    changed: Plan
    third: Plan
    new_path: Plan
    refused: str
    """Terraform's output where IAM refuses the new path."""
    after_that: Plan


@pytest.fixture(scope="module")
def surroundings(aws: LocalStackNode) -> Iterator[dict[str, Any]]:
    """What the modules are given, made by others."""
    ec2, iam, sqs = (client(aws, service) for service in ("ec2", "iam", "sqs"))
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.8.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="deployer", Description="Functions.", VpcId=vpc)["GroupId"]
    anything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [anything]})
    boundary = iam.create_policy(PolicyName="deployer", PolicyDocument=document)["Policy"]["Arn"]
    queue = sqs.create_queue(QueueName="deployer-letters")["QueueUrl"]
    yield {
        "boundary_arn": boundary,
        "kms_key_arn": client(aws, "kms").create_key()["KeyMetadata"]["Arn"],
        "subscriber_arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:deployer-letters",
        "vpc_config": {"subnet_ids": [subnet], "security_group_ids": [group]},
    }
    sqs.delete_queue(QueueUrl=queue)
    iam.delete_policy(PolicyArn=boundary)
    ec2.delete_security_group(GroupId=group)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)


@pytest.fixture(scope="module")
def made(aws: LocalStackNode, surroundings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with terraform_environment() as environment, recording.recording(aws.url) as recorder:
        environment |= {**aws.environment(), "AWS_ENDPOINT_URL": recorder.url}
        life = prepare(tmp_path_factory.mktemp("deployer"), FOLDER, environment)
        changed = {**surroundings, "changed": True}
        try:
            life("apply", "-auto-approve", "-parallelism=40", *_options(surroundings))
            second = life.plan(**surroundings)
            plan = life.plan("-refresh=false", **changed)
            life.apply()
            third = life.plan(**changed)
            new_path, refused = _try_a_path(life, changed)
            after = life.plan(**changed)
        finally:
            life.destroy(**changed)
        yield Made(recorder.calls, second, plan, third, new_path, refused, after)


def _options(variables: dict[str, Any]) -> list[str]:
    return [
        f"-var={name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in variables.items()
    ]


def _try_a_path(life: Life, variables: dict[str, Any]) -> tuple[Plan, str]:
    """Another path for a role whose name is fixed, and what Terraform says to it."""
    plan = life.plan("-refresh=false", "-target=module.topic.aws_iam_role.this", role_path="/service/", **variables)
    return plan, life("apply", "planned", allowed=(1,))


@pytest.fixture(scope="module")
def grants() -> list[Grant]:
    return [grant for policy in policies() for grant in granted(policy)]


def policies() -> list[dict[str, Any]]:
    """The policies on the page, for LocalStack's account and Region."""
    text = PAGE.read_text(encoding="utf-8").replace("111122223333", ACCOUNT).replace("eu-west-1", REGION)
    blocks = re.findall(r"^```json\n(\{.*?\n\})\n```$", text, re.DOTALL | re.MULTILINE)
    found = [json.loads(block) for block in blocks]
    return [policy for policy in found if "Statement" in policy]  # the others are single statements


def granted(policy: dict[str, Any]) -> Iterator[Grant]:
    for statement in policy["Statement"]:
        for action in statement["Action"]:
            yield Grant(statement["Sid"], action, statement["Resource"])


def documented() -> set[str]:
    """The actions that the page has from AWS's documentation only."""
    section = PAGE.read_text(encoding="utf-8").partition("## What no call shows")[2]
    return {
        action for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for action in re.findall("`(.+?)`", row)
    }


def missing(grants: list[Grant], calls: set[Call]) -> list[Call]:
    return sorted(call for call in calls if call.action not in FREE and not any(grant.covers(call) for grant in grants))


# Rights


def test_every_call_is_granted(made: Made, grants: list[Grant]) -> None:
    assert missing(grants, made.calls) == []


def test_every_granted_action_is_called_or_said_to_come_from_the_documentation(made: Made, grants: list[Grant]) -> None:
    called = {call.action for call in made.calls}
    assert sorted({grant.action for grant in grants} - called - documented()) == []


def test_what_is_said_to_come_from_the_documentation_is_granted_and_never_called(
    made: Made, grants: list[Grant]
) -> None:
    assert documented() - {grant.action for grant in grants} == set()
    assert sorted(documented() & {call.action for call in made.calls}) == []


def test_without_any_one_of_the_rights_that_are_used_a_call_is_missing(made: Made, grants: list[Grant]) -> None:
    for number, grant in enumerate(grants):
        rest = grants[:number] + grants[number + 1 :]
        assert bool(missing(rest, made.calls)) == any(grant.covers(call) for call in made.calls), grant


def test_a_right_on_resources_of_other_names_is_none(made: Made, grants: list[Grant]) -> None:
    others = [replace(grant, resource=grant.resource.replace("search-", "other-")) for grant in grants]
    services = {call.action.partition(":")[0] for call in missing(others, made.calls)}
    assert services == {"cloudwatch", "iam", "lambda", "logs", "s3", "sns", "sqs", "ssm", "states"}


def test_no_right_is_for_all_actions_of_a_service_and_every_star_as_a_resource_has_its_reason(
    grants: list[Grant],
) -> None:
    assert [grant for grant in grants if "*" in grant.action] == []
    section = PAGE.read_text(encoding="utf-8").partition("## Why a `*`")[2].partition("\n## ")[0]
    assert {grant.sid for grant in grants if grant.resource == "*"} == set(re.findall(r"`(\w+)`", section))


def test_a_policy_of_the_page_fits_into_one_of_iam() -> None:
    sizes = [len(re.sub(r"\s", "", json.dumps(policy))) for policy in policies()]
    assert len(sizes) == 2
    assert max(sizes) <= LARGEST_POLICY


# Names, roles, paths


def test_a_second_plan_is_empty(made: Made) -> None:
    assert made.second.differences() == {}


def test_another_name_replaces_the_event_source_mapping_with_its_function(made: Made) -> None:
    """Lambda disables the event source mapping of a function that is deleted, and no update enables it again."""
    changes = made.changed.of("module.queue")

    assert "delete" in changes["aws_lambda_function.this"].actions
    assert set(changes[MAPPING].actions) == {"create", "delete"}


def test_a_new_role_is_there_before_the_old_one_goes(made: Made) -> None:
    for module in ("module.queue", "module.topic"):
        changes = made.changed.of(module)
        assert changes["aws_iam_role.this[0]"].actions == ("create", "delete"), module
        assert changes["aws_iam_role_policy.this[0]"].actions == ("create", "delete"), module


def test_another_role_is_all_that_a_function_gets_of_a_new_role(made: Made) -> None:
    changes = made.changed.of("module.topic")

    assert changes["aws_lambda_function.this"].actions == ("update",)
    assert changes[MAPPING].actions == ("update",)


def test_a_plan_after_the_changes_is_empty(made: Made) -> None:
    assert made.third.differences() == {}


def test_another_path_under_a_fixed_name_is_refused_and_the_role_stays(made: Made) -> None:
    """IAM has no two roles of one name, whatever their paths."""
    assert made.new_path.resources["module.topic.aws_iam_role.this[0]"].actions == ("create", "delete")
    assert "EntityAlreadyExists" in made.refused
    assert made.after_that.differences() == {}
