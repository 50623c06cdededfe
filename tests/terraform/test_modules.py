"""Runs each module's own tests (*.tftest.hcl): what is planned and wired.

What is refused is run by test_validations.py, the policies by test_grants.py: these need more than Terraform's verdict.
"""

import pytest
from terraform.workspace import REPOSITORY, Terraform, folder_of_tests

MODULES = [
    ".",
    *sorted(path.parent.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("modules/*/tests")),
    "tests/terraform/together",
]


@pytest.mark.parametrize("folder", MODULES)
def test_a_module_passes_its_own_tests(terraform: Terraform, folder: str) -> None:
    terraform.init(folder)
    files = {path.name for path in (REPOSITORY / folder / folder_of_tests(folder)).glob("*.tftest.hcl")}
    files.discard("policy.tftest.hcl")

    assert "Success!" in terraform.test(folder, *sorted(files))
