"""The bill of materials is the committed zip's: complete, hashed, and under licences that we allow."""

import json
import re
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ZIP = ROOT / "lambda/dist/dynamodb-opensearch.zip"
BILL = ROOT / "lambda/dist/dynamodb-opensearch.cdx.json"
LOCK = (ROOT / "lambda/requirements.lock").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(BILL.read_text(encoding="utf-8"))
    return read


@pytest.fixture
def sbom(monkeypatch: pytest.MonkeyPatch) -> Any:
    """lambda/sbom.py, which is no package's."""
    monkeypatch.syspath_prepend(str(ROOT / "lambda"))
    return __import__("sbom")


def entries() -> dict[str, list[str]]:
    """First part of the names in the zip -> the names."""
    found: dict[str, list[str]] = {}
    for name in zipfile.ZipFile(ZIP).namelist():
        found.setdefault(name.split("/")[0], []).append(name)
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_it_is_the_committed_zips(bill: dict[str, Any]) -> None:
    [found] = bill["metadata"]["component"]["hashes"]
    stale = found["content"] != sha256(ZIP.read_bytes()).hexdigest()
    assert not stale, "lambda/dist/dynamodb-opensearch.cdx.json is stale: run make package"


def test_every_package_in_the_zip_is_listed_in_its_version(bill: dict[str, Any]) -> None:
    folders = [name.removesuffix(".dist-info") for name in entries() if name.endswith(".dist-info")]
    vendored = {(canonical(name), version) for name, _, version in (folder.rpartition("-") for folder in folders)}
    assert {(one["name"], one["version"]) for one in bill["components"]} == vendored
    assert len(bill["components"]) == len(folders) > 0


def test_every_module_in_the_zip_belongs_to_a_listed_package_or_is_ours(bill: dict[str, Any]) -> None:
    archive, names = zipfile.ZipFile(ZIP), entries()
    declared = [name for found in names.values() for name in found if name.endswith(".dist-info/top_level.txt")]
    known = {line for name in declared for line in archive.read(name).decode().split()}
    known |= {one["name"].replace("-", "_") for one in bill["components"]} | {"dynamodb_opensearch"}
    assert {name.removesuffix(".py") for name in names if not name.endswith(".dist-info")} - known == set()


def test_every_hash_is_a_locked_one(bill: dict[str, Any]) -> None:
    for one in bill["components"]:
        [entry] = re.findall(rf"^{one['name']}=={re.escape(one['version'])} .*(?:\n .*)*", LOCK, re.MULTILINE)
        [found] = one["hashes"]
        assert f"--hash=sha256:{found['content']}" in entry


def test_every_licence_is_an_allowed_one_and_the_zip_holds_its_text(bill: dict[str, Any], sbom: Any) -> None:
    licences = {one["name"]: one["licenses"][0]["license"]["id"] for one in bill["components"]}
    assert set(licences.values()) <= sbom.ALLOWED
    with_text = {
        canonical(folder.rpartition("-")[0].rpartition("-")[0])
        for folder, names in entries().items()
        if any("LICENSE" in name for name in names)
    }
    assert set(licences) == with_text


def test_who_needs_whom_leads_from_ours_to_every_package(bill: dict[str, Any]) -> None:
    needs = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
    reached, waiting = set(), ["dynamodb-opensearch"]
    while waiting:
        reached.add(one := waiting.pop())
        waiting += set(needs[one]) - reached
    assert reached == {"dynamodb-opensearch", *(one["bom-ref"] for one in bill["components"])}
    assert needs["pkg:pypi/six@1.17.0"] == []
    assert needs["pkg:pypi/python-dateutil@2.9.0.post0"] == ["pkg:pypi/six@1.17.0"]


def test_it_names_no_host_no_time_and_nothing_random() -> None:
    text = BILL.read_text(encoding="utf-8")
    assert not re.search(r"://|timestamp|serialNumber|\d{4}-\d\d-\d\dT", text)


def test_written_anew_it_has_the_committed_bytes(tmp_path: Path) -> None:
    output = tmp_path / "bill.json"
    subprocess.run([sys.executable, str(ROOT / "lambda/sbom.py"), str(output)], check=True)
    assert output.read_bytes() == BILL.read_bytes()


def package(folder: Path, licence: str, name: str = "left_pad") -> Path:
    path = folder / "package.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("dynamodb_opensearch/__init__.py", '__version__ = "1.0.0"\n')
        archive.writestr(f"{name}-1.3.dist-info/METADATA", f"Name: {name}\nVersion: 1.3\nLicense: {licence}\n")
    return path


def test_a_licence_that_is_not_allowed_is_refused(tmp_path: Path, sbom: Any) -> None:
    with pytest.raises(
        SystemExit, match=r"^lambda/sbom\.py: the licence of left-pad is GPL-3\.0: it must be one of .*MIT"
    ):
        sbom.bill_of_materials(package(tmp_path, "GPL-3.0"), {"left-pad": "00"}, "left-pad==1.3\n    # via x\n")


def test_a_package_that_is_not_locked_is_refused(tmp_path: Path, sbom: Any) -> None:
    with pytest.raises(SystemExit, match=r"left-pad: only in the zip or only in the lock; run lambda/build\.py"):
        sbom.bill_of_materials(package(tmp_path, "MIT"), {}, "")
