"""``transform package``: makes the zip file of a Lambda layer from a module with transforms."""

import ast
import base64
import hashlib
import os
import sys
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from dynamodb_opensearch.cli.command import Json, command
from dynamodb_opensearch.cli.output import WELL, counted, print_json, stdout, tell
from dynamodb_opensearch.core.errors import ConfigurationError

TAKEN = frozenset(
    {
        *(
            "aws_lambda_powertools",
            "certifi",
            "charset_normalizer",
            "dateutil",
            "dynamodb_opensearch",
            "events",
            "idna",
        ),
        *("opensearchpy", "requests", "requests_aws4auth", "six", "typing_extensions", "urllib3"),
        *("awslambdaric", "boto3", "botocore", "jmespath", "s3transfer", "snapshot_restore_py"),
    }
)
"""Packages of the function's own zip file, and of Lambda's Python."""
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold


@command(
    "package",
    "dynamodb-opensearch transform package search.py",
    "dynamodb-opensearch transform package search --output build/search.zip",
)
def package(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A Python file, or the folder of a package.")],
    output: Annotated[Path, typer.Option(metavar="FILE", help="The zip file to write.")] = Path("layer.zip"),
    as_json: Json = False,
) -> int:
    """Make the zip file of a Lambda layer, and show what to write in Terraform.

    It checks that the code compiles, and lists the functions that a transform can name. It runs none of it. The same
    files make the same zip file everywhere, so Terraform publishes a new version only when the code has changed.
    """
    module, files = _read(file, output)
    functions = [name for path, text in files.items() for name in _functions(path, text)]
    if not functions:
        raise ConfigurationError(
            f"{file}: no function in it takes an item and nothing else: define def document(item): with a dict or None "
            "as its result"
        )
    data = _zipped(files)
    _write(output, data)
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    terraform = _terraform(module, output, functions[0])
    if as_json:
        print_json(
            {
                "command": "transform package",
                "output": str(output),
                "bytes": len(data),
                "sha256": digest,
                "module": module,
                "functions": functions,
                "terraform": terraform,
            }
        )
        return WELL
    console = stdout()
    console.print(
        Text(f"{output}: {counted(len(files), 'file')}, {len(data):,} bytes, SHA-256 {digest}"), soft_wrap=True
    )
    for name in functions:
        console.print(Text(f"  {name}"), soft_wrap=True)
    tell("\nIn Terraform:\n")
    console.print(Text(terraform), soft_wrap=True)
    return WELL


def _read(file: Path, output: Path) -> tuple[str, Mapping[str, bytes]]:
    """Return the module's name, and its files by their names in the layer.

    Raises:
        ConfigurationError: it isn't a module, or its name can't be used.
    """
    path = file.resolve()
    if path.name == "__init__.py":
        raise ConfigurationError(f"{file}: give the package's folder, not the file in it")
    is_folder = path.is_dir()
    if is_folder and not (path / "__init__.py").is_file():
        raise ConfigurationError(f"{file}: the folder has no __init__.py: add an empty one, or give a Python file")
    if not is_folder and (not path.is_file() or path.suffix != ".py"):
        raise ConfigurationError(f"{file}: it isn't a Python file or a folder with __init__.py")
    if is_folder and output.resolve().is_relative_to(path):
        raise ConfigurationError(f"--output {output}: it is in the folder {file}, and would be in the next layer")
    module = path.name if is_folder else path.stem
    _check_name(module, file)
    try:
        names = _belonging(path) if is_folder else [path]
        files = {name.relative_to(path.parent).as_posix(): name.read_bytes() for name in names}
    except OSError as error:
        raise ConfigurationError(f"{file}: it can't be read ({error.strerror})") from None
    return module, dict(sorted(files.items()))


def _belonging(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if path.is_file() and "__pycache__" not in parts and not any(part.startswith(".") for part in parts):
            yield path


def _check_name(module: str, file: Path) -> None:
    if not (module.isascii() and module.isidentifier()):
        raise ConfigurationError(f"{file}: {module!r} can't be imported: rename it to a name such as search")
    if module in TAKEN or module in sys.stdlib_module_names or module in sys.modules:
        raise ConfigurationError(
            f"{file}: a module {module} is already part of Python, of the function or of this command, and one would "
            "hide the other: rename it"
        )


def _functions(path: str, text: bytes) -> Iterator[str]:
    """Yield ``module:function`` of each public function that takes one argument.

    Raises:
        ConfigurationError: it doesn't compile.
    """
    if not path.endswith(".py"):
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, path)
            compile(tree, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise ConfigurationError(f"{path}:{error.lineno}: it doesn't compile: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path}: it doesn't compile: {error}") from None
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and _takes_one(node.args):
            yield f"{module}:{node.name}"


def _takes_one(arguments: ast.arguments) -> bool:
    """Whether a call with one positional argument works."""
    positional = len(arguments.posonlyargs) + len(arguments.args)
    required = positional - len(arguments.defaults)
    takes = required == 1 or (required == 0 and (positional > 0 or arguments.vararg is not None))
    return takes and all(default is not None for default in arguments.kw_defaults)


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """Return a zip file whose bytes depend only on names and contents. Compressed, they would depend on the zlib."""
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(f"python/{name}", _EPOCH)
            entry.create_system = 3  # Unix, even if made elsewhere
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
    return target.getvalue()


def _write(output: Path, data: bytes) -> None:
    partial = output.with_name(output.name + ".partial")
    try:
        partial.write_bytes(data)
        partial.replace(output)
    except OSError as error:
        raise ConfigurationError(f"--output {output}: it can't be written ({error.strerror})") from None
    finally:
        partial.unlink(missing_ok=True)


def _terraform(module: str, output: Path, function: str) -> str:
    place = output.as_posix() if output.is_absolute() else f"${{path.module}}/{os.path.normpath(output)}"
    return f"""\
resource "aws_lambda_layer_version" "{module}" {{
  layer_name          = "{module}"
  filename            = "{place}"
  source_code_hash    = filebase64sha256("{place}")
  compatible_runtimes = ["python3.13"]

  lifecycle {{
    create_before_destroy = true # the function has the old version until it is updated
  }}
}}

module "search" {{
  # … as it is, and:
  layers = [aws_lambda_layer_version.{module}.arn]
  indices = {{
    INDEX = {{ transform = "{function}" }}
  }}
}}"""
