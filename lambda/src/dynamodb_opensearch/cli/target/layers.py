"""Puts the code of the deployed function's transforms on this process's path: its layers, and nothing else.

Whatever compares or writes documents must run the very code that the function runs. So it comes from Lambda, and the
hashes of all layers are its fingerprint.
"""

import hashlib
import importlib
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import boto3

from dynamodb_opensearch.aws import ASKED_ONCE, ask
from dynamodb_opensearch.cli.output import warn
from dynamodb_opensearch.cli.target.layer_zip import Layer, unpacked
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.transforms import read_name

_PATIENCE_SECONDS = 60
_PACKAGE = "dynamodb-opensearch transform package FILE makes one"


@dataclass(frozen=True, slots=True)
class LayerCode:
    """The code that a function's transforms come from."""

    function: str
    """As it was named: with a version or alias, if one was given."""
    runtime: str
    layers: tuple[Layer, ...]

    @property
    def fingerprint(self) -> str:
        """Equal if and only if all layers are the same files, in the same order; hexadecimal."""
        return hashlib.sha256(",".join(layer.sha256 for layer in self.layers).encode()).hexdigest()


def use_layers(named: str, transforms: Collection[str]) -> LayerCode:
    """Fetch the function's layers and put their Python code on the path, where each transform's module must be found.

    To be called before a transform is imported. Worker processes get the same path from this one.

    Args:
        named: the function, as GetFunctionConfiguration takes it.
        transforms: ``module:function`` of each.

    Raises:
        ConfigurationError: a layer can't be fetched, or a module isn't in one, or would come from elsewhere.
    """
    answer = _ask_function(named)
    if answer.get("LastUpdateStatus") == "InProgress":
        raise ConfigurationError(f"the function {named!r} is being updated: run the command again in a minute")
    code = _read(named, answer)
    _warn_of_other_python(code)
    folder = unpacked(code.layers, code.fingerprint) / "python"
    paths = [str(folder / "lib" / code.runtime / "site-packages"), str(folder)]  # the order of Lambda's own
    sys.path[:] = [*paths, *(path for path in sys.path if path not in paths)]
    importlib.invalidate_caches()
    for transform in transforms:
        _check_origin(transform, named, paths)
    return code


def check_layers(before: LayerCode) -> None:
    """Check that the function still has the same code.

    Raises:
        ConfigurationError: it has other layers now.
    """
    after = _read(before.function, _ask_function(before.function))
    if after.fingerprint != before.fingerprint:
        raise ConfigurationError(
            f"while this ran, the function {before.function!r} got other layers, and its transform may be another: the "
            "result means nothing; run it again"
        )


def refuse_without_function(transforms: Collection[str]) -> ConfigurationError:
    """Make the error for a sync with transforms whose function wasn't named: nothing proves what code it runs."""
    return ConfigurationError(
        f"the sync has a transform ({', '.join(sorted(transforms))}), and only its deployed function says which code "
        "that is: name the function with --function NAME or --terraform DIR"
    )


def _ask_function(named: str) -> Mapping[str, Any]:
    client = boto3.client("lambda", config=ASKED_ONCE)
    answer: Mapping[str, Any] = ask(
        lambda: client.get_function_configuration(FunctionName=named),
        Deadline.after(_PATIENCE_SECONDS),
        "GetFunctionConfiguration",
        f"the function {named!r}",
    )
    return answer


def _read(named: str, answer: Mapping[str, Any]) -> LayerCode:
    layers = tuple(_ask_layer(layer["Arn"]) for layer in answer.get("Layers", ()))
    return LayerCode(named, str(answer.get("Runtime", "")), layers)


def _ask_layer(arn: str) -> Layer:
    region = arn.split(":")[3]
    client = boto3.client("lambda", config=ASKED_ONCE, region_name=region)
    content = ask(
        lambda: client.get_layer_version_by_arn(Arn=arn),
        Deadline.after(_PATIENCE_SECONDS),
        "GetLayerVersionByArn",
        f"the layer {arn}",
    )["Content"]
    return Layer(arn, content["CodeSha256"], int(content["CodeSize"]), content["Location"])


def _warn_of_other_python(code: LayerCode) -> None:
    ours = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if code.layers and code.runtime != ours:
        warn(
            f"the function runs its transform with {code.runtime}, and this command with {ours}: they may give "
            "different documents where Python's versions differ"
        )


def _check_origin(transform: str, named: str, paths: Sequence[str]) -> None:
    """Check that the import of a transform will find it in the layers.

    Raises:
        ConfigurationError: it isn't there, or another module has its name.
    """
    module = read_name(transform)[0]
    top = module.partition(".")[0]
    in_layers = PathFinder.find_spec(top, list(paths))
    if in_layers is None:
        raise ConfigurationError(
            f"the transform {transform!r}: none of the layers of the function {named!r} has the module {top}. Only a "
            "layer's python/ folder can be fetched and compared, not what is in the function's own package: publish "
            f"the module as a layer ({_PACKAGE})"
        )
    try:
        found = find_spec(top)
    except ValueError:  # it was imported without a spec
        found = None
    elsewhere = [place for place in _places(found) if not _is_in(place, paths)]
    if elsewhere or found is None:
        raise ConfigurationError(
            f"the transform {transform!r}: this command would import {top} from "
            f"{', '.join(elsewhere) or 'itself'} instead of the function's layer: rename the module"
        )


def _places(spec: ModuleSpec | None) -> list[str]:
    """Return where a module is, or all the folders of a package without ``__init__.py``."""
    if spec is None:
        return []
    if spec.origin is not None:
        return [spec.origin]
    return list(spec.submodule_search_locations or ())


def _is_in(place: str, paths: Sequence[str]) -> bool:
    return any(Path(place).is_relative_to(path) for path in paths)
