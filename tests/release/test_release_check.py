"""scripts/release_check.py: each check passes when all is well, fails for one reason, and stops no other."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from scripts import release_check
from scripts.release_check import BILL, CHECKS, VERSION_FILE, ZIP, Release, run_in, verdicts

TODAY = date(2026, 12, 1)
STATE = "tests/terraform/upgrade/releases/0.1.0.json"
SLOW = ("package", "docs", "examples")
QUICK = [name for name in CHECKS if name not in SLOW]
FILES = {
    VERSION_FILE: '__version__ = "0.1.0"\n',
    BILL: json.dumps({"metadata": {"component": {"version": "0.1.0"}}}),
    ZIP: "zip",
    "lambda/pyproject.toml": 'dynamic = ["version"]\n',
    "lambda/build.py": "import pathlib, sys\npathlib.Path(sys.argv[1]).write_text('zip')\n",
    "lambda/sbom.py": f"import shutil, sys\nshutil.copyfile('{BILL}', sys.argv[1])\n",
    "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-12-01\n\n- First.\n",
    "docs/reference/upgrade.md": "# Upgrade\n\n### 0.1.0\n",
    "README.md": "git::https://github.com/acme/terraform-aws-dynamodb-opensearch.git?ref=v0.1.0\n",
    "docs/start.md": "git+https://github.com/acme/terraform-aws-dynamodb-opensearch.git@v0.1.0#subdirectory=lambda\n",
    "docs/registry.md": 'source = "acme/dynamodb-opensearch/aws"\n',
    STATE: json.dumps({"version": 4, "resources": [{"mode": "managed", "instances": [{"attributes": {}}]}]}),
}

LATER = "## [0.2.0] - 2026-12-01"
ELSEWHERE = "### 0.1.0\n\ngit::https://a.b/c/terraform-aws-dynamodb-opensearch.git"


def git(folder: Path, *arguments: str) -> None:
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True)


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """A repository that can be released."""
    for name, text in FILES.items():
        write(tmp_path, name, text)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "All")
    return Release(tmp_path, run_in(tmp_path), TODAY)


def test_a_repository_that_is_ready_passes(release: Release, capsys: pytest.CaptureFixture[str]) -> None:
    assert verdicts(release, [*QUICK, "package"])
    assert [line[0] for line in capsys.readouterr().out.splitlines()] == ["✓"] * (len(QUICK) + 1)


def changed(name: str, before: str, after: str) -> Callable[[Release], None]:
    def change(release: Release) -> None:
        text = release.text(name)
        assert before in text
        write(release.repository, name, text.replace(before, after))

    return change


def removed(name: str) -> Callable[[Release], None]:
    return lambda release: (release.repository / name).unlink()


def written(name: str, text: str) -> Callable[[Release], None]:
    return lambda release: write(release.repository, name, text)


def removed_addresses(release: Release) -> None:
    for name in ("README.md", "docs/start.md"):
        removed(name)(release)


def tagged_elsewhere(release: Release) -> None:
    git(release.repository, "tag", "v0.1.0")
    git(release.repository, "commit", "--quiet", "--allow-empty", "--message", "Later")


@pytest.mark.parametrize(
    ("check", "broken", "says"),
    [
        ("tree", changed("README.md", "git", "Git"), "M README.md: commit it, or remove it"),
        ("tree", lambda release: write(release.repository, "new.txt", ""), "?? new.txt: commit it"),
        ("version", changed(VERSION_FILE, "0.1.0", "0.1"), 'has no __version__ = "X.Y.Z"'),
        ("version", changed(BILL, "0.1.0", "0.0.9"), "says 0.0.9"),
        ("version", removed(BILL), "says None"),
        ("version", changed(BILL, "{", "["), "Expecting"),
        ("version", changed("lambda/pyproject.toml", "dynamic", "static"), "has a version of its own"),
        ("changelog", changed("CHANGELOG.md", "0.1.0", "0.0.9"), "says nothing of 0.1.0: put ## [0.1.0] - 2026-12-01"),
        ("changelog", changed("CHANGELOG.md", " - 2026-12-01", ""), "dates 0.1.0 None: write ## [0.1.0] - 2026-12-01"),
        ("changelog", changed("CHANGELOG.md", "2026-12-01", "2026-12-02"), "dates 0.1.0 2026-12-02"),
        ("changelog", changed("CHANGELOG.md", "2026-12-01", "2026-13-01"), "dates 0.1.0 2026-13-01"),
        ("changelog", changed("CHANGELOG.md", "- First.", ""), "says nothing of 0.1.0"),
        ("changelog", changed("CHANGELOG.md", "\n## [0.1.0]", "- Later.\n\n## [0.1.0]"), "changes under Unreleased"),
        ("changelog", changed("CHANGELOG.md", "## [0.1", f"{LATER}\n\n- x\n\n## [0.1"), "newest version is 0.2.0"),
        ("upgrade", changed("docs/reference/upgrade.md", "# 0.1.0", "# 0.1.00"), "has no heading ### 0.1.0"),
        ("upgrade", removed(STATE), "is missing: PYTHONPATH=lambda/src:tests:. python -m terraform.upgrade 0.1.0"),
        ("upgrade", written(STATE, "{}"), "is no Terraform state with resources: PYTHONPATH=lambda/src:tests:. python"),
        ("upgrade", written(STATE, ""), "is no Terraform state with resources"),
        ("upgrade", written(STATE, '[{"version": 4}]'), "is no Terraform state with resources"),
        ("upgrade", written(STATE, '{"version": 4, "resources": []}'), "is no Terraform state with resources"),
        ("upgrade", written(STATE, '{"version": 4, "resources": [1, {"instances": []}]}'), "is no Terraform state"),
        ("upgrade", changed(STATE, '"version": 4', '"version": 3'), "is no Terraform state with resources"),
        ("tag", tagged_elsewhere, "v0.1.0 is another commit's: raise __version__"),
        ("host", changed("README.md", "github.com/acme", "HOST"), "README.md:1 and 0 more say HOST: make host"),
        ("host", removed_addresses, "name no address"),
        ("host", changed("docs/registry.md", "acme", "NAMESPACE"), "docs/registry.md:1 says NAMESPACE: make host"),
        ("host", changed("docs/registry.md", "acme", "other"), "docs/registry.md:1 says other: make host"),
        ("host", changed("docs/reference/upgrade.md", "### 0.1.0", ELSEWHERE), "name a.b/c, github.com/acme"),
        ("ref", changed("README.md", "v0.1.0", "COMMIT"), "README.md:1 and 0 more pin COMMIT: make host REF=v0.1.0"),
        ("ref", changed("README.md", "?ref=v0.1.0", ""), "README.md:1 and 0 more pin no version: make host REF=v0.1.0"),
        ("ref", changed("docs/start.md", "@v0.1.0", ""), "docs/start.md:1 and 0 more pin no version"),
        ("ref", changed("docs/start.md", "@v0.1.0", "@main"), "docs/start.md:1 and 0 more pin main"),
        ("package", changed("lambda/build.py", "'zip'", "'other'"), "isn't what this commit builds: run make package"),
        ("package", changed("lambda/build.py", "import", "raise SystemExit(1) #"), "it printed nothing (python"),
        ("package", removed(ZIP), "isn't what this commit builds"),
    ],
)  # fmt: skip
def test_what_is_not_ready_fails_its_own_check_and_stops_no_other(
    release: Release, check: str, broken: Callable[[Release], None], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    broken(release)

    assert not verdicts(release, [*QUICK, "package"])

    lines = capsys.readouterr().out.splitlines()
    [line] = [line for line in lines if line.split()[1] == check]
    assert line.startswith("✗ ")
    assert says in line
    assert len(lines) == len(QUICK) + 1


def test_a_recorded_state_is_one_with_resources(release: Release, capsys: pytest.CaptureFixture[str]) -> None:
    recorded = sorted((Path(release_check.__file__).parents[1] / STATE).parent.glob("*.json"))
    assert recorded
    for path in recorded:
        write(release.repository, STATE, path.read_text(encoding="utf-8"))
        assert verdicts(release, ["upgrade"]), capsys.readouterr().out


def test_the_tag_of_this_very_commit_is_fine(release: Release, capsys: pytest.CaptureFixture[str]) -> None:
    """The release's workflow runs after the tag was pushed."""
    git(release.repository, "tag", "--annotate", "v0.1.0", "--message", "v0.1.0")
    assert verdicts(release, ["tag"])
    assert "v0.1.0 is this commit's" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("pushed", "says"),
    [("v0.1.0", "v0.1.0 isn't here: git fetch --tags"), ("v0.2.0", "the tag is v0.2.0"), ("0.1.0", "the tag is 0.1.0")],
)
def test_a_pushed_tag_must_be_the_versions(
    release: Release, pushed: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not verdicts(replace(release, pushed=pushed), ["tag"])
    assert says in capsys.readouterr().out


def test_a_fork_cannot_release_with_the_addresses_of_another_repository(
    release: Release, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "terraform-aws-dynamodb-opensearch"
    assert verdicts(replace(release, home=f"github.com/acme/{name}"), ["host"])
    capsys.readouterr()

    for other in (f"github.com/fork/{name}", "github.com/acme/renamed", f"git.example.com/acme/{name}"):
        assert not verdicts(replace(release, home=other), ["host"])
        assert f"name github.com/acme/{name}, this is {other}: release from there" in capsys.readouterr().out


def test_the_repository_is_asked_of_github_when_a_tag_is_released(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[Release] = []

    def keep(release: Release) -> str:
        seen.append(release)
        return "kept"

    monkeypatch.setattr(release_check, "CHECKS", {"keep": keep})
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/name")
    release_check.main(["--tag", "v0.1.0"])
    release_check.main([])
    monkeypatch.delenv("GITHUB_REPOSITORY")
    release_check.main(["--tag", "v0.1.0"])

    assert [one.home for one in seen] == ["github.com/acme/name", None, None]
    assert capsys.readouterr().out.count("kept") == 3


@pytest.mark.parametrize("name", SLOW)
def test_a_failed_command_is_shown_with_its_last_line(
    release: Release, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "much\nmodule.md is stale: run make docs\n\n")

    assert not verdicts(Release(release.repository, run, TODAY), [name])
    assert "module.md is stale: run make docs (python " in capsys.readouterr().out


def test_outside_of_git_the_checks_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not verdicts(Release(tmp_path, run_in(tmp_path), TODAY), ["tree"])
    assert "git status --porcelain failed: fatal: not a git repository" in capsys.readouterr().out


def test_only_runs_what_it_names_and_refuses_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert release_check.main(["--only", "version"]) == 0
    assert capsys.readouterr().out.count("\n") == 1
    with pytest.raises(SystemExit, match="2"):
        release_check.main(["--only", "versoin"])
    assert "choose from" in capsys.readouterr().err
    assert release_check.main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(CHECKS)


def test_it_runs_from_any_folder(tmp_path: Path) -> None:
    script = Path(release_check.__file__)
    done = subprocess.run(
        [sys.executable, script, "--only", "version"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
