"""cli/faults.py and cli/output.py: any error is one line and exit code 2; exit code 1 means differences."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from dynamodb_opensearch.cli.app import app
from dynamodb_opensearch.cli.faults import DEBUG
from dynamodb_opensearch.cli.output import print_json, reporting_errors
from dynamodb_opensearch.cli.run import engine
from dynamodb_opensearch.cli.run.checkpoint import Checkpoint
from dynamodb_opensearch.cli.run.engine import Stop, Workers
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.jobs.job import Step
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.unit import Unit, Whole
from dynamodb_opensearch.settings import read_settings
from typer.testing import CliRunner

REPOSITORY = Path(__file__).resolve().parents[3]
SETTINGS = read_settings(
    {
        "OPENSEARCH_ENDPOINT": "http://127.0.0.1:1",
        "OPENSEARCH_AUTH": "none",
        "TABLE_NAME": "products",
        "TABLE_KEYS": "pk",
        "INDEX": "products",
    }
)
SECRET = "what an item holds"
DEPTHS = ["configuration", "plan", "run", "noting", "printing"]
UNEXPECTED: list[BaseException] = [
    ValueError(SECRET),
    KeyError(SECRET),
    AssertionError(SECRET),
    RecursionError(SECRET),
    TimeoutError(),
    UnicodeEncodeError("ascii", SECRET, 0, 1, "ordinal not in range(128)"),
    UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, "invalid start byte"),
    ExceptionGroup(SECRET, [ValueError(SECRET)]),
]
KNOWN: list[tuple[BaseException, str]] = [
    (ConfigurationError("INDEX is [x]\nand more"), "INDEX is [x] and more"),
    (ConfigurationError("no index 'a\x1b[2Jb'"), "no index 'a\ufffd[2Jb'"),
    (OSError(28, "No space left on device"), "No space left on device"),
    (PermissionError(13, "Permission denied", "/etc/x"), "Permission denied: '/etc/x'"),
    (MemoryError(), "out of memory: run with fewer --processes"),
    (SSOTokenLoadError(error_msg="no token"), "Error loading SSO Token: no token; log in again: aws sso login"),
    (UnauthorizedSSOTokenError(), "log in again: aws sso login"),
    (TokenRetrievalError(provider="sso", error_msg="expired"), "expired; log in again: aws sso login"),
    (CredentialRetrievalError(provider="custom-process", error_msg="exit 1"), "exit 1; renew the credentials"),
    (NoCredentialsError(), "Unable to locate credentials; log in (aws sso login), set AWS_PROFILE"),
    (PartialCredentialsError(provider="env", cred_var="secret_key"), "set both AWS_ACCESS_KEY_ID and"),
    (ProfileNotFound(profile="prod"), "The config profile (prod) could not be found; check AWS_PROFILE"),
    (
        ClientError({"Error": {"Code": "Throttled", "Message": "slow down"}}, "Scan"),
        "(Throttled) when calling the Scan",
    ),
]


@dataclass(frozen=True, slots=True)
class Failing:
    """Fails where the test asks it to."""

    depth: str
    error: BaseException

    def plan(self, sync: Sync) -> Sequence[Unit]:
        del sync
        if self.depth == "plan":
            raise self.error
        return [Whole("a"), Whole("b")]

    def run(self, sync: Sync, unit: Unit, position: Any) -> Iterator[Step]:
        del sync, position
        if self.depth == "run" and str(unit) == "a":
            raise self.error
        yield Step(None, Counter(items=1))


@dataclass(frozen=True, slots=True)
class Outcome:
    code: int
    err: str


class Command:
    """A command that fails at a depth."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder, self._capsys = folder, capsys

    def run(self, depth: str, error: BaseException, **options: Any) -> Outcome:
        def on_step(_: Step) -> None:
            if depth == "noting":
                raise error

        @reporting_errors
        def command() -> int:
            if depth == "configuration":
                raise error
            with closing(Checkpoint(self._folder / "checkpoint.jsonl", {})) as checkpoint:
                job = Failing(depth, error)
                engine.run(job, SETTINGS, Workers(threads=2), checkpoint, stop=Stop(), on_step=on_step)
            if depth == "printing":
                raise error
            return 0

        with pytest.raises(typer.Exit) as ended:
            command(**options)
        return Outcome(ended.value.exit_code, self._capsys.readouterr().err)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.setattr(engine, "open_sync", lambda *_, **__: SimpleNamespace(capacity=None))
    monkeypatch.setenv(DEBUG, "")
    return Command(tmp_path, capsys)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("error", UNEXPECTED, ids=lambda error: type(error).__name__)
def test_an_unexpected_error_is_one_line_with_its_place_and_never_its_text(
    command: Command, depth: str, error: BaseException
) -> None:
    ended = command.run(depth, error)
    assert ended.code == 2
    assert ended.err.startswith(f"error: unexpected {type(error).__name__}")
    assert ended.err.endswith("--debug shows the trace)\n")
    assert ended.err.count("\n") == 1
    assert SECRET not in ended.err


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(("error", "line"), KNOWN)
def test_what_is_known_is_one_line_that_says_what_to_do(
    command: Command, depth: str, error: BaseException, line: str
) -> None:
    ended = command.run(depth, error)
    assert ended.code == 2
    assert ended.err.startswith("error: ")
    assert line in ended.err
    assert ended.err.count("\n") == 1


def test_a_place_is_the_innermost_line_of_ours(command: Command) -> None:
    with pytest.raises(AttributeError) as raised:
        read_settings(None)  # type: ignore[arg-type]
    assert "unexpected AttributeError at settings.py:" in command.run("configuration", raised.value).err


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_trace_is_shown_to_who_asks_for_it_also_a_workers(
    command: Command, monkeypatch: pytest.MonkeyPatch, depth: str
) -> None:
    ended = command.run(depth, ValueError("the text"), debug=True)
    assert ended.code == 2
    assert "Traceback" in ended.err
    assert "ValueError: the text" in ended.err
    assert ended.err.splitlines()[-1].startswith("error: unexpected ValueError")
    monkeypatch.setenv(DEBUG, "1")
    assert "Traceback" in command.run(depth, ConfigurationError("x")).err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), typer.Abort()])
def test_an_interrupt_is_one_also_at_a_prompt(command: Command, error: BaseException) -> None:
    assert command.run("printing", error) == Outcome(130, "")


def test_json_is_whole_where_its_letters_cant_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("w", encoding="ascii") as file:
        monkeypatch.setattr(sys, "stdout", file)
        print_json({"id": "ü → \ud800"})
    assert path.read_text() == '{\n  "id": "\\u00fc \\u2192 \\ud800"\n}\n'


def real(*arguments: str, **streams: Any) -> "subprocess.Popen[bytes]":
    """The command itself."""
    return subprocess.Popen(
        [sys.executable, "-m", "dynamodb_opensearch.cli", *arguments],
        env={"PYTHONPATH": str(REPOSITORY / "lambda/src"), "PATH": os.environ["PATH"]},
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
    )


ASKS: list[tuple[str, ...]] = [("verify", "--help"), ("--version",)]


@pytest.mark.parametrize("arguments", ASKS)
def test_a_pipe_whose_reader_has_ended_is_no_success_and_no_difference(arguments: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    process = real(*arguments, stdout=write)
    os.close(write)
    err = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", ASKS)
def test_a_full_disk_behind_stdout_is_reported_in_one_line(arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123 (what a shell opens)
        process = real(*arguments, stdout=full)
        err = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(("arguments", "code"), [(("--help",), 0), (("verify",), 2), (("verify", "--nonsense"), 2)])
def test_a_broken_stderr_changes_no_exit_code(arguments: tuple[str, ...], code: int) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123 (what a shell opens)
        process = real(*arguments, stderr=full)
        process.communicate(timeout=60)
    assert process.returncode == code
    both = subprocess.run(
        ["sh", "-c", '"$@" 2>&- >&-', "sh", sys.executable, "-m", "dynamodb_opensearch.cli", *arguments],
        env={"PYTHONPATH": str(REPOSITORY / "lambda/src")},
        check=False,
        timeout=60,
    )
    assert both.returncode == code


@pytest.mark.parametrize("value", ["inf", "nan", "-1", "1e300", "9" * 5_000, "x"])
@pytest.mark.parametrize("option", ["--patience", "--rcu", "--sample", "--page-items"])
def test_numbers_that_no_run_can_work_with_are_refused_by_their_option(option: str, value: str) -> None:
    done = CliRunner().invoke(app, ["verify", option, value])
    assert done.exit_code == 2
    assert option in done.output
