# ruff: noqa: INP001 (a script, not a package)
"""Writes tests/terraform/provider_6.json: provider 6's schema of each resource and data source that our .tf files use.

The provider itself can't be had everywhere; its schema can: HashiCorp's last Python bindings for it were generated from
it. They are 59 MB in one wheel, which pip fetches into a temporary folder, held against its hash. Nothing of it is
installed or imported: the classes are read as text.

usage: provider_schema.py [FOLDER...]      folders with .tf files, beside this repository's own
"""

import ast
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
SNAPSHOT = REPOSITORY / "tests/terraform/provider_6.json"
VERSION = "6.25.0"
BINDINGS = "cdktf-cdktf-provider-aws==21.22.1"
SHA256 = "603c647c4de622ed0a2b5e0f1518d81a89b31eed84b67d23410840041e7df924"
_PACKAGE = "cdktf_cdktf_provider_aws"

Schema = dict[str, Any]
"""``{"required": [name], "optional": [name], "computed": [name], "blocks": {name: …}, "objects": {name: …}}``.

Blocks are written ``name { … }``. Objects are attributes with attributes of their own, to set or only to read. A block
or an object that must be given is also in ``required``. What is empty is left out.
"""


class SchemaError(Exception):
    """The bindings can't be had, or aren't as this script reads them."""


def used_types(folders: Iterable[Path]) -> set[str]:
    """``resource aws_sqs_queue`` or ``data aws_region``, for each that a .tf file below these folders declares."""
    found = set()
    for folder in folders:
        for path in folder.rglob("*.tf"):
            if ".terraform" not in path.parts:
                text = path.read_text(encoding="utf-8")
                found |= {" ".join(pair) for pair in re.findall(r'^(resource|data) "(aws_\w+)"', text, re.MULTILINE)}
    return found


def download(folder: Path) -> Path:
    """Fetch the wheel by pip, which refuses any with another hash."""
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{BINDINGS} --hash=sha256:{SHA256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    options = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement", str(requirements)]
    try:
        subprocess.run([*command, *options, "--dest", str(folder)], check=True)
    except subprocess.CalledProcessError as error:
        raise SchemaError(f"pip could not fetch {BINDINGS} (exit {error.returncode}); its reason is above") from error
    [wheel] = folder.glob("*.whl")
    return wheel


def module_of(kind: str) -> str:
    """The bindings' module of ``resource aws_sqs_queue`` (sqs_queue) or ``data aws_region`` (data_aws_region)."""
    sort, _, name = kind.partition(" ")
    return f"data_{name}" if sort == "data" else name.removeprefix("aws_")


def schema_of(source: str) -> Schema:
    """The schema of the one type that a module of the bindings is for."""
    return _Module(ast.parse(source)).schema()


@dataclass(frozen=True, slots=True)
class _Module:
    tree: ast.Module

    def schema(self) -> Schema:
        classes = {node.name: node for node in self.tree.body if isinstance(node, ast.ClassDef)}
        [main] = [
            node
            for node in classes.values()
            if any(ast.unparse(base).endswith((".TerraformResource", ".TerraformDataSource")) for base in node.bases)
        ]
        return _schema(classes, f"{main.name}Config", main.name)


def _schema(classes: Mapping[str, ast.ClassDef], config: str, reference: str) -> Schema:
    """The schema of one level.

    Args:
        config: the class with the arguments.
        reference: the class with what can be read.
    """
    found: dict[str, Any] = {"required": [], "optional": [], "computed": [], "blocks": {}, "objects": {}}
    given = dict(_arguments(classes[config]))
    read = dict(_attributes(classes[reference]))
    for name, argument in given.items():
        found["required" if argument.required else "optional"].append(name)
        if nested := _nested(classes, argument.annotation):
            inner = f"{nested}OutputReference"
            level = _schema(classes, nested, inner if inner in classes else nested)
            found["blocks" if argument.is_block else "objects"][name] = level
    for name in read.keys() - given.keys():
        found["computed"].append(name)
        if nested := _nested(classes, read[name]):
            base = re.sub(r"(List|Map|OutputReference)$", "", nested)
            found["objects"][name] = _schema(classes, base, f"{base}OutputReference")
    lists = {key: sorted(value) for key, value in found.items() if isinstance(value, list) and value}
    return lists | {key: value for key, value in found.items() if isinstance(value, dict) and value}


@dataclass(frozen=True, slots=True)
class _Argument:
    annotation: str
    is_block: bool

    @property
    def required(self) -> bool:
        return not self.annotation.startswith("typing.Optional[")


def _arguments(config: ast.ClassDef) -> Iterator[tuple[str, _Argument]]:
    """The properties of a class of arguments, by the provider's names, without Terraform's own (count, provider)."""
    for method in _properties(config):
        documentation = ast.get_docstring(method) or ""
        if named := re.search(r"/6\.\d+\.\d+/docs/(?:resources|data-sources)/\w+#(\w+)", documentation):
            yield named[1], _Argument(_annotation(method), bool(re.match(rf"{named[1]} block\.", documentation)))
        elif ":stability:" not in documentation:
            raise SchemaError(f"{config.name}.{method.name} has no link to the registry's page")


def _attributes(reference: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """What can be read, by name: its annotation."""
    ours = {"TF_RESOURCE_TYPE", "internal_value", "fqn"}
    for method in _properties(reference):
        if method.name not in ours and not method.name.endswith("_input") and not method.name.startswith("_"):
            yield method.name.rstrip("_"), _annotation(method)  # Python's own words have a _ at the end


def _properties(node: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    for method in node.body:
        decorators = [ast.unparse(one) for one in getattr(method, "decorator_list", [])]
        if isinstance(method, ast.FunctionDef) and "builtins.property" in decorators:
            yield method


def _annotation(method: ast.FunctionDef) -> str:
    return ast.unparse(method.returns) if method.returns else ""


def _nested(classes: Mapping[str, ast.ClassDef], annotation: str) -> str | None:
    """The class of this module that an annotation names, if it names one."""
    return next((name for name in re.findall(r"\w+", annotation) if name in classes), None)


def snapshot(wheel: Path, kinds: Iterable[str]) -> Schema:
    """The schemas of these types, from the bindings' wheel."""
    schemas = {}
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
        for kind in sorted(kinds):
            path = f"{_PACKAGE}/{module_of(kind)}/__init__.py"
            if path not in names:
                raise SchemaError(f"provider {VERSION} has no {kind}: remove it from the .tf files")
            schemas[kind] = schema_of(opened.read(path).decode())
    return {"provider": VERSION, "bindings": BINDINGS, "sha256": SHA256, "schemas": schemas}


def main(arguments: list[str]) -> int:
    folders = [REPOSITORY, *map(Path, arguments)]
    if missing := [folder for folder in folders if not folder.is_dir()]:
        print(
            f"provider_schema.py: {missing[0]} is no folder: give folders with .tf files, or nothing", file=sys.stderr
        )
        return 2
    try:
        with tempfile.TemporaryDirectory() as folder:
            written = snapshot(download(Path(folder)), used_types(folders))
    except SchemaError as error:
        print(f"provider_schema.py: {error}", file=sys.stderr)
        return 1
    SNAPSHOT.write_text(json.dumps(written, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{SNAPSHOT.relative_to(REPOSITORY)}: {len(written['schemas'])} types of provider {VERSION}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
