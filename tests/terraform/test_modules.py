"""Runs each module's own tests (*.tftest.hcl): one run per validation, the IAM policies, every argument."""

import pytest
from terraform.workspace import Terraform

MODULES = {
    "modules/table": (),
    "modules/sync": (),
    ".": ("-test-directory=tests/terraform",),
    "examples/products": (),
}


@pytest.mark.parametrize("folder", MODULES)
def test_a_module_passes_its_own_tests(terraform: Terraform, folder: str) -> None:
    terraform.init(folder, *MODULES[folder])

    output = terraform(folder, "test", *MODULES[folder])

    assert "Success!" in output
