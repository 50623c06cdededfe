"""Finds the deployed function in a Terraform output, wherever the sync's outputs are in it."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dynamodb_opensearch.core.errors import ConfigurationError


def function_of(path: Path) -> str:
    """Return the only function that an output names: its ARN where the output has one, else its name.

    If the function is published, the alias is named with it: that is what the event source mapping follows.

    Args:
        path: a folder where ``terraform output -json`` works, or a file with what that prints.

    Raises:
        ConfigurationError: there is no output, or no function in it, or several.
    """
    outputs = _decoded(_output(path) if path.is_dir() else _text(path), path)
    found = dict(_functions({name: output["value"] for name, output in outputs.items()}, ""))
    if not found:
        raise ConfigurationError(
            f"--terraform {path}: no output is named function_name, alone or inside an object such as "
            '`output "search" { value = module.search }`; add one and apply, or give --function NAME'
        )
    if len(set(found.values())) > 1:
        listed = ", ".join(f"{where} = {name}" for where, name in sorted(found.items()))
        raise ConfigurationError(f"--terraform {path}: there are several functions ({listed}); give --function NAME")
    return next(iter(found.values()))


def _functions(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Yield where each function's name is, and the name, or the ARN beside it, which holds the Region too."""
    if isinstance(value, Mapping):
        if isinstance(name := value.get("function_name"), str) and name:
            yield f"{where}function_name", _qualified(name, value)
        for key, inner in value.items():
            yield from _functions(inner, f"{where}{key}.")


def _qualified(name: str, outputs: Mapping[str, Any]) -> str:
    """Return a function's ARN, or its name, with the alias that the outputs beside its name give it."""
    arn, alias = outputs.get("function_arn"), outputs.get("function_qualifier")
    function = arn if isinstance(arn, str) and arn.endswith(f":{name}") else name
    return f"{function}:{alias}" if isinstance(alias, str) and alias else function


def _decoded(text: str, path: Path) -> dict[str, Any]:
    try:
        outputs = json.loads(text)
        if all(isinstance(output, dict) and "value" in output for output in outputs.values()):
            return dict(outputs)
    except (AttributeError, ValueError):
        pass
    raise ConfigurationError(f"--terraform {path}: it isn't what `terraform output -json` prints") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it isn't text"
        raise ConfigurationError(f"--terraform {path}: it can't be read ({reason})") from None


def _output(folder: Path) -> str:
    program = shutil.which("terraform") or shutil.which("tofu")
    if program is None:
        raise ConfigurationError(
            f"--terraform {folder}: neither terraform nor tofu is installed; give a file that holds what "
            "`terraform output -json` prints, or --function NAME"
        )
    command = [program, f"-chdir={folder}", "output", "-json", "-no-color"]
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", check=False, timeout=120
        )
    except OSError as error:
        raise ConfigurationError(f"--terraform {folder}: {program} can't be run ({error.strerror})") from None
    except subprocess.TimeoutExpired:
        raise ConfigurationError(f"--terraform {folder}: `terraform output` took more than two minutes") from None
    if done.returncode != 0:
        lines = [line.strip(" │╷╵") for line in done.stderr.splitlines()]
        reason = next((line for line in lines if line), f"exit {done.returncode}")
        raise ConfigurationError(f"--terraform {folder}: `terraform output` failed ({reason})")
    return done.stdout
