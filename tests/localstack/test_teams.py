"""The module as teams use it: planned, applied, planned again, tagged, changed and destroyed, on LocalStack.

All of tests/terraform/teams but accounts/ is one configuration, so each step of its life is one plan.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from engines import LocalStackNode, terraform_environment
from terraform.applied import resources
from terraform.life import Change, Life, Plan, holds_true, prepare

FOLDER = "tests/terraform/teams"
TEAMS = ("fleet", "fresh", "governed", "later", "selfmanaged", "serverless", "vpc", "wrapped")
# Everything that a tag or the log groups' retention is an argument of.
TAGS = {"tags", "tags_all"}
RETENTION = {"retention_in_days"}


@dataclass(frozen=True, slots=True)
class Years:
    """The plans of the configuration's life, in their order."""

    first: Plan
    tagged: Plan
    """Another tag and another retention. It is made of what AWS has by then: what differs is in it, too."""
    changed: Plan
    """A stream and a sync for the table that was there before; what the wrapped module depends on; its old address."""
    last: Plan
    outputs: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def years(aws: LocalStackNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Years]:
    with terraform_environment() as environment:
        life = prepare(tmp_path_factory.mktemp("teams"), FOLDER, {**environment, **aws.environment()})
        try:
            first = life.plan()
            life.apply()
            outputs = life.outputs()["names"]
            tagged = life.plan(team="platform", retention=90)
            _forget_the_count(life)
            changed = life.plan("-refresh=false", streaming=True, release="2")
            life.apply()
            last = life.plan(streaming=True, release="2")
            yield Years(first, tagged, changed, last, outputs)
        finally:
            life.destroy(streaming=True, release="2")
    assert [name for name in resources(aws, "teams") if "boundary" not in name] == []


def _forget_the_count(life: Life) -> None:
    """Put the wrapped module where it would be, had it been applied before it got its count."""
    life("state", "mv", "module.wrapped.module.search[0]", "module.wrapped.module.search")


def documents(plan: Plan) -> dict[str, Change]:
    """The policies that a plan can't render yet."""
    return {address: change for address, change in plan.reads.items() if ".aws_iam_policy_document." in address}


# The first plan


def test_the_first_plan_creates_everything_and_changes_nothing(years: Years) -> None:
    assert {change.actions for change in years.first.resources.values()} == {("create",)}
    assert all(years.first.of(f"module.{team}") for team in TEAMS)


def test_a_first_plan_shows_what_each_statement_allows(years: Years) -> None:
    """A reviewer, or a policy as code, reads it. What may be unknown are the ARNs of what is made in the same apply.

    And the use of keys, which has documents of its own: whether a new table, say, has one, it doesn't say yet.
    """
    shown = {address: one for address, one in documents(years.first).items() if not address.endswith("keys")}
    assert any(address.startswith("module.fresh.module.search") for address in shown)
    hidden = [
        address
        for address, document in shown.items()
        if document.unknown.get("statement") is True
        or any(
            holds_true(unknown.get(name))
            for unknown in document.unknown.get("statement", [])
            for name in ("sid", "effect", "actions")
        )
        or not all(statement["actions"] for statement in document.after.get("statement") or [])
    ]
    assert hidden == []


@pytest.mark.parametrize(
    ("sync", "sids"),
    [
        ("queue", {"DeliverFailures", "FindStream", "ReadItems", "ReadStream", "WriteIndex", "WriteLogs"}),
        ("topic", {"DeliverFailures", "FindStream", "ReadItems", "ReadStream", "WriteIndex", "WriteLogs"}),
    ],
)
def test_the_first_plan_of_a_new_sync_has_every_statement(years: Years, sync: str, sids: set[str]) -> None:
    document = years.first.reads[f'module.fresh.module.search["{sync}"].data.aws_iam_policy_document.this']

    found = {statement["sid"] for statement in document.after["statement"]}

    assert sids - found == set()


@pytest.mark.parametrize(
    ("team", "unknown"),
    [
        ("fresh", {"DEAD_LETTER_ARN", "TABLE_NAME"}),
        ("selfmanaged", {"DEAD_LETTER_ARN", "OPENSEARCH_SECRET_ARN", "TABLE_NAME"}),
        ("serverless", {"DEAD_LETTER_ARN", "TABLE_NAME"}),
    ],
)
def test_a_first_plan_knows_every_variable_of_the_environment_but_arns(
    years: Years, team: str, unknown: set[str]
) -> None:
    """By an output: of the function itself, provider 5 shows no variable if it doesn't know all."""
    environments = years.first.outputs["environments"]

    assert {name for name, hidden in environments.unknown[team].items() if hidden} == unknown
    assert {"INDEX", "INDICES"} & set(environments.after[team])
    assert {"BULK_ACTIONS", "OPENSEARCH_ENDPOINT", "SYNC_NAME", "TABLE_KEYS"} - set(environments.after[team]) == set()


# After the first apply


def test_names_that_were_cut_or_had_a_dot_are_still_the_tables_own(years: Years) -> None:
    names = years.outputs

    assert len({name["function"] for name in names.values()}) == len(names) == 5
    assert len({name["failures"] for name in names.values()}) == len(names)
    assert names["teams-orders"]["function"] == "teams-orders-opensearch-sync"
    assert names["teams-returns"]["function"] == "teams-returns-opensearch-sync"
    assert max(len(name["function"]) for name in names.values()) <= 64


@pytest.mark.parametrize("team", TEAMS)
def test_another_tag_and_retention_change_nothing_else(years: Years, team: str) -> None:
    changes = years.tagged.differences(f"module.{team}.")

    assert changes
    assert {
        address: other
        for address, attributes in changes.items()
        if (other := attributes - TAGS - (RETENTION if ".aws_cloudwatch_log_group." in address else set()))
    } == {}
    assert [address for address in changes if ".aws_iam_role_policy." in address] == []


def test_another_tag_and_retention_leave_every_policy_as_it_is_known(years: Years) -> None:
    assert documents(years.tagged) == {}


# A stream that is switched on later


def test_a_stream_is_switched_on_in_place_and_its_sync_is_added_in_the_same_apply(years: Years) -> None:
    changes = years.changed.of("module.later")

    table = changes.pop("aws_dynamodb_table.this")
    assert table.actions == ("update",)
    assert table.attributes >= {"stream_arn", "stream_enabled"}
    assert {change.actions for change in changes.values()} == {("create",)}
    assert "module.search[0].aws_lambda_event_source_mapping.this" in changes


def test_nothing_is_replaced_or_destroyed_by_these_changes(years: Years) -> None:
    assert years.changed.having("delete") == []


@pytest.mark.parametrize("team", TEAMS)
def test_a_plan_after_the_last_apply_is_empty(years: Years, team: str) -> None:
    assert years.last.differences(f"module.{team}.") == {}


def test_a_plan_after_the_last_apply_knows_every_policy(years: Years) -> None:
    assert documents(years.last) == {}


# count, moved, depends_on


def test_a_sync_that_gets_a_count_moves_there_and_nothing_else_happens_to_it(years: Years) -> None:
    moved = {new: old for new, old in years.changed.moved.items() if ".data." not in new}

    assert "module.wrapped.module.search[0].aws_lambda_event_source_mapping.this" in moved
    assert {old.replace("module.search.", "module.search[0].") for old in moved.values()} == set(moved)


def test_a_change_of_what_the_module_depends_on_is_read_as_a_change_of_its_policies(years: Years) -> None:
    """Terraform reads no data source of a module before what the module depends on: until then, they are unknown."""
    prefix = "module.wrapped."
    changes = years.changed.differences(prefix)

    assert changes.pop(f"{prefix}terraform_data.release")
    kinds = {address.rpartition(".aws_")[2].partition(".")[0] for address in changes}
    assert kinds == {"iam_role", "iam_role_policy", "sqs_queue"}
    assert {attribute for attributes in changes.values() for attribute in attributes} == {
        "assume_role_policy",
        "policy",
    }
