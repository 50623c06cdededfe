# ruff: noqa: INP001 (a script, not a package)
"""Writes ``dist/dynamodb-opensearch.cdx.json``: what the zip holds, from which wheels, under which licences.

It is a CycloneDX bill of materials without times or random numbers, so the same zip gives the same bytes everywhere.
Run it after build.py; a test fails if it describes another zip.

usage: python lambda/sbom.py [OUTPUT]
"""

import email
import hashlib
import json
import os
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from email.message import Message
from pathlib import Path
from typing import Any

import build  # type: ignore[import-not-found]  # it is beside this file

OUTPUT: Path = build.OUTPUT.with_suffix(".cdx.json")

ALLOWED = {"Apache-2.0", "BSD-3-Clause", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0"}
"""SPDX identifiers. All that these licences ask of the zip's users is to keep their notices, which the zip holds."""
_AS_ITS_LICENCE_FILE_SAYS = {
    "aws-lambda-powertools": "MIT-0",  # its metadata: MIT, and MIT-0
    "events": "BSD-3-Clause",  # BSD
    "python-dateutil": "BSD-3-Clause",  # Dual License: "the BSD License applies to all code"
    "requests-aws4auth": "MIT",  # MIT License
}


def main(output: Path = OUTPUT) -> None:
    """Write the bill, and print its number of packages."""
    bill = bill_of_materials(build.OUTPUT, locked_wheels(), build.LOCK.read_text(encoding="utf-8"))
    output.write_text(json.dumps(bill, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{output}: {len(bill['components'])} packages")


def locked_wheels() -> dict[str, str]:
    """Map each package to the SHA-256 of the wheel that build.py unpacks, as pip reports it."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        os.environ["PIP_REPORT"] = str(report)
        build.install(Path(folder) / "packages")
        installed = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {
        canonical(package["metadata"]["name"]): package["download_info"]["archive_info"]["hashes"]["sha256"]
        for package in installed
    }


def bill_of_materials(archive: Path, wheels: Mapping[str, str], lock: str) -> dict[str, Any]:
    """Return the bill as CycloneDX's JSON.

    Args:
        wheels: package -> SHA-256 of its wheel.
        lock: the text of requirements.lock, whose comments say which package needs which.

    Raises:
        SystemExit: a package isn't in the lock, or its licence isn't allowed.
    """
    packages = {canonical(package["Name"]): package for package in metadata(archive)}
    if unknown := sorted(set(packages) ^ set(wheels)):
        raise SystemExit(
            f"lambda/sbom.py: {', '.join(unknown)}: only in the zip or only in the lock; run lambda/build.py"
        )
    references = {name: f"pkg:pypi/{name}@{package['Version']}" for name, package in packages.items()}
    ours = {
        "type": "application",
        "bom-ref": "dynamodb-opensearch",
        "name": "dynamodb-opensearch",
        "version": own_version(archive),
        "description": "The Lambda function that keeps an OpenSearch index equal to a DynamoDB table.",
        "licenses": [{"license": {"id": "Apache-2.0"}}],
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(archive.read_bytes()).hexdigest()}],
    }
    needs = dict(needed_by(lock))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": ours},
        "components": [
            {
                "type": "library",
                "bom-ref": references[name],
                "name": name,
                "version": package["Version"],
                "licenses": [{"license": {"id": licence(name, package)}}],
                "purl": references[name],
                "hashes": [{"alg": "SHA-256", "content": wheels[name]}],
            }
            for name, package in sorted(packages.items())
        ],
        "dependencies": [
            {"ref": reference, "dependsOn": sorted(references[name] for name in packages if needer in needs[name])}
            for needer, reference in [("-r requirements.in", "dynamodb-opensearch"), *sorted(references.items())]
        ],
    }


def metadata(archive: Path) -> Iterator[Message]:
    """Yield the metadata of each package in the zip."""
    with zipfile.ZipFile(archive) as opened:
        for name in opened.namelist():
            if re.fullmatch(r"[^/]+\.dist-info/METADATA", name):
                yield email.message_from_bytes(opened.read(name))


def own_version(archive: Path) -> str:
    """Return the version of the functions' own code."""
    with zipfile.ZipFile(archive) as opened:
        source = opened.read("dynamodb_opensearch/__init__.py").decode()
    found = re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE)
    if found is None:
        raise SystemExit("lambda/sbom.py: dynamodb_opensearch/__init__.py has no __version__")
    return found[1]


def licence(name: str, package: Message) -> str:
    """Return the package's SPDX identifier."""
    found = _AS_ITS_LICENCE_FILE_SAYS.get(name) or package["License-Expression"] or package["License"]
    if found not in ALLOWED:
        raise SystemExit(
            f"lambda/sbom.py: the licence of {name} is {found}: it must be one of {', '.join(sorted(ALLOWED))}"
        )
    return str(found)


def needed_by(lock: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each package and those that need it, from uv's comments: a name after ``# via``, or one per line below."""
    for entry in re.split(r"\n(?=\S)", lock):
        comments = re.findall(r"^    #(?: via|  )(?: +(\S.*))?$", entry, re.MULTILINE)
        yield canonical(entry.split("==")[0]), {name for name in comments if name}


def canonical(name: str) -> str:
    """Normalize a name as PyPA's specification says."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:2]))
