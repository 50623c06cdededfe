"""docs/guides/adopt.md: an event source mapping that was made elsewhere goes on under a sync, and keeps its UUID.

AWS keeps the position in the stream with the event source mapping. LocalStack starts to read again when one is changed,
so what is tested here is that it stays the same one.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from engines import LocalStackNode, terraform_environment
from terraform.applied import client
from terraform.life import Life, Plan, prepare

FOLDER = "tests/terraform/adopt"
TABLE = "adopted"
MAPPING = "module.search.aws_lambda_event_source_mapping.this"


@dataclass(frozen=True, slots=True)
class Found:
    """What is there before: the old function and the event source mapping that calls it."""

    function_arn: str
    uuid: str


@dataclass(frozen=True, slots=True)
class Adopted:
    """What happened to it."""

    before: Found
    fresh_start: Plan
    """The plan with the module's own starting_position."""
    plan: Plan
    after: dict[str, Any]
    function_arn: str
    second: Plan
    changed: Plan
    """The plan of another memory_size."""


@pytest.fixture(scope="module")
def found(aws: LocalStackNode) -> Iterator[Found]:
    """A table, and the function that a tutorial made for it by hand."""
    dynamodb, functions, iam = (client(aws, service) for service in ("dynamodb", "lambda", "iam"))
    stream = dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]["LatestStreamArn"]
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    role = iam.create_role(
        RoleName="tutorial", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("index.py", "def handler(event, context):\n    return None\n")
    function = functions.create_function(
        FunctionName="tutorial",
        Runtime="python3.13",
        Role=role,
        Handler="index.handler",
        Code={"ZipFile": package.getvalue()},
    )["FunctionArn"]
    functions.get_waiter("function_active_v2").wait(FunctionName="tutorial")
    uuid = functions.create_event_source_mapping(
        FunctionName="tutorial", EventSourceArn=stream, StartingPosition="LATEST", BatchSize=50
    )["UUID"]
    yield Found(function, uuid)
    functions.delete_function(FunctionName="tutorial")
    iam.delete_role(RoleName="tutorial")
    dynamodb.delete_table(TableName=TABLE)


@pytest.fixture(scope="module")
def adopted(aws: LocalStackNode, found: Found, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adopted]:
    with terraform_environment() as environment:
        life = prepare(tmp_path_factory.mktemp("adopt"), FOLDER, {**environment, **aws.environment()})
        given = {"table": TABLE, "uuid": found.uuid, "starting_position": "LATEST"}
        try:
            fresh_start = life.plan(**{**given, "starting_position": "TRIM_HORIZON"})
            plan = life.plan(**given)
            life.apply()
            after = client(aws, "lambda").get_event_source_mapping(UUID=found.uuid)
            function_arn = life.outputs()["function_arn"]
            _remove_the_import_block(life)
            second = life.plan(**given)
            changed = life.plan("-refresh=false", memory_size=1024, **given)
            yield Adopted(found, fresh_start, plan, after, function_arn, second, changed)
        finally:
            life.destroy(**given)


def _remove_the_import_block(life: Life) -> None:
    """As the guide says once it is applied; what stays must plan no differently."""
    file = life.terraform.copy / FOLDER / "main.tf"
    text = file.read_text(encoding="utf-8")
    block = f"import {{\n  to = {MAPPING}\n  id = var.uuid\n}}\n"
    assert block in text
    file.write_text(text.replace(block, ""), encoding="utf-8")


def test_one_apply_makes_the_function_and_points_the_event_source_mapping_to_it_in_place(adopted: Adopted) -> None:
    assert adopted.plan.resources[MAPPING].actions == ("update",)
    assert adopted.plan.resources["module.search.aws_lambda_function.this"].actions == ("create",)
    assert adopted.plan.having("delete") == []


def test_the_plan_shows_the_tunables_that_change_with_it(adopted: Adopted) -> None:
    change = adopted.plan.resources[MAPPING]

    assert (change.before["batch_size"], change.after["batch_size"]) == (50, 1000)
    assert change.attributes >= {"bisect_batch_on_function_error", "destination_config", "function_name"}
    assert change.after["function_response_types"] == ["ReportBatchItemFailures"]


def test_it_is_the_same_event_source_mapping_with_another_function(adopted: Adopted) -> None:
    assert adopted.after["UUID"] == adopted.before.uuid
    assert adopted.after["FunctionArn"] == adopted.function_arn != adopted.before.function_arn
    assert adopted.after["State"] in {"Enabled", "Updating", "Enabling"}


def test_once_the_import_block_is_gone_a_second_plan_is_empty(adopted: Adopted) -> None:
    assert adopted.second.resources == {}


def test_a_later_change_of_the_function_leaves_it_alone(adopted: Adopted) -> None:
    assert set(adopted.changed.resources) == {"module.search.aws_lambda_function.this"}


def test_another_starting_position_than_it_began_with_would_replace_it(adopted: Adopted) -> None:
    """Which is what the guide says to look for first: a new one has no position."""
    change = adopted.fresh_start.resources[MAPPING]

    assert "delete" in change.actions
    assert "starting_position" in change.attributes
