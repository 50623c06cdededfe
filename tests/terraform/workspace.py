"""Runs Terraform on a copy of this repository's modules: the checkout gets no plugins, locks or state."""

import shutil
import subprocess
from collections.abc import Collection
from dataclasses import dataclass
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
    "tests/terraform/*.hcl",
    "tests/terraform/upgrade/*.tf",
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
"""


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

    def init(self, folder: str, *arguments: str) -> None:
        """Make the folder ready, with the lowest provider version that the project allows."""
        (self.copy / folder / "lowest_override.tf").write_text(LOWEST, encoding="utf-8")
        self(folder, "init", *arguments)


def copy_repository(folder: Path) -> Path:
    """Copy what Terraform needs, and nothing that an earlier run of it left."""
    for file in (file for pattern in FILES for file in REPOSITORY.glob(pattern)):
        if ".terraform" not in file.parts:
            target = folder / file.relative_to(REPOSITORY)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
    return folder
