"""Runs Terraform on a copy of this repository's modules: the checkout gets no plugins, locks or state."""

import re
import shutil
import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from os import environ
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FILES = (
    "*.tf",
    "modules/**/*.tf",
    "modules/**/*.hcl",
    "examples/**/*.tf",
    "examples/**/*.tftpl",
    "tests/terraform/*/*.tf",
    "tests/terraform/stand-ins/*/*.tf",
    "tests/terraform/**/*.hcl",
    "lambda/dist/*.zip",
)
# Modules of Terraform's registry that examples call, which no test fetches: the copy has a stand-in for each, with the
# inputs that the example gives and the outputs that it takes.
STAND_INS = {"terraform-aws-modules/dynamodb-table/aws": "../../tests/terraform/stand-ins/dynamodb-table"}
# The lowest version that versions.tf allows, so that tests mean the same everywhere.
LOWEST = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}
""".replace("5.100.0", environ.get("TEST_AWS_PROVIDER", "5.100.0"))


def folder_of_tests(module: str) -> str:
    """Where the copy has a module's own tests (``*.tftest.hcl``), below the module. The root's tests/ is Python's."""
    return "tests/terraform/sync" if module == "." else "tests"


def folder_with_tests(module: str) -> Path:
    """Where the repository has a module's own tests.

    Those of an example aren't in its folder: users run OpenTofu there, which reads tests/ and understands less of them.
    """
    if module.startswith("examples/"):
        return REPOSITORY / "tests" / "terraform" / module
    return REPOSITORY / module / folder_of_tests(module)


@dataclass(frozen=True, slots=True)
class Terraform:
    """Runs Terraform in folders of a copy of this repository."""

    copy: Path
    environment: dict[str, str]

    def __call__(self, folder: str, *arguments: str, allowed: Collection[int] = (0,)) -> str:
        """Terraform's output; an exit code that isn't allowed fails the test, and shows it."""
        done = subprocess.run(
            ["terraform", f"-chdir={self.copy / folder}", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode not in allowed:
            pytest.fail(
                f"terraform {' '.join(arguments)} in {folder} ended with {done.returncode}:\n{done.stdout}",
                pytrace=False,
            )
        return done.stdout

    def init(self, folder: str) -> None:
        """Make the folder ready, with the lowest provider version that the project allows."""
        (self.copy / folder / "lowest_override.tf").write_text(LOWEST, encoding="utf-8")
        self(folder, "init", f"-test-directory={folder_of_tests(folder)}")

    def test(self, folder: str, *files: str, options: Collection[str] = (), allowed: Collection[int] = (0,)) -> str:
        """The output of these test files of a module, or of all."""
        tests = folder_of_tests(folder)
        filters = [f"-filter={tests}/{file}" for file in files]
        return self(folder, "test", f"-test-directory={tests}", *filters, *options, allowed=allowed)


def copy_repository(folder: Path) -> Path:
    """Copy what Terraform needs, and nothing that an earlier run of it left; each example gets its tests."""
    for file in (file for pattern in FILES for file in REPOSITORY.glob(pattern)):
        if ".terraform" not in file.parts:
            target = folder / place(file.relative_to(REPOSITORY))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
    for file in folder.glob("examples/*/*.tf"):
        text = file.read_text(encoding="utf-8")
        file.write_text(with_stand_ins(text), encoding="utf-8")
    return folder


def with_stand_ins(text: str) -> str:
    """The text of a .tf file with stand-ins in place of the registry's modules and their versions."""
    for source, stand_in in STAND_INS.items():
        text = re.sub(rf'source +=  *"{source}"\n +version += ".+"\n', f'source = "{stand_in}"\n', text)
    return text


def place(file: Path) -> Path:
    """Where the copy has a file: the tests of an example in the example's folder, all else where it is."""
    match file.parts:
        case ("tests", "terraform", "examples", example, *rest):
            return Path("examples", example, "tests", *rest)
    return file
