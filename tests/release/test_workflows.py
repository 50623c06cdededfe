"""GitHub's workflows and forms: what they call exists, what they may do is little, what they use can't change."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

REPOSITORY = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))
FORMS = sorted(path for path in (REPOSITORY / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
TARGETS = set(re.findall(r"^([a-z][a-z0-9-]*):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
PUBLISHES = {"attestations": "write", "contents": "write", "id-token": "write"}


def read(path: Path) -> dict[Any, Any]:
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in read(path)["jobs"].values():
        yield from job["steps"]


def commands(path: Path) -> list[str]:
    """Each line that a workflow runs."""
    runs = [step["run"].replace("\\\n", " ") for step in steps(path) if "run" in step]
    return [line.strip() for run in runs for line in run.splitlines() if line.strip()]


def test_there_are_workflows_to_lint_test_and_release() -> None:
    assert [path.stem for path in WORKFLOWS] == ["lint", "release", "test"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_command_is_a_target_of_the_makefile_or_a_script_that_is_here(path: Path) -> None:
    unknown = [command for command in commands(path) if not _known(command)]
    assert unknown == []
    assert commands(path)


def _known(command: str) -> bool:
    program, *arguments = command.split()
    if program == "make":
        return arguments[0] in TARGETS
    if program == "python":
        return (REPOSITORY / arguments[0]).is_file()
    return program in {"git", "gh"}


def test_a_target_that_does_not_exist_would_be_noticed() -> None:
    assert not _known("make tests")
    assert not _known("python scripts/changes.py v1")
    assert not _known("curl example.com")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_files_that_a_workflow_names_exist(path: Path) -> None:
    named = re.findall(r"(?:lambda|scripts|tests)/[\w./-]+\w", path.read_text(encoding="utf-8"))
    assert [name for name in named if not (REPOSITORY / name).exists()] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_rights_are_given_by_name_and_only_publishing_may_write(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert job.get("permissions") == (PUBLISHES if (path.stem, name) == ("release", "publish") else None)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_commit_with_its_version_beside_it(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
    assert used
    assert [line for line in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


def test_an_action_is_pinned_to_the_same_commit_everywhere() -> None:
    pins: dict[str, set[str]] = {}
    for path in WORKFLOWS:
        for name, pin in re.findall(r"uses: (\S+)@(.+)", path.read_text(encoding="utf-8")):
            pins.setdefault(name, set()).add(pin)
    assert {name: found for name, found in pins.items() if len(found) > 1} == {}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_that_others_write_reaches_a_shell_or_a_secret(path: Path) -> None:
    """No expression inside a command: a branch's name would be run. No workflow of a fork with our rights."""
    assert [command for command in commands(path) if "${{" in command] == []
    assert "pull_request_target" not in path.read_text(encoding="utf-8")
    assert "secrets." not in path.read_text(encoding="utf-8")
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_job_ends_in_time(path: Path) -> None:
    assert [name for name, job in read(path)["jobs"].items() if not 0 < job.get("timeout-minutes", 0) <= 120] == []


def test_the_matrix_has_the_lowest_terraform_and_both_majors_of_the_provider() -> None:
    versions = (REPOSITORY / "versions.tf").read_text(encoding="utf-8")
    lowest = re.search(r'required_version = ">= (\d+\.\d+)', versions)
    provider = re.search(r'version = ">= (\S+), < 7', versions)
    assert lowest is not None
    assert provider is not None
    matrix = read(REPOSITORY / ".github/workflows/test.yml")["jobs"]["terraform"]["strategy"]["matrix"]["include"]
    assert matrix[0]["terraform"].startswith(f"{lowest[1]}.")
    assert [one["provider"] for one in matrix] == [provider[1], provider[1], "~> 6.0"]


def test_what_a_workflow_sets_is_read_by_the_tests() -> None:
    names = set(read(REPOSITORY / ".github/workflows/test.yml")["jobs"]["terraform"]["env"])
    workspace = (REPOSITORY / "tests/terraform/workspace.py").read_text(encoding="utf-8")
    assert [name for name in names if f'"{name}"' not in workspace] == []


def test_the_release_is_checked_before_it_is_published() -> None:
    jobs = read(REPOSITORY / ".github/workflows/release.yml")["jobs"]
    assert jobs["publish"]["needs"] == "check"
    assert 'make release-check ARGS="--tag $GITHUB_REF_NAME"' in commands(REPOSITORY / ".github/workflows/release.yml")


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_asks_each_thing_once_and_in_words(path: Path) -> None:
    form = read(path)
    assert form["name"]
    assert form["description"]
    asked = [one for one in form["body"] if one["type"] != "markdown"]
    ids = [one["id"] for one in asked]
    assert len(ids) == len(set(ids))
    assert all(one["attributes"]["label"] and one["attributes"]["description"] for one in asked)
    assert [one["id"] for one in asked if one.get("validations", {}).get("required")]


def test_a_bugs_form_asks_for_the_report_the_status_and_the_versions() -> None:
    text = (REPOSITORY / ".github/ISSUE_TEMPLATE/bug.yml").read_text(encoding="utf-8")
    for wanted in ("make test-aws", "dynamodb-opensearch status", "dynamodb-opensearch --version", "SECURITY.md"):
        assert wanted in text


def test_no_owner_is_named() -> None:
    assert not (REPOSITORY / ".github/CODEOWNERS").exists()
