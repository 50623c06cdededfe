"""Checkov finds nothing in root, modules and examples that isn't mended, or explained where it stands."""

import json
import re
import subprocess
from typing import Any

import pytest
from terraform.workspace import REPOSITORY

CHECKOV = REPOSITORY / ".venv/checkov/bin/checkov"


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """Checkov's report of all .tf files that users get; it downloads nothing."""
    assert CHECKOV.exists(), f"{CHECKOV} is missing: run make setup"
    command = [
        str(CHECKOV),
        "--directory",
        str(REPOSITORY),
        "--framework",
        "terraform",
        "--skip-download",
        "--output",
        "json",
    ]
    ours = ["--skip-path", f"^{re.escape(str(REPOSITORY))}/(.*/)?tests/"]
    done = subprocess.run([*command, *ours], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_file_was_understood(report: dict[str, Any]) -> None:
    """What Checkov's parser stumbles over, it doesn't check."""
    assert report["results"]["parsing_errors"] == []


def test_every_module_and_example_was_checked(report: dict[str, Any]) -> None:
    checked = {check["repo_file_path"].rpartition("/")[0].strip("/") for check in report["results"]["passed_checks"]}
    with_resources = {
        path.parent.relative_to(REPOSITORY).as_posix()
        for pattern in ("modules/*/*.tf", "examples/*/*.tf")
        for path in REPOSITORY.glob(pattern)
        if '\nresource "' in path.read_text(encoding="utf-8")
    }
    assert with_resources - checked == set()


def test_nothing_is_found_that_is_not_explained(report: dict[str, Any]) -> None:
    found = [
        f"{check['repo_file_path'].strip('/')}:{check['file_line_range'][0]} {check['check_id']} {check['check_name']}"
        for check in report["results"]["failed_checks"]
    ]
    assert found == []


def test_every_explanation_says_why(report: dict[str, Any]) -> None:
    reasons = [check["check_result"]["suppress_comment"] for check in report["results"]["skipped_checks"]]
    assert reasons
    assert [reason for reason in reasons if len(reason.split()) < 4] == []
