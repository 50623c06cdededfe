"""What an upgrade from a release changes: its recorded state, planned against by the modules as they are now, offline.

    python -m terraform.upgrade VERSION     records the state of this checkout as that release's, by means of LocalStack

The provider itself says what it would replace: nothing but its own schema is asked for that.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from engines import localstack, terraform_environment
from terraform.workspace import REPOSITORY, Terraform, copy_repository

FOLDER = "tests/terraform/upgrade"
RELEASES = REPOSITORY / FOLDER / "releases"


def planned_changes(terraform: Terraform, state: str) -> dict[str, list[str]]:
    """What Terraform would do to each resource of a state that isn't as the modules say: ``{address: actions}``."""
    folder = terraform.copy / FOLDER
    (folder / "terraform.tfstate").write_text(state, encoding="utf-8")
    terraform.init(FOLDER)
    terraform(FOLDER, "plan", "-refresh=false", "-out=plan.bin")
    plan = json.loads(terraform(FOLDER, "show", "-json", "plan.bin"))
    changes = {change["address"]: change["change"]["actions"] for change in plan["resource_changes"]}
    return {address: actions for address, actions in changes.items() if actions not in (["no-op"], ["read"])}


def record(version: str) -> Path:
    """Apply the modules as they are to LocalStack, and keep the state."""
    with (
        tempfile.TemporaryDirectory() as copy,
        localstack(announce=print) as aws,
        terraform_environment() as environment,
    ):
        terraform = Terraform(copy_repository(Path(copy)), {**environment, **aws.environment()})
        terraform.init(FOLDER)
        terraform(FOLDER, "apply", "-auto-approve")
        state = json.loads((terraform.copy / FOLDER / "terraform.tfstate").read_text(encoding="utf-8"))
    target = RELEASES / f"{version}.json"
    target.write_text(json.dumps(_essence(state), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return target


def _essence(state: dict[str, Any]) -> dict[str, Any]:
    """The state without what every plan reads again."""
    managed = [resource for resource in state["resources"] if resource["mode"] == "managed"]
    return {**state, "resources": managed, "check_results": None, "outputs": {}}


def main(arguments: list[str]) -> int:
    try:
        [version] = arguments
    except ValueError:
        print("usage: python -m terraform.upgrade VERSION", file=sys.stderr)
        return 2
    print(record(version).relative_to(REPOSITORY))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
