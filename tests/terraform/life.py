"""A configuration's life, as its owner sees it: what each plan says, in Terraform's own JSON, and what applies do."""

import json
import shutil
import zipfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terraform.workspace import REPOSITORY, Terraform, copy_repository

# Much of an apply is waiting: the provider waits for 25 seconds until a queue's attributes are what they should be.
PARALLELISM = "-parallelism=40"
# What LocalStack takes and doesn't give back, by resource type: each plan would set it again.
FORGOTTEN = {
    "aws_cloudwatch_metric_alarm": {"tags", "tags_all"},
    "aws_lambda_function": {"kms_key_arn"},
    "aws_sfn_state_machine": {"encryption_configuration", "tracing_configuration"},
}
PACKAGE = "lambda/dist/dynamodb-opensearch.zip"


@dataclass(frozen=True, slots=True)
class Change:
    """What a plan does to one resource."""

    actions: tuple[str, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    unknown: Mapping[str, Any]
    """The attributes that the plan doesn't know, as Terraform has it: true, or what of a list or map is."""

    @property
    def attributes(self) -> set[str]:
        """The names of the attributes that change, or may change."""
        changed = {name for name in self.after if self.after[name] != self.before.get(name)}
        return changed | {name for name, unknown in self.unknown.items() if holds_true(unknown)}


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan, by the resources' addresses."""

    resources: Mapping[str, Change]
    reads: Mapping[str, Change]
    """The data sources that can only be read while it is applied."""
    moved: Mapping[str, str]
    """Address -> the one before."""
    outputs: Mapping[str, Change]

    def of(self, prefix: str) -> dict[str, Change]:
        """The changes of one module, by addresses in it."""
        return {
            address.removeprefix(f"{prefix}."): change
            for address, change in self.resources.items()
            if address.startswith(f"{prefix}.")
        }

    def differences(self, prefix: str = "") -> dict[str, set[str]]:
        """The attributes that differ from what was applied, but for those that LocalStack forgets."""
        found = {
            address: set(change.actions) if change.actions != ("update",) else change.attributes - _forgotten(address)
            for address, change in self.resources.items()
            if address.startswith(prefix)
        }
        return {address: attributes for address, attributes in found.items() if attributes}

    def having(self, action: str) -> list[str]:
        """The addresses of what the plan does this to."""
        return sorted(address for address, change in self.resources.items() if action in change.actions)


@dataclass(frozen=True, slots=True)
class Life:
    """A folder with a configuration, initialized, whose state is what was applied."""

    terraform: Terraform
    folder: str

    def __call__(self, *arguments: str, allowed: Collection[int] = (0,)) -> str:
        return self.terraform(self.folder, *arguments, allowed=allowed)

    def plan(self, *options: str, **variables: Any) -> Plan:
        """What an apply with these variables would do. It is kept, for `apply`."""
        self("plan", "-out=planned", PARALLELISM, *options, *_assigned(variables))
        return _read(json.loads(self("show", "-json", "planned")))

    def apply(self) -> None:
        """Apply the latest plan."""
        self("apply", PARALLELISM, "planned")

    def destroy(self, **variables: Any) -> None:
        self("destroy", "-auto-approve", PARALLELISM, *_assigned(variables))

    def outputs(self) -> dict[str, Any]:
        return {name: output["value"] for name, output in json.loads(self("output", "-json")).items()}


def prepare(copy: Path, folder: str, environment: Mapping[str, str], *, package: bool = False) -> Life:
    """Initialize a copy of a folder. Its function's package is a small one, unless it matters what is in it."""
    copy_repository(copy)
    shutil.copytree(
        REPOSITORY / folder, copy / folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".terraform*")
    )
    if not package:  # no function is invoked, and each is created with a copy of 8 MB
        with zipfile.ZipFile(copy / PACKAGE, "w") as archive:
            archive.writestr("dynamodb_opensearch/__init__.py", "")
    terraform = Terraform(copy, dict(environment))
    terraform.init(folder)
    return Life(terraform, folder)


def holds_true(unknown: Any) -> bool:
    """Whether anything is unknown in what a plan's after_unknown has of an attribute."""
    match unknown:
        case dict():
            return any(holds_true(part) for part in unknown.values())
        case list():
            return any(holds_true(part) for part in unknown)
    return unknown is True


def _forgotten(address: str) -> set[str]:
    return next((lost for kind, lost in FORGOTTEN.items() if f".{kind}." in f".{address}"), set())


def _assigned(variables: Mapping[str, Any]) -> Iterator[str]:
    for name, value in variables.items():
        yield f"-var={name}={value if isinstance(value, str) else json.dumps(value)}"


def _read(shown: Mapping[str, Any]) -> Plan:
    resources: dict[str, Change] = {}
    reads: dict[str, Change] = {}
    moved: dict[str, str] = {}
    outputs = {name: _change(change) for name, change in shown.get("output_changes", {}).items()}
    for resource in shown.get("resource_changes", []):
        address, change = resource["address"], resource["change"]
        if "previous_address" in resource:
            moved[address] = resource["previous_address"]
        if change["actions"] != ["no-op"] or "importing" in change:
            (reads if resource["mode"] == "data" else resources)[address] = _change(change)
    return Plan(resources, reads, moved, outputs)


def _change(change: Mapping[str, Any]) -> Change:
    """Read a resource's change, or an output's: that lacks `after` while nothing of it is known."""
    unknown = change.get("after_unknown") or {}
    return Change(
        tuple(change["actions"]),
        change.get("before") or {},
        change.get("after") or {},
        unknown if isinstance(unknown, dict) else {"": unknown},
    )
