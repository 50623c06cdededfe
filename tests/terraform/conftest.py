"""One copy of the modules for all tests of this folder, and what the provider knows."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from engines import terraform_environment
from terraform.validations import without_broken_runs
from terraform.workspace import Terraform, copy_repository


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terraform]:
    """Terraform, on one copy for all tests."""
    with terraform_environment() as environment:
        copy = copy_repository(tmp_path_factory.mktemp("terraform"))
        for test in copy.glob("**/*.tftest.hcl"):  # test_validations.py runs these, in a tenth of the time
            test.write_text(without_broken_runs(test.read_text(encoding="utf-8")), encoding="utf-8")
        yield Terraform(copy, environment)


@pytest.fixture(scope="session")
def provider_schemas(terraform: Terraform) -> dict[str, Any]:
    """What the provider knows: ``resource_schemas`` and ``data_source_schemas``, by type."""
    terraform.init("modules/table")
    schemas = json.loads(terraform("modules/table", "providers", "schema", "-json"))["provider_schemas"]
    provider: dict[str, Any] = schemas["registry.terraform.io/hashicorp/aws"]
    return provider


@pytest.fixture(scope="session")
def resource_schemas(provider_schemas: dict[str, Any]) -> dict[str, Any]:
    """What the provider knows of its resources' arguments, by resource type."""
    resources: dict[str, Any] = provider_schemas["resource_schemas"]
    return resources
