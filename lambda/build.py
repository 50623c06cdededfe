"""Builds ``dist/dynamodb-opensearch.zip``, both functions and their pinned packages: the same bytes everywhere.

Of our package it holds the modules that the two handlers import, directly or not: what only the command line uses stays
out, without a list that has to be kept.

Names are sorted, times and modes fixed, nothing is compressed (the bytes would depend on the zlib), and all wheels are
pure Python: one zip for arm64 and x86-64.

usage: python lambda/build.py [OUTPUT]
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.imports import SOURCE, graph_of, modules_of, reachable

HERE = Path(__file__).resolve().parent
HANDLERS = ("dynamodb_opensearch.functions.sync", "dynamodb_opensearch.functions.operate")
LOCK = HERE / "requirements.lock"
OUTPUT = HERE / "dist" / "dynamodb-opensearch.zip"

RUNTIME = "3.11"  # the oldest Lambda runtime that the function runs on
FROM_THE_RUNTIME = {"boto3", "botocore", "jmespath", "s3transfer"}  # Lambda includes these, newer than ours would be
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold


def main(output: Path = OUTPUT) -> None:
    """Write the zip and print its size and SHA-256."""
    with tempfile.TemporaryDirectory() as folder:
        vendored = Path(folder)
        install(vendored)
        files = packages(vendored) | ours()
        output.parent.mkdir(parents=True, exist_ok=True)
        partial = output.with_suffix(".partial")
        write(partial, files)
        partial.replace(output)
    print(f"{output}: {output.stat().st_size} bytes, sha256 {hashlib.sha256(output.read_bytes()).hexdigest()}")


def install(target: Path) -> None:
    """Unpack the locked wheels, and check their hashes. A package without a pure-Python wheel is an error."""
    lines = LOCK.read_text().splitlines()
    kept, keep = [], True
    for line in lines:
        if not line.startswith((" ", "#")):  # a package's first line; its hashes and comments are indented
            keep = line.split("==")[0] not in FROM_THE_RUNTIME
        if keep:
            kept.append(line)
    requirements = target.parent / f"{target.name}.txt"
    requirements.write_text("\n".join(kept) + "\n")
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"),
        *("--requirement", str(requirements), "--require-hashes", "--no-deps", "--no-compile", "--target", str(target)),
        *("--only-binary", ":all:", "--implementation", "py", "--abi", "none", "--platform", "any"),
        *("--python-version", RUNTIME),
    ]
    try:
        subprocess.run(command, check=True)
    except subprocess.CalledProcessError as error:
        sys.exit(f"lambda/build.py: pip could not install {LOCK.name} (exit {error.returncode}); its reason is above")
    finally:
        requirements.unlink()


def ours(source: Path = SOURCE) -> dict[str, Path]:
    """Name in the zip -> file, of the modules that the handlers reach by imports. An import in a function counts."""
    modules = modules_of(source)
    reached = reachable(HANDLERS, graph_of(modules))
    return {modules[name].relative_to(source).as_posix(): modules[name] for name in reached}


def packages(root: Path) -> dict[str, Path]:
    """Name in the zip -> file, of the vendored packages with their metadata and licences, without their tests."""
    return {
        path.relative_to(root).as_posix(): path
        for path in root.rglob("*")
        if path.is_file() and _belongs(PurePosixPath(path.relative_to(root).as_posix()))
    }


def _belongs(name: PurePosixPath) -> bool:
    if "__pycache__" in name.parts or name.parts[0] == "bin" or name.match("*/tests/*.py"):
        return False
    if name.parts[0].endswith(".dist-info"):  # the files that pip itself writes differ from run to run
        return name.name not in {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "WHEEL"}
    return True


def write(output: Path, files: dict[str, Path]) -> None:
    """Write a zip whose bytes depend only on names and contents."""
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # Unix, even if built elsewhere
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, files[name].read_bytes())


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:2]))
