"""A table in another account, which no engine can follow: what its plan says, offline, all of it."""

import pytest
from terraform.life import Plan, prepare
from terraform.workspace import Terraform

FOLDER = "tests/terraform/teams/accounts"
THEIRS = "arn:aws:dynamodb:us-east-1:444455556666:table/teams-accounts"


@pytest.fixture(scope="module")
def plan(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return prepare(tmp_path_factory.mktemp("accounts"), FOLDER, terraform.environment).plan()


def test_a_first_plan_creates_everything(plan: Plan) -> None:
    assert {change.actions for change in plan.resources.values()} == {("create",)}


def test_the_event_source_mapping_reads_the_other_accounts_stream(plan: Plan) -> None:
    mapping = plan.resources["module.search.aws_lambda_event_source_mapping.this"]
    assert mapping.after["event_source_arn"].startswith(f"{THEIRS}/stream/")


def test_the_role_is_allowed_to_read_the_other_accounts_stream_and_table(plan: Plan) -> None:
    document = plan.reads["module.search.data.aws_iam_policy_document.this"]
    statements = {statement["sid"]: statement for statement in document.after["statement"]}

    assert statements["ReadItems"]["resources"] == [THEIRS]
    assert statements["ReadStream"]["resources"] == [f"{THEIRS}/stream/2025-01-01T00:00:00.000"]


def test_only_what_depends_on_this_account_is_unknown_in_the_environment(plan: Plan) -> None:
    """Also TABLE_NAME: whether the ARN is another account's is only known when this account's is."""
    environment = plan.outputs["environment"]

    assert {name for name, unknown in environment.unknown.items() if unknown} == {"DEAD_LETTER_ARN", "TABLE_NAME"}
    assert environment.after["INDEX"] == "accounts"
