"""GitHub's workflows and forms: what they call exists, what they may do is little, what they use can't change."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

REPOSITORY = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))
FORMS = sorted(path for path in (REPOSITORY / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
TARGETS = set(re.findall(r"^([a-z][a-z0-9-]*):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
RELEASE = REPOSITORY / ".github/workflows/release.yml"
RIGHTS = {
    ("release", "check"): {"actions": "read", "contents": "read"},
    ("release", "publish"): {"attestations": "write", "contents": "write", "id-token": "write"},
}


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
    program, *arguments = re.sub(r"^\w+=\$\(", "", command).split()
    if program == "make":
        return arguments[0] in TARGETS
    if program == "python3":
        return (REPOSITORY / arguments[0]).is_file()
    return program in {"cd", "diff", "exit", "gh", "git", "sha256sum", "test"} or command in _OF_THE_SHELL


_OF_THE_SHELL = {
    'fail() { echo "::error::$1"; exit 1; }',
    'runs="runs?head_sha=$GITHUB_SHA&branch=main&event=push&status=success"',
    "}",
}


def test_a_target_that_does_not_exist_would_be_noticed() -> None:
    assert not _known("make tests")
    assert not _known("python3 scripts/changes.py v1")
    assert not _known("notes=$(curl example.com)")
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
        assert job.get("permissions") == RIGHTS.get((path.stem, name))


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
    jobs = read(RELEASE)["jobs"]
    assert jobs["publish"]["needs"] == "check"
    checks = [step.get("run", step.get("uses", "")).partition("\n")[0] for step in jobs["check"]["steps"]]
    assert checks.index('make release-check ARGS="--tag $GITHUB_REF_NAME"') < checks.index("make package")


def test_only_an_approved_release_may_write() -> None:
    assert read(RELEASE)["jobs"]["publish"]["environment"] == "release"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_may_write_installs_nothing(path: Path) -> None:
    """A package that is installed could take the rights of its job."""
    for job in read(path)["jobs"].values():
        if "write" in job.get("permissions", {}).values():
            used = {step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step}
            assert used <= {"actions/checkout", "actions/download-artifact", "actions/attest-build-provenance"}
            assert not re.search(r"\b(?:make|pip3?|npm|curl)\b", " ".join(step.get("run", "") for step in job["steps"]))


GH = """#!/bin/sh
echo "$*" >>"$CALLS"
TESTS="api repos/acme/name/actions/workflows/test.yml/runs"
case "$*" in
  "$TESTS?head_sha=$GITHUB_SHA&branch=main&event=push&status=success --jq "*) answer=$PASSED ;;
  "api repos/acme/name/environments/release --jq "*) answer=$RULES ;;
  "api repos/acme/name/commits/tags/v0.1.0 --jq "*) answer=$TAGGED ;;
  "release create v0.1.0 "*) exit 0 ;;
esac
test -n "$answer" || { echo '{"message":"Not Found"}'; exit 1; }
echo "$answer"
"""


@dataclass(frozen=True, slots=True)
class Runner:
    """A machine of GitHub's with a repository of two commits, main and one that is only tagged; gh answers as set."""

    folder: Path

    def git(self, *arguments: str) -> str:
        settings = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", *settings, *arguments], cwd=self.folder, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def run(self, job: str, name: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a step of the release as GitHub does."""
        [step] = [one for one in read(RELEASE)["jobs"][job]["steps"] if one.get("name", "").startswith(name)]
        return subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=self.folder / step.get("working-directory", "."),
            env={
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "CALLS": str(self.folder / "calls"),
                "GITHUB_REF_NAME": "v0.1.0",
                "GITHUB_REPOSITORY": "acme/name",
                "GITHUB_SHA": self.git("rev-parse", "HEAD"),
                "RUNNER_TEMP": str(self.folder / "temp"),
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> str:
        """What gh was asked."""
        path = self.folder / "calls"
        return path.read_text(encoding="utf-8") if path.exists() else ""


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    for folder in ("bin", "lambda/dist", "scripts", "temp/package"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "bin/gh").write_text(GH, encoding="utf-8")
    (tmp_path / "bin/gh").chmod(0o755)
    shutil.copyfile(REPOSITORY / "scripts/changelog.py", tmp_path / "scripts/changelog.py")
    (tmp_path / "CHANGELOG.md").write_text("## [0.1.0] - 2026-12-01\n\n- First.\n", encoding="utf-8")
    for name in ("zip", "cdx.json"):
        (tmp_path / f"lambda/dist/dynamodb-opensearch.{name}").write_text(name, encoding="utf-8")
    runner = Runner(tmp_path)
    runner.git("init", "--quiet")
    runner.git("commit", "--quiet", "--allow-empty", "--message", "Of main")
    runner.git("update-ref", "refs/remotes/origin/main", "HEAD")
    return runner


COMMIT = "The commit is on main"


def test_a_tested_commit_of_main_may_be_released(runner: Runner) -> None:
    done = runner.run("check", COMMIT, PASSED="1", RULES="1")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("passed", "rules", "says"),
    [
        ("0", "1", "test.yml hasn't passed on main for "),
        ("", "1", "test.yml hasn't passed on main for "),
        ("1", "0", "the environment release isn't protected"),
        ("1", "", "the environment release isn't protected"),
    ],
)
def test_an_untested_commit_or_an_open_environment_is_refused(
    runner: Runner, passed: str, rules: str, says: str
) -> None:
    done = runner.run("check", COMMIT, PASSED=passed, RULES=rules)
    assert done.returncode == 1
    assert f"::error::{says}" in done.stdout


def test_a_commit_that_is_not_on_main_is_refused(runner: Runner) -> None:
    runner.git("commit", "--quiet", "--allow-empty", "--message", "Of no branch")
    done = runner.run("check", COMMIT, PASSED="1", RULES="1")
    assert done.returncode == 1
    assert "isn't on main: merge it, then tag it" in done.stdout


def test_the_commit_is_checked_first() -> None:
    names = [step.get("name", "") for step in read(RELEASE)["jobs"]["check"]["steps"]]
    assert next(name for name in names if name).startswith(COMMIT)


def hand_over(runner: Runner) -> Path:
    """The package as the first job leaves it to the second."""
    assert runner.run("check", "Write its SHA-256").returncode == 0
    package = runner.folder / "temp/package"
    for path in (runner.folder / "lambda/dist").iterdir():
        shutil.copy(path, package)
    (runner.folder / "lambda/dist/SHA256SUMS").unlink()
    return package


def test_the_committed_package_is_published(runner: Runner) -> None:
    hand_over(runner)
    assert runner.run("publish", "What was built").returncode == 0


@pytest.mark.parametrize("name", ["dynamodb-opensearch.zip", "dynamodb-opensearch.cdx.json", "SHA256SUMS"])
def test_a_package_that_is_not_the_committed_one_is_refused(runner: Runner, name: str) -> None:
    package = hand_over(runner)
    (package / name).write_text("other", encoding="utf-8")
    assert runner.run("publish", "What was built").returncode == 1
    (package / name).unlink()
    assert runner.run("publish", "What was built").returncode != 0


def test_a_release_is_made_while_the_tag_is_this_commits(runner: Runner) -> None:
    done = runner.run("publish", "Make the release", TAGGED=runner.git("rev-parse", "HEAD"))
    assert done.returncode == 0
    assert "release create v0.1.0 --verify-tag" in runner.calls
    assert (runner.folder / "temp/notes.md").read_text(encoding="utf-8") == "- First.\n"


@pytest.mark.parametrize("tagged", ["0" * 40, ""])
def test_a_tag_that_was_moved_is_not_released(runner: Runner, tagged: str) -> None:
    done = runner.run("publish", "Make the release", TAGGED=tagged)
    assert done.returncode == 1
    assert "release create" not in runner.calls
    assert not tagged or f"v0.1.0 is at {tagged}, not at " in done.stdout


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
