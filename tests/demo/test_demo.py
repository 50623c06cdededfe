"""The parts of the example's demo, each with what it needs played by something small."""

import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from demo import latency, story
from demo.catalogue import Item, products
from demo.compare import Document
from demo.deployment import Deployment, TerraformError, check_terraform
from demo.latency import TooSlowError, measure, percentile
from demo.steps import Steps
from demo.story import StoryError

ITEMS = list(products(5))


class SlowIndex:
    """An index that stores a put at once and shows it to searches after some time, or never."""

    def __init__(self, *, shown_after_seconds: float) -> None:
        self._put: dict[str, float] = {}
        self._delay = shown_after_seconds

    def put(self, item: Item) -> None:
        self._put[item["productId"]["S"]] = time.monotonic()

    def stored(self, ids: list[str]) -> set[str]:
        return self._put.keys() & set(ids)

    def search(self, *, query: dict[str, Any], **_: object) -> list[dict[str, str]]:
        now = time.monotonic()
        shown = {id_ for id_, at in list(self._put.items()) if now - at >= self._delay}
        return [{"_id": id_} for id_ in shown & set(query["terms"]["productId"])]


def test_the_latency_ends_when_a_search_finds_the_put(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "GAP_SECONDS", 0.01)
    index: Any = SlowIndex(shown_after_seconds=0.2)
    found = measure(index.put, ITEMS, index, lambda _: None)
    assert len(found.searchable) == len(found.stored) == len(ITEMS)
    assert all(0.2 <= seconds < 2 for seconds in found.searchable)
    assert all(stored < searchable for stored, searchable in zip(found.stored, found.searchable, strict=True))


def test_puts_do_not_wait_for_a_slow_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "GAP_SECONDS", 0.01)
    index: Any = SlowIndex(shown_after_seconds=0.5)
    started = time.monotonic()
    measure(index.put, ITEMS, index, lambda _: None)
    assert time.monotonic() - started < 0.5 * len(ITEMS)


def test_a_put_that_no_search_finds_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "TIMEOUT_SECONDS", 0.1)
    index: Any = SlowIndex(shown_after_seconds=1000)
    with pytest.raises(TooSlowError, match=r"P-00001 is in no search 0\.1 s after its put"):
        measure(index.put, ITEMS, index, lambda _: None)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]


def test_a_put_that_fails_ends_the_measurement() -> None:
    def put(_: Item) -> None:
        raise OSError("no table")

    index: Any = SlowIndex(shown_after_seconds=0)
    with pytest.raises(OSError, match="no table"):
        measure(put, ITEMS, index, lambda _: None)


@pytest.mark.parametrize(("percent", "expected"), [(50, 50), (99, 99), (100, 100), (1, 1)])
def test_a_percentile_is_one_of_the_values(percent: float, expected: float) -> None:
    assert percentile([*range(100, 0, -1)], percent) == expected


class Sides:
    """A table and an index in one, with what is given."""

    name = "products"

    def __init__(self, items: list[Item], documents: list[Document]) -> None:
        self._items, self._documents = items, documents

    def items(self) -> list[Item]:
        return self._items

    def documents(self) -> list[Document]:
        return self._documents

    def refresh(self) -> None:
        """There is nothing to wait for."""


@pytest.fixture
def shown() -> Iterator[tuple[Steps, io.StringIO]]:
    output = io.StringIO()
    with Steps(Console(file=output, width=120)) as steps:
        yield steps, output


def test_the_demo_fails_and_names_the_differences(shown: tuple[Steps, io.StringIO]) -> None:
    steps, output = shown
    item: Item = {"productId": {"S": "P-1"}, "price": {"N": "19.90"}}
    sides: Any = Sides([item], [Document("P-1", {"productId": "P-1"}), Document("P-2", {})])
    with pytest.raises(StoryError, match="table 1 items, index 2 documents, 2 differences"):
        story._prove(steps, sides, sides)
    assert "P-1 price: the table has 19.90, the index has nothing\n" in output.getvalue()
    assert "P-2: the table has nothing, the index has a document\n" in output.getvalue()
    assert output.getvalue().splitlines()[-1].startswith("✗")


def test_an_index_that_does_not_catch_up_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story, "CATCH_UP_SECONDS", 0)
    with pytest.raises(StoryError, match="after 0 s it still isn't true that it rains"):
        story._wait("it rains", lambda: False)


def test_a_pipe_gets_plain_lines_with_nothing_taken_for_markup(shown: tuple[Steps, io.StringIO]) -> None:
    steps, output = shown
    with steps.step("Load [all] products") as step:
        step.done(1, 2)
        step.announce("fetching [once]")
        step.result = "[2] products"
    steps.show(("name [raw]", "price"), ("Tent [red]", "1.00"))
    steps.say("a [line] of " + 200 * "x")
    lines = [line.rstrip() for line in output.getvalue().splitlines() if line.strip()]
    assert lines[0] == "             fetching [once]"
    assert lines[1].startswith("✓ ")
    assert lines[1].endswith(" s  Load [all] products: [2] products")
    assert lines[2].split() == ["name", "[raw]", "price"]
    assert lines[4].split() == ["Tent", "[red]", "1.00"]
    assert lines[5] == "             a [line] of " + 200 * "x"


@pytest.fixture
def terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `terraform` that prints its folder, arguments and variables, and fails to destroy."""
    script = tmp_path / "bin" / "terraform"
    script.parent.mkdir()
    script.write_text(
        "#!/bin/sh\n"
        'case "$1" in\n'
        'version) echo "{\\"terraform_version\\": \\"${VERSION:-1.9.0}\\"}" ;;\n'
        'output) echo "{\\"folder\\": {\\"value\\": \\"$PWD\\"}, \\"name\\": {\\"value\\": \\"$TF_VAR_name\\"}}" ;;\n'
        "destroy) echo Error: no; exit 3 ;;\n"
        '*) echo "$@" ;;\n'
        "esac\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    return script


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with what the demo needs and what it must not touch."""
    folder = tmp_path / "checkout"
    for name in ("main.tf", "modules/table/main.tf", "lambda/dist/function.zip", "examples/products/main.tf"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    for name in ("terraform.tfvars", "terraform.tfstate", ".terraform.lock.hcl", "demo.py"):
        (folder / "examples/products" / name).write_text("the user's own")
    return folder


def _deployment(checkout: Path, tmp_path: Path) -> Deployment:
    environment = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "TF_VAR_name": "the user's", "TF_VAR_region": "moon-1"}
    return Deployment(checkout, tmp_path / "work", environment, {"aws_endpoint": "http://127.0.0.1:1"})


@pytest.mark.usefixtures("terraform")
def test_terraform_works_in_a_copy_without_the_users_state_and_variables(checkout: Path, tmp_path: Path) -> None:
    deployment = _deployment(checkout, tmp_path)
    copied = {str(path.relative_to(tmp_path / "work")) for path in (tmp_path / "work").rglob("*") if path.is_file()}
    assert copied == {"main.tf", "modules/table/main.tf", "lambda/dist/function.zip", "examples/products/main.tf"}
    lines: list[str] = []
    assert deployment.apply(lines.append) == {"folder": str(tmp_path / "work/examples/products"), "name": ""}
    assert lines[0] == "apply -auto-approve\n"


@pytest.mark.usefixtures("terraform")
def test_a_failure_of_terraform_carries_its_whole_log(checkout: Path, tmp_path: Path) -> None:
    with pytest.raises(TerraformError, match=r"terraform destroy failed \(exit code 3\): see above") as caught:
        _deployment(checkout, tmp_path).destroy(lambda _: None)
    assert caught.value.log == "Error: no\n"


@pytest.mark.usefixtures("terraform")
@pytest.mark.parametrize("version", ["1.8.5", "0.15.0"])
def test_an_old_terraform_is_refused(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check_terraform()
    monkeypatch.setenv("VERSION", version)
    with pytest.raises(TerraformError, match=f"terraform is {version}: install Terraform 1.9 or newer"):
        check_terraform()
