"""The examples: each passes its own tests (examples/NAME/*.tftest.hcl), is deployed by the same words, and says how."""

import os
import re
import subprocess
from pathlib import Path

import boto3
import pytest
from botocore import xform_name
from terraform.workspace import REPOSITORY, STAND_INS, Terraform, with_stand_ins

EXAMPLES = sorted(path.parent.name for path in REPOSITORY.glob("examples/*/versions.tf"))
TERRAFORM = """#!/bin/sh
echo "$@" >> "$CALLS"
"""


def readme(example: str) -> str:
    return (REPOSITORY / "examples" / example / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_passes_its_own_tests(terraform: Terraform, example: str) -> None:
    terraform.init(f"examples/{example}")

    assert "Success!" in terraform.test(f"examples/{example}")


def test_no_example_has_a_test_in_its_folder() -> None:
    """`tofu` reads those, and knows less of them; a user copies them."""
    found = [path for kind in ("tftest", "tofutest") for path in REPOSITORY.glob(f"examples/**/*.{kind}.*")]
    assert found == []


def test_each_example_has_tests_and_each_folder_of_tests_an_example() -> None:
    tested = {path.parent.name for path in REPOSITORY.glob("tests/terraform/examples/*/*.tftest.hcl")}
    assert tested == set(EXAMPLES)


def test_each_module_of_the_registry_has_a_stand_in_and_no_version_is_left() -> None:
    texts = [path.read_text(encoding="utf-8") for path in REPOSITORY.glob("examples/*/*.tf")]
    called = {source for text in texts for source in re.findall(r'source += "(\w[\w-]*/[\w-]+/[\w-]+)"', text)}
    assert called == set(STAND_INS)

    copied = "".join(map(with_stand_ins, texts))
    blocks = re.findall(r'^module "\w+" {\n(.*?)^}', copied, re.DOTALL | re.MULTILINE)
    assert [block for block in blocks if '"../' not in block or re.search(r"^  version +=", block, re.MULTILINE)] == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_protects_data_is_off_only_where_the_example_made_the_data(example: str) -> None:
    """A throw-away example is destroyed by one command; one that uses your table keeps the queue's dead letters."""
    code = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "examples" / example).glob("*.tf"))
    unprotected = len(re.findall(r"deletion_protection_enabled += false", code)) > 0
    syncs = len(re.findall(r'^module "sync\w*" {', code, re.MULTILINE))
    assert code.count("failure_destination_force_destroy = true") == (syncs if unprotected else 0)


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("action", ["apply", "destroy"])
def test_an_example_is_deployed_and_destroyed_in_its_own_folder(tmp_path: Path, example: str, action: str) -> None:
    calls, stand_in = tmp_path / "calls", tmp_path / "terraform"
    stand_in.write_text(TERRAFORM, encoding="utf-8")
    stand_in.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"

    command = [str(REPOSITORY / "scripts" / "deploy"), action, example, "-var=region=eu-west-1"]
    subprocess.run(command, env={"PATH": path, "CALLS": str(calls)}, check=True)

    assert calls.read_text(encoding="utf-8").splitlines() == [
        f"-chdir=examples/{example} init -input=false",
        f"-chdir=examples/{example} {action} -var=region=eu-west-1",
    ]


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_readme_says_when_to_choose_it_how_to_deploy_it_what_it_costs_and_how_to_remove_it(example: str) -> None:
    text = readme(example)
    wanted = [f"make deploy EXAMPLE={example}", f"make destroy EXAMPLE={example}", "cost"]
    assert [words for words in wanted if words not in text] == []
    assert re.search(r"^(Choose it if|You have) ", text, re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_readmes_links_lead_somewhere(example: str) -> None:
    folder = REPOSITORY / "examples" / example
    links = re.findall(r"\]\((?!https?://)([^)#]*)(?:#([^)]+))?\)", readme(example))
    broken = []
    for path, heading in links:
        target = folder / path
        page = target / "README.md" if target.is_dir() and heading else target
        headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE) if page.is_file() else []
        slugs = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in headings}
        if not page.exists() or (heading and heading not in slugs):
            broken.append(f"{path}#{heading}")
    assert broken == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_outputs_that_a_readme_tells_to_use_are_there(example: str) -> None:
    folder = REPOSITORY / "examples" / example
    named = set(re.findall(r"terraform (?:-chdir=\S+ )?output -raw (\w+)|output `(\w+)`", readme(example)))
    outputs = set(re.findall(r'^output "(\w+)"', (folder / "outputs.tf").read_text(encoding="utf-8"), re.MULTILINE))
    assert {name for pair in named for name in pair if name} <= outputs


@pytest.mark.parametrize("example", EXAMPLES)
def test_awss_own_models_know_the_commands_that_a_readme_shows(example: str) -> None:
    blocks = "".join(re.findall(r"^```sh$(.*?)^```$", readme(example), re.DOTALL | re.MULTILINE)).replace("\\\n", " ")
    unknown = []
    for service, operation, rest in re.findall(r"^aws (?!configure)([a-z]+) ([a-z-]+)(.*)", blocks, re.MULTILINE):
        model = boto3.client(service, region_name="eu-west-1").meta.service_model
        names = [name for name in model.operation_names if xform_name(name, "-") == operation]
        known = {
            f"--{xform_name(member, '-')}"
            for name in names
            for member in model.operation_model(name).input_shape.members
        }
        options = set(re.findall(r" (--[a-z-]+)", rest)) - {"--query"}
        unknown += [f"aws {service} {operation} {option}" for option in sorted(options - known)]
    assert unknown == []
