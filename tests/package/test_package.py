"""The zip: the same bytes wherever it is built, and enough by itself beside any boto3 that we claim."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ZIP = ROOT / "lambda" / "dist" / "dynamodb-opensearch.zip"
LOCK = (ROOT / "lambda" / "requirements.lock").read_text()
ENVIRONMENT = {
    "OPENSEARCH_ENDPOINT": "https://search.example.com",
    "TABLE_NAME": "products",
    "TABLE_KEYS": "pk",
    "INDEX": "products",
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}
OLDEST_BOTO3 = "1.36.0"
NEWEST_BOTO3 = next(line.split("==")[1].split()[0] for line in LOCK.splitlines() if line.startswith("boto3=="))


def test_a_rebuild_elsewhere_has_the_committed_bytes(tmp_path: Path) -> None:
    """Another folder, umask and time zone; whoever reviews the zip can do the same."""
    copy = tmp_path / "elsewhere"
    shutil.copytree(ROOT / "lambda", copy, ignore=shutil.ignore_patterns("__pycache__", "dist"))
    output = tmp_path / "rebuilt.zip"

    subprocess.run(
        [sys.executable, str(copy / "build.py"), str(output)],
        env={**os.environ, "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1"},
        umask=0o077,
        check=True,
    )

    assert output.read_bytes() == ZIP.read_bytes(), "the zip is stale: run `make package` and commit it"


def test_it_holds_pure_python_and_no_boto3() -> None:
    names = zipfile.ZipFile(ZIP).namelist()

    assert not [name for name in names if name.endswith((".so", ".pyd", ".dylib", ".pyc"))]
    assert not [name for name in names if name.split("/")[0] in {"boto3", "botocore", "s3transfer", "jmespath"}]


def interpreters() -> list[str]:
    """This interpreter, and the oldest runtime's where there is one."""
    return [sys.executable, *filter(None, [shutil.which("python3.11")])]


@pytest.fixture(scope="module", params=[OLDEST_BOTO3, NEWEST_BOTO3])
def boto3_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(f"boto3-{request.param}")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    # Without urllib3 and python-dateutil: the zip's shadow the runtime's, so they must do.
    packages = [f"boto3=={request.param}", f"botocore=={request.param}", "jmespath", "s3transfer"]
    subprocess.run([*pip, "--no-deps", "--target", str(folder), *packages], check=True)
    return folder


@pytest.mark.parametrize("interpreter", interpreters())
def test_the_handler_is_imported_from_the_zip_and_a_boto3_alone_without_io(
    interpreter: str, boto3_folder: Path, tmp_path: Path
) -> None:
    program = """
import socket, sys
def refuse(*_, **__): raise AssertionError("importing must not use the network")
socket.socket.connect = socket.getaddrinfo = refuse
from dynamodb_opensearch.functions.sync import handler
import dynamodb_opensearch, boto3, urllib3
assert ".zip" in dynamodb_opensearch.__file__ and ".zip" in urllib3.__file__, urllib3.__file__
for name in ("dynamodb", "sqs", "sns", "s3", "secretsmanager"):
    boto3.client(name, region_name="eu-west-1")
print(boto3.__version__)
"""
    result = subprocess.run(
        [interpreter, "-I", "-c", f"import sys; sys.path[:0] = {[str(ZIP), str(boto3_folder)]!r}\n{program}"],
        env={**ENVIRONMENT, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    assert boto3_folder.name.startswith(f"boto3-{result.stdout.strip()}")


def test_a_wrong_setting_fails_at_import_with_variable_value_and_what_is_allowed(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import dynamodb_opensearch.functions.sync"],
        env={**ENVIRONMENT, "BULK_BYTES": "12", "PYTHONPATH": str(ZIP), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode != 0
    last_line = result.stderr.strip().splitlines()[-1]
    assert "BULK_BYTES is '12': it must be a whole number from 65536 to 10485760" in last_line
