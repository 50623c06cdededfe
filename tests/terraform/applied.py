"""An example's life on LocalStack, in the manner of Terratest: applied by python-terraform, planned again, destroyed.

What an emulator has not got, a domain or a collection, is replaced by Terraform's own means in the copy that is
applied: by an override file, and by files left out. So examples need no switches for their tests.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
import python_terraform
from engines import LocalStackNode
from python_terraform import IsFlagged, IsNotFlagged, Terraform
from terraform.workspace import LOWEST

SERVICES = ("dynamodb", "ec2", "iam", "lambda", "logs", "secretsmanager", "sqs", "ssm", "sts")
PROVIDER = """
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  max_retries                 = 2
  skip_credentials_validation = true
  skip_metadata_api_check     = true

  endpoints {
%s
  }
}
"""


@dataclass(frozen=True, slots=True)
class AppliedExample:
    """An applied example: its outputs, and what Terraform would do next."""

    folder: Path
    terraform: Terraform
    aws: LocalStackNode

    @property
    def outputs(self) -> dict[str, Any]:
        return {name: output["value"] for name, output in self.terraform.output().items()}

    def client(self, service: str) -> Any:
        return client(self.aws, service)

    def planned_changes(self, override: str = "") -> dict[str, dict[str, Any]]:
        """What a plan would change, with an override file if given: by resource, each attribute's new value."""
        file = self.folder / "tuned_override.tf"
        file.write_text(override, encoding="utf-8")
        code, output, errors = self.terraform.plan(out="planned")
        file.unlink()
        assert code in (0, 2), output + errors
        _, shown, _ = self.terraform.cmd("show", "planned", json=IsFlagged, raise_on_error=True)
        changes = {}
        for resource in json.loads(shown).get("resource_changes", []):
            before, after = resource["change"]["before"] or {}, resource["change"]["after"] or {}
            if resource["mode"] == "managed" and resource["change"]["actions"] != ["no-op"]:
                changes[resource["address"]] = {key: after[key] for key in after if after[key] != before.get(key)}
        return changes


# The example's folder, a part of all its names, its variables, and an override file.
ApplyExample = Callable[[Path, str, Mapping[str, Any], str], AppliedExample]


@contextmanager
def applied(
    folder: Path,
    aws: LocalStackNode,
    environment: Mapping[str, str],
    variables: Mapping[str, Any],
    override: str,
) -> Iterator[AppliedExample]:
    """Apply the example in the folder, with an override file; destroy it after the block."""
    endpoints = "\n".join(f'    {service} = "{aws.url}"' for service in SERVICES)
    (folder / "localstack_override.tf").write_text(LOWEST + PROVIDER % endpoints + override, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        # It logs every exit code but 0, "changes are planned" too, by a method that Python deprecates.
        patch.setattr(python_terraform.log, "warn", python_terraform.log.warning)
        terraform = Terraform(working_dir=str(folder), variables=dict(variables))
        terraform.init(raise_on_error=True)
        try:
            terraform.apply(skip_plan=True, raise_on_error=True)
            yield AppliedExample(folder, terraform, aws)
        finally:
            # python-terraform knows Terraform before 0.15: its own -force is taken off.
            terraform.destroy(force=IsNotFlagged, auto_approve=IsFlagged, raise_on_error=True)


def eventually(condition: Callable[[], Any], seconds: float = 90) -> Any:
    """What the condition comes to, once it is true."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.2)
    return value


def client(aws: LocalStackNode, service: str) -> Any:
    """A boto3 client of LocalStack."""
    return boto3.Session("test", "test", region_name=aws.region).client(service, endpoint_url=aws.url)


def resources(aws: LocalStackNode, name: str) -> list[str]:
    """What LocalStack holds of the kinds that a sync consists of, as far as the name is part of theirs."""
    of = partial(client, aws)
    names = [
        *of("dynamodb").list_tables()["TableNames"],
        *(function["FunctionName"] for function in of("lambda").list_functions()["Functions"]),
        *(mapping["FunctionArn"] for mapping in of("lambda").list_event_source_mappings()["EventSourceMappings"]),
        *of("sqs").list_queues().get("QueueUrls", []),
        *(role["RoleName"] for role in of("iam").list_roles()["Roles"]),
        *(group["logGroupName"] for group in of("logs").describe_log_groups()["logGroups"]),
        *(group["GroupName"] for group in of("ec2").describe_security_groups()["SecurityGroups"]),
    ]
    return [one for one in names if name in one]
