"""cli/commands/transform_package.py: equal files make equal layers, and a name that would hide another is refused."""

import json
import sys
import zipfile
from pathlib import Path

import pytest
from dynamodb_opensearch.cli.app import app
from dynamodb_opensearch.cli.commands.transform_package import TAKEN
from typer.testing import CliRunner

REPOSITORY = Path(__file__).resolve().parents[4]
SEARCH = "def document(item):\n    return item\n"


@pytest.fixture(autouse=True)
def _in_a_new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, text: str = SEARCH) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["transform", "package", *arguments])
    assert done.exit_code == code, done.output
    return " ".join((done.stdout if code == 0 else done.output).split())


def names(path: str = "layer.zip") -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_a_file_becomes_a_layer() -> None:
    write("orders.py")

    said = run("orders.py")

    assert names() == ["python/orders.py"]
    assert "orders:document" in said
    assert 'filename = "${path.module}/layer.zip"' in said
    assert 'transform = "orders:document"' in said


def test_a_package_becomes_a_layer_without_what_is_not_code_or_data() -> None:
    for name in (
        "orders/__init__.py",
        "orders/of/lines.py",
        "orders/words.json",
        "orders/__pycache__/x.pyc",
        "orders/.git/x",
    ):
        write(name, SEARCH if name.endswith(".py") else "{}")

    said = json.loads(run("./orders/", "--output", "build.zip", "--json"))

    assert names("build.zip") == ["python/orders/__init__.py", "python/orders/of/lines.py", "python/orders/words.json"]
    assert said["functions"] == ["orders:document", "orders.of.lines:document"]
    assert said["module"] == "orders"
    assert said["terraform"].startswith('resource "aws_lambda_layer_version" "orders"')


def test_the_same_files_make_the_same_bytes() -> None:
    write("one/orders.py")
    write("two/orders.py")
    Path("two/orders.py").chmod(0o600)

    first = json.loads(run("one/orders.py", "--output", "1.zip", "--json"))
    second = json.loads(run("two/orders.py", "--output", "2.zip", "--json"))

    assert Path("1.zip").read_bytes() == Path("2.zip").read_bytes()
    assert first["sha256"] == second["sha256"]


def test_it_runs_nothing_of_the_module() -> None:
    write("orders.py", SEARCH + "raise SystemExit('run')\n")

    run("orders.py")
    assert "orders" not in sys.modules


def test_it_lists_the_functions_that_one_argument_is_enough_for() -> None:
    write(
        "orders.py",
        """
def one(item): pass
def _private(item): pass
def none(): pass
def two(item, other): pass
def optional(item, other=1): pass
def any(*items): pass
def only_optional(item=None): pass
def named(item, *, name): pass
def named_optional(item, *, name=1): pass
def positional(item, /): pass
async def coroutine(item): pass
class Other:
    def method(item): pass
""",
    )

    found = json.loads(run("orders.py", "--json"))["functions"]

    assert [name.partition(":")[2] for name in found] == [
        "one", "optional", "any", "only_optional", "named_optional", "positional",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("my-orders.py", SEARCH, "can't be imported"),
        ("json.py", SEARCH, "rename it"),
        ("boto3.py", SEARCH, "rename it"),
        ("dynamodb_opensearch.py", SEARCH, "rename it"),
        ("rich.py", SEARCH, "rename it"),
        ("orders.py", "def document(item)", "orders.py:1: it doesn't compile: expected ':'"),
        ("orders.py", "x = '\0'", "it doesn't compile"),
        ("orders.py", "x = 1", "no function in it takes an item"),
        ("orders.txt", SEARCH, "isn't a Python file"),
        ("orders/__init__.py", SEARCH, "give the package's folder"),
    ],
)
def test_what_cannot_be_a_layer_is_refused_with_what_to_do(name: str, text: str, said: str) -> None:
    write(name, text)

    assert said in run(name, code=2)
    assert not Path("layer.zip").exists()


def test_a_folder_must_be_a_package() -> None:
    write("orders/of.py")
    assert "no __init__.py" in run("orders", code=2)
    assert "isn't a Python file" in run("nowhere", code=2)


def test_the_layer_is_not_written_into_the_package() -> None:
    write("orders/__init__.py")
    assert "next layer" in run("orders", "--output", "orders/layer.zip", code=2)
    assert "can't be written" in run("orders", "--output", "nowhere/layer.zip", code=2)


def test_a_warning_about_the_code_is_no_error() -> None:
    write("orders.py", SEARCH + "x = '\\d'\n")
    run("orders.py")


def test_every_package_of_the_functions_zip_is_known() -> None:
    with zipfile.ZipFile(REPOSITORY / "lambda/dist/dynamodb-opensearch.zip") as archive:
        tops = {name.partition("/")[0].removesuffix(".py") for name in archive.namelist()}
    assert {top for top in tops if top.isidentifier()} <= TAKEN
