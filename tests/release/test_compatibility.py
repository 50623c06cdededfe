"""docs/reference/compatibility.md and upgrade.md say what the files say."""

import re
from pathlib import Path

from engines.opensearch_node import VERSION as OPENSEARCH

from scripts.changelog import sections
from scripts.provider_schema import VERSION as PROVIDER

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs/reference/compatibility.md").read_text(encoding="utf-8")
UPGRADE = (REPOSITORY / "docs/reference/upgrade.md").read_text(encoding="utf-8")


def row(name: str) -> str:
    [found] = re.findall(rf"^\| {re.escape(name)} \| (.*) \|$", PAGE, re.MULTILINE)
    return str(found)


def read(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def test_terraform_and_provider_are_those_of_versions_tf() -> None:
    versions = read("versions.tf")
    terraform = re.search(r'required_version = ">= (\d+\.\d+)\.0"', versions)
    provider = re.search(r'version = ">= (\S+), < (\d+\.\d+)\.0"', versions)
    assert terraform is not None
    assert provider is not None
    assert f"{terraform[1]} or later" in row("Terraform")
    assert f"{terraform[1]} or later" in row("OpenTofu")
    assert f"{provider[1]} or later, below {provider[2]}" in row("provider `hashicorp/aws`")


def test_provider_6_is_the_snapshots() -> None:
    assert f"the schema of\nversion {PROVIDER}" in PAGE


def test_the_command_needs_the_python_of_its_package() -> None:
    needed = re.search(r'requires-python = ">=(\S+)"', read("lambda/pyproject.toml"))
    assert needed is not None
    assert row("the command").startswith(f"Python {needed[1]} or later")


def test_opensearch_is_the_one_that_the_tests_start() -> None:
    assert f"all tests on {OPENSEARCH}." in row("OpenSearch")


def test_every_runtime_that_the_module_accepts_is_on_the_page() -> None:
    """The page may name one that an older provider refuses; it may not leave one out."""
    accepted = re.search(r'contains\(\[((?:"python3\.\d+"(?:, )?)+)\], var\.runtime\)', read("variables.tf"))
    assert accepted is not None
    versions = [int(minor) for minor in re.findall(r"python3\.(\d+)", accepted[1])]
    first, last = re.findall(r"python3\.(\d+)", row("Lambda runtime"))[:2]
    assert int(first) == min(versions)
    assert int(last) >= max(versions)


def test_every_released_version_has_its_notes() -> None:
    released = [version for version in sections(read("CHANGELOG.md")) if version != "Unreleased"]
    notes = re.findall(r"^### (\d+\.\d+\.\d+)$", UPGRADE, re.MULTILINE)
    assert set(released) <= set(notes)
    assert notes == sorted(notes, key=lambda one: [int(part) for part in one.split(".")], reverse=True)
