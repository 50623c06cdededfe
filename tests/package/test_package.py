"""The zip: the same bytes wherever it is built, no more than the handlers use, and enough beside any boto3 we claim.

All but the first test look at a zip that is built here: a stale committed one fails once.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

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


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip of the code as it is now, built from a copy of what the build needs, with another umask and time zone."""
    folder = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(ROOT / "lambda", folder / "lambda", ignore=shutil.ignore_patterns("__pycache__", "dist"))
    (folder / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/imports.py", folder / "scripts")
    output = folder / "built.zip"
    subprocess.run(
        [sys.executable, str(folder / "lambda/build.py"), str(output)],
        env={**os.environ, "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1"},
        umask=0o077,
        check=True,
    )
    return output


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Any:
    """lambda/build.py, which is in no package."""
    monkeypatch.syspath_prepend(str(ROOT / "lambda"))
    return __import__("build")


def ours(archive: Path) -> set[str]:
    """The modules of our package in a zip."""
    return {
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in zipfile.ZipFile(archive).namelist()
        if name.startswith("dynamodb_opensearch/")
    }


def test_a_rebuild_elsewhere_has_the_committed_bytes(built: Path) -> None:
    assert built.read_bytes() == ZIP.read_bytes(), "the zip is stale: run `make package` and commit it"


def test_it_holds_pure_python_and_no_boto3(built: Path) -> None:
    names = zipfile.ZipFile(built).namelist()

    assert not [name for name in names if name.endswith((".so", ".pyd", ".dylib", ".pyc"))]
    assert not [name for name in names if name.split("/")[0] in {"boto3", "botocore", "s3transfer", "jmespath"}]


def test_every_module_of_ours_in_it_is_imported_by_the_two_handlers(built: Path, tmp_path: Path) -> None:
    program = """
import sys
import dynamodb_opensearch.functions.sync, dynamodb_opensearch.functions.operate
assert ".zip" in dynamodb_opensearch.__file__, dynamodb_opensearch.__file__
print(*(name for name in sys.modules if name.partition(".")[0] == "dynamodb_opensearch"))
"""
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**ENVIRONMENT, "PYTHONPATH": str(built), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    assert ours(built) == set(result.stdout.split())


def test_nothing_that_only_the_command_line_uses_is_in_it(built: Path) -> None:
    assert not [name for name in ours(built) if name.startswith("dynamodb_opensearch.cli")]
    assert "dynamodb_opensearch.dynamodb.point_in_time" not in ours(built)


def test_what_is_imported_inside_a_function_ships_and_what_only_the_command_line_imports_does_not(
    tmp_path: Path, build: Any
) -> None:
    package = tmp_path / "dynamodb_opensearch"
    sources = {
        "__init__.py": "",
        "functions/__init__.py": "",
        "functions/sync.py": "def handler():\n    from dynamodb_opensearch.core.late import late\n",
        "functions/operate.py": "from dynamodb_opensearch import telemetry\n",
        "telemetry.py": "",
        "core/__init__.py": "from . import shared\n",
        "core/shared.py": "",
        "core/late.py": "",
        "core/asked.py": "",
        "cli/__init__.py": "",
        "cli/app.py": "import dynamodb_opensearch.core.asked\n",
    }
    for name, text in sources.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text, encoding="utf-8")

    left_out = {"core/asked.py", "cli/__init__.py", "cli/app.py"}
    assert set(build.ours(tmp_path)) == {f"dynamodb_opensearch/{name}" for name in sources.keys() - left_out}


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
def test_both_handlers_are_imported_from_the_zip_and_a_boto3_alone_without_io(
    interpreter: str, boto3_folder: Path, built: Path, tmp_path: Path
) -> None:
    program = """
import socket, sys
def refuse(*_, **__): raise AssertionError("importing must not use the network")
socket.socket.connect = socket.getaddrinfo = refuse
from dynamodb_opensearch.functions import operate, sync
assert callable(sync.handler) and callable(operate.handler)
import dynamodb_opensearch, boto3, urllib3
assert ".zip" in dynamodb_opensearch.__file__ and ".zip" in urllib3.__file__, urllib3.__file__
for name in ("dynamodb", "sqs", "sns", "s3", "secretsmanager"):
    boto3.client(name, region_name="eu-west-1")
print(boto3.__version__)
"""
    result = subprocess.run(
        [interpreter, "-I", "-c", f"import sys; sys.path[:0] = {[str(built), str(boto3_folder)]!r}\n{program}"],
        env={**ENVIRONMENT, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    assert boto3_folder.name.startswith(f"boto3-{result.stdout.strip()}")


def test_a_wrong_setting_fails_at_import_with_variable_value_and_what_is_allowed(built: Path, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import dynamodb_opensearch.functions.sync"],
        env={**ENVIRONMENT, "BULK_BYTES": "12", "PYTHONPATH": str(built), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode != 0
    last_line = result.stderr.strip().splitlines()[-1]
    assert "BULK_BYTES is '12': it must be a whole number from 65536 to 10485760" in last_line
