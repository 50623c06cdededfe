"""Upgrading from a release replaces and destroys nothing: no table, no failures, no event source mapping's position."""

import json
import re
from pathlib import Path

import pytest
from terraform.upgrade import RELEASES, planned_changes
from terraform.workspace import REPOSITORY, Terraform, copy_repository

STATES = sorted(RELEASES.glob("*.json"))
BEFORE_THE_ROOT_WAS_THE_SYNC = RELEASES / "0.0.0.json"
TOPICS_SUBSCRIBER = 'module.sync["topic"].aws_sns_topic_subscription.failures[0]'  # new since then


@pytest.fixture
def another(terraform: Terraform, tmp_path: Path) -> Terraform:
    """A copy of the modules that may be changed."""
    return Terraform(copy_repository(tmp_path), terraform.environment)


def destroyed(changes: dict[str, list[str]]) -> list[str]:
    return [address for address, actions in changes.items() if "delete" in actions]


def test_the_newest_release_is_recorded() -> None:
    """Before the first release the state of an earlier commit stands in for it, as 0.0.0."""
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = next(iter(re.findall(r"^## \[(\d+\.\d+\.\d+)\]", changelog, re.MULTILINE)), "0.0.0")
    assert newest in {state.stem for state in STATES}, (
        f"record it: PYTHONPATH=tests python -m terraform.upgrade {newest}"
    )


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.stem)
def test_an_upgrade_replaces_and_destroys_nothing(terraform: Terraform, state: Path) -> None:
    assert destroyed(planned_changes(terraform, state.read_text(encoding="utf-8"))) == []


def test_the_root_takes_over_what_modules_sync_created_without_a_change_of_place(terraform: Terraform) -> None:
    """A caller of ``//modules/sync`` changes the source to the root; all addresses stay as they are."""
    state = json.loads(BEFORE_THE_ROOT_WAS_THE_SYNC.read_text(encoding="utf-8"))
    for resource in state["resources"]:
        resource["module"] = resource["module"].removesuffix(".module.sync")
        for instance in resource["instances"]:
            instance["dependencies"] = [
                name.replace("module.sync.module.sync.", "module.sync.") for name in instance.get("dependencies", [])
            ]

    changes = planned_changes(terraform, json.dumps(state))

    assert destroyed(changes) == []
    assert [address for address, actions in changes.items() if "create" in actions] == [TOPICS_SUBSCRIBER]


def test_every_resource_of_modules_sync_has_a_new_place() -> None:
    """Also those that the recorded state lacks, because they are off by default."""
    text = (REPOSITORY / "moved.tf").read_text(encoding="utf-8")
    moved = re.findall(r"^moved {\n  from = module\.sync\.([\w.]+)\n  to   = ([\w.]+)\n}$", text, re.MULTILINE)
    state = json.loads(BEFORE_THE_ROOT_WAS_THE_SYNC.read_text(encoding="utf-8"))
    recorded = {f"{one['type']}.{one['name']}" for one in state["resources"] if one["module"].endswith(".module.sync")}
    assert [(old, new) for old, new in moved if old != new] == []
    assert {old for old, _ in moved} == recorded | {"aws_sqs_queue_redrive_policy.failures"}


def test_another_default_name_or_address_is_noticed(another: Terraform) -> None:
    function = another.copy / "function.tf"
    function.write_text(function.read_text(encoding="utf-8").replace("-opensearch-sync", "-sync"), encoding="utf-8")
    for path in set(another.copy.glob("*.tf")) - {another.copy / "moved.tf"}:
        text = path.read_text(encoding="utf-8").replace("aws_sns_topic.failures", "aws_sns_topic.letters")
        path.write_text(text.replace('"aws_sns_topic" "failures"', '"aws_sns_topic" "letters"'), encoding="utf-8")
    lost = destroyed(planned_changes(another, STATES[-1].read_text(encoding="utf-8")))

    assert 'module.sync["topic"].aws_sns_topic.failures[0]' in lost
    assert 'module.sync["queue"].aws_lambda_function.this' in lost
