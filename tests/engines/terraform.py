"""Makes the environment for this project's own runs of Terraform: never the user's AWS account, few downloads."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engines.errors import EngineError
from engines.home import home_folder

REGISTRY = "registry.terraform.io"
COLOURLESS = ("apply", "destroy", "import", "init", "output", "plan", "show", "test", "validate")


@contextmanager
def terraform_environment() -> Iterator[dict[str, str]]:
    """Yield variables for Terraform, without the user's AWS settings, colours and prompts.

    Providers come from the local mirror in TF_PLUGIN_MIRROR; else as the user's own CLI configuration says; else from
    a mirror in one of the usual places; else from Terraform's registry, but only once: ENGINES_HOME caches them.
    """
    environment = without_aws_settings()
    environment |= {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
    environment |= {f"TF_CLI_ARGS_{command}": "-no-color" for command in COLOURLESS}
    if mirror := _mirror():
        with tempfile.TemporaryDirectory(prefix="terraform-") as folder:
            configuration = Path(folder) / "cli.tfrc"
            configuration.write_text(cli_configuration(mirror), encoding="utf-8")
            yield {**environment, "TF_CLI_CONFIG_FILE": str(configuration)}
        return
    if not _has_user_configuration():
        environment.pop("TF_CLI_CONFIG_FILE", None)  # it names a missing file: Terraform would warn at every command
    if "TF_PLUGIN_CACHE_DIR" not in environment:
        environment["TF_PLUGIN_CACHE_DIR"] = str(home_folder("terraform-plugins"))
        # else the cache would serve only folders with a lock file; modules and examples have none
        environment["TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"] = "1"
    yield environment


def without_aws_settings() -> dict[str, str]:
    """Return this program's environment without AWS profiles, keys or endpoints."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def cli_configuration(mirror: Path) -> str:
    """Return a Terraform CLI configuration that uses the mirror for what it has, and the registry for the rest."""
    providers = sorted(path.relative_to(mirror).as_posix() for path in mirror.glob(f"{REGISTRY}/*/*"))
    names = ", ".join(f'"{provider}"' for provider in providers)
    return (
        "provider_installation {\n"
        f'  filesystem_mirror {{\n    path    = "{mirror}"\n    include = [{names}]\n  }}\n'
        f"  direct {{\n    exclude = [{names}]\n  }}\n"
        "}\n"
    )


def _mirror() -> Path | None:
    if named := os.environ.get("TF_PLUGIN_MIRROR"):
        mirror = Path(named).expanduser().absolute()
        if not (mirror / REGISTRY).is_dir():
            raise EngineError(f"TF_PLUGIN_MIRROR={named}: that folder must hold {REGISTRY}/; correct or unset it")
        return mirror
    if _has_user_configuration():
        return None
    return next((folder for folder in _usual_places() if (folder / REGISTRY).is_dir()), None)


def _usual_places() -> Iterator[Path]:
    """Yield places for mirrors that Terraform doesn't search by itself."""
    yield from sorted(Path("/opt").glob("*"))


def _has_user_configuration() -> bool:
    named = os.environ.get("TF_CLI_CONFIG_FILE") or os.environ.get("TERRAFORM_CONFIG")
    return Path(named).is_file() if named else (Path.home() / ".terraformrc").is_file()
