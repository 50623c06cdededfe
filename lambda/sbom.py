# ruff: noqa: INP001 (a script, not a package)
"""Writes ``dist/dynamodb-opensearch.cdx.json``: what the zip holds, from which wheels, under which licences.

A CycloneDX bill of materials without times and random numbers: of the same zip it has the same bytes, wherever it is
written. Run after build.py; a test fails while it is another zip's.

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

import build  # type: ignore[import-not-found]  # it stands beside this file

OUTPUT: Path = build.OUTPUT.with_suffix(".cdx.json")

ALLOWED = {"Apache-2.0", "BSD-3-Clause", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0"}
"""SPDX identifiers. None asks anything of whoever uses the zip but to keep its notices, which it holds."""
_AS_ITS_LICENCE_FILE_SAYS = {
    "aws-lambda-powertools": "MIT-0",  # its metadata: MIT, and MIT-0
    "events": "BSD-3-Clause",  # BSD
    "python-dateutil": "BSD-3-Clause",  # Dual License: "the BSD License applies to all code"
    "requests-aws4auth": "MIT",  # MIT License
}


def main(output: Path = OUTPUT) -> None:
    """Write the bill, and print how much there is in it."""
    bill = bill_of_materials(build.OUTPUT, locked_wheels(), build.LOCK.read_text(encoding="utf-8"))
    output.write_text(json.dumps(bill, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{output}: {len(bill['components'])} packages")


def locked_wheels() -> dict[str, str]:
    """Package -> SHA-256 of the wheel that build.py unpacks, as pip itself reports it."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        os.environ["PIP_REPORT"] = str(report)
        build.install(Path(folder) / "packages")
        installed = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {
        canonical(one["metadata"]["name"]): one["download_info"]["archive_info"]["hashes"]["sha256"]
        for one in installed
    }


def bill_of_materials(archive: Path, wheels: Mapping[str, str], lock: str) -> dict[str, Any]:
    """The bill, in CycloneDX's JSON.

    Args:
        wheels: package -> SHA-256 of its wheel.
        lock: the text of requirements.lock, which tells in its comments who needs whom.

    Raises:
        SystemExit: a package is not known to the lock, or its licence is none of the allowed.
    """
    packages = {canonical(one["Name"]): one for one in metadata(archive)}
    if unknown := sorted(set(packages) ^ set(wheels)):
        raise SystemExit(f"lambda/sbom.py: {', '.join(unknown)}: in the zip or in the lock only; run lambda/build.py")
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
    """Each package's own, of all that the zip vendors."""
    with zipfile.ZipFile(archive) as opened:
        for name in opened.namelist():
            if re.fullmatch(r"[^/]+\.dist-info/METADATA", name):
                yield email.message_from_bytes(opened.read(name))


def own_version(archive: Path) -> str:
    """The version of the function's own code."""
    with zipfile.ZipFile(archive) as opened:
        source = opened.read("dynamodb_opensearch/__init__.py").decode()
    found = re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE)
    if found is None:
        raise SystemExit("lambda/sbom.py: dynamodb_opensearch/__init__.py tells no __version__")
    return found[1]


def licence(name: str, package: Message) -> str:
    """Its SPDX identifier."""
    found = _AS_ITS_LICENCE_FILE_SAYS.get(name) or package["License-Expression"] or package["License"]
    if found not in ALLOWED:
        raise SystemExit(
            f"lambda/sbom.py: the licence of {name} is {found}: one of {', '.join(sorted(ALLOWED))} may be"
        )
    return str(found)


def needed_by(lock: str) -> Iterator[tuple[str, set[str]]]:
    """Package -> who needs it, from uv's comments: one name behind ``# via``, or one on each line below it."""
    for entry in re.split(r"\n(?=\S)", lock):
        comments = re.findall(r"^    #(?: via|  )(?: +(\S.*))?$", entry, re.MULTILINE)
        yield canonical(entry.split("==")[0]), {name for name in comments if name}


def canonical(name: str) -> str:
    """As PyPA's specification of names has it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:2]))
