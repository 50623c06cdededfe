"""Upgrading from a release replaces and destroys nothing: no table, no letters, no mapping with its place."""

import re
from pathlib import Path

import pytest
from terraform.upgrade import RELEASES, planned_changes
from terraform.workspace import REPOSITORY, Terraform, copy_repository

STATES = sorted(RELEASES.glob("*.json"))


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
    assert destroyed(planned_changes(terraform, state)) == []


def test_another_default_name_or_address_is_noticed(another: Terraform) -> None:
    function = another.copy / "modules/sync/function.tf"
    function.write_text(function.read_text(encoding="utf-8").replace("-opensearch-sync", "-sync"), encoding="utf-8")
    for path in (another.copy / "modules/sync").glob("*.tf"):
        text = path.read_text(encoding="utf-8").replace("aws_sns_topic.failures", "aws_sns_topic.letters")
        path.write_text(text.replace('"aws_sns_topic" "failures"', '"aws_sns_topic" "letters"'), encoding="utf-8")

    lost = destroyed(planned_changes(another, STATES[-1]))

    assert 'module.sync["topic"].module.sync.aws_sns_topic.failures[0]' in lost
    assert 'module.sync["queue"].module.sync.aws_lambda_function.this' in lost
