"""Runs each module's own tests (*.tftest.hcl): what is planned and wired.

What is refused is run by test_validations.py, the policies by test_grants.py: these need more than Terraform's verdict.
"""

import pytest
from terraform.workspace import REPOSITORY, Terraform

MODULES = sorted(path.parent.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("modules/*/tests"))


@pytest.mark.parametrize("folder", MODULES)
def test_a_module_passes_its_own_tests(terraform: Terraform, folder: str) -> None:
    terraform.init(folder)
    files = {path.name for path in (REPOSITORY / folder / "tests").glob("*.tftest.hcl")}
    if folder in {"modules/operations", "modules/sync"}:
        files.remove("policy.tftest.hcl")
    filters = [f"-filter=tests/{name}" for name in sorted(files)]

    assert "Success!" in terraform(folder, "test", *filters)


def test_the_root_passes_its_own_tests(terraform: Terraform) -> None:
    here = "-test-directory=tests/terraform"
    terraform.init(".", here)

    assert "Success!" in terraform(".", "test", here)
