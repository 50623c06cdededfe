"""Runs Terraform on a copy of this repository's modules: the checkout gets no plugins, locks or state."""

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
    "examples/**/*.hcl",
    "examples/**/*.tftpl",
    "tests/terraform/*/*.tf",
    "tests/terraform/**/*.hcl",
    "lambda/dist/*.zip",
)
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
    """The folder of a module's own tests (``*.tftest.hcl``), below the module's. The root's tests/ is Python's."""
    return "tests/terraform/sync" if module == "." else "tests"


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
    """Copy what Terraform needs, and nothing that an earlier run of it left."""
    for file in (file for pattern in FILES for file in REPOSITORY.glob(pattern)):
        if ".terraform" not in file.parts:
            target = folder / file.relative_to(REPOSITORY)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
    return folder
