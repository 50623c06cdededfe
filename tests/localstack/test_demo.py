"""`make demo` from its start to its end, as a user runs it: what it shows, and that it leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from engines import stop_all
from engines.probes import ask
from engines.processes import MARK
from engines.runs import known_runs

REPOSITORY = Path(__file__).resolve().parents[2]
WITHOUT_STORY = "import sys; from demo import __main__ as demo; demo.tell = lambda *_: None; sys.exit(demo.main())"
STORY_SECONDS = 600
CACHES = {"__pycache__", ".git", ".venv", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis"}


def _start(temporary: Path, *arguments: str | Path, **variables: str) -> subprocess.Popen[str]:
    path = f"{REPOSITORY}:{REPOSITORY / 'tests'}"
    return subprocess.Popen(
        [sys.executable, *(arguments or ["-m", "demo"])],
        cwd=temporary,
        env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # a group of its own, like a terminal's foreground job
    )


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if not CACHES.intersection(path.parts)}


def _assert_nothing_is_left(pid: int, temporary: Path) -> None:
    assert [run.record for run in known_runs() if run.record.owner_pid == pid] == []
    assert list(temporary.iterdir()) == []
    assert [process for process in psutil.process_iter() if _is_left(process, temporary)] == []


def _is_left(process: psutil.Process, temporary: Path) -> bool:
    """Whether it is a Terraform of the demo's, or belongs to an engine whose files are removed."""
    try:
        environment = process.environ()
    except psutil.Error:
        return False
    engine = environment.get(MARK)
    return environment.get("TMPDIR", "").startswith(str(temporary)) or (
        engine is not None and not Path(engine).exists()
    )


def test_the_demo_tells_its_story_and_leaves_nothing_behind(tmp_path: Path) -> None:
    before = _files(REPOSITORY)
    process = _start(tmp_path)
    output, _ = process.communicate(timeout=STORY_SECONDS)
    assert process.returncode == 0, output
    assert re.search(r"table 2,375 items, index 2,375 documents, 0 differences", output), output
    assert re.search(r"found by a search \(searchable\) +[\d,]+ ms +[\d,]+ ms +[\d,]+ ms", output), output
    assert re.search(r"Winter Parka, \w+ +\d+\.\d\d +[a-z, ]*warm", output), output
    assert re.search(r"price +404\.9 +344\.16", output), output
    assert re.search(r"hits of a search for its name +1 +0", output), output
    for step in ("terraform apply: table demo-products", "terraform destroy", "Stop OpenSearch and LocalStack"):
        assert re.search(rf"^✓ +\d+\.\d s  {step}", output, re.MULTILINE), output
    assert "✗" not in output
    assert "\x1b" not in output
    assert _files(REPOSITORY) == before
    _assert_nothing_is_left(process.pid, tmp_path)


def test_ctrl_c_while_terraform_applies_stops_everything(tmp_path: Path) -> None:
    process = _start(tmp_path)
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if "terraform init" in line:
            break
    os.killpg(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130, "".join(seen) + rest
    assert "Interrupted" in rest
    assert "Traceback" not in rest
    _assert_nothing_is_left(process.pid, tmp_path)


def test_a_failing_terraform_shows_its_log_and_stops_everything(tmp_path: Path) -> None:
    broken = tmp_path / "bin" / "terraform"
    broken.parent.mkdir()
    broken.write_text(
        '#!/bin/sh\n[ "$1" = version ] && echo \'{"terraform_version": "1.11.4"}\' && exit\n'
        'echo "Error: could not query provider registry"\nexit 7\n'
    )
    broken.chmod(0o755)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    process = _start(temporary, PATH=f"{broken.parent}:{os.environ['PATH']}")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Error: could not query provider registry\ndemo: terraform init failed (exit code 7): see above\n" in output
    _assert_nothing_is_left(process.pid, temporary)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"KEEP": "yes"}, "demo: KEEP=yes: give 1 to leave everything running at the end, or 0\n"),
        ({"PATH": "/nowhere"}, "demo: terraform is not on the PATH: install Terraform 1.9 or newer\n"),
    ],
)
def test_what_is_missing_or_wrong_is_one_line(tmp_path: Path, variables: dict[str, str], message: str) -> None:
    process = _start(tmp_path, **variables)
    output, _ = process.communicate(timeout=60)
    assert (process.returncode, output) == (1, message)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def _stopped_afterwards() -> Iterator[None]:
    yield
    stop_all()


@pytest.mark.usefixtures("_stopped_afterwards")
def test_with_keep_all_goes_on_running_until_it_is_stopped(tmp_path: Path) -> None:
    process = _start(tmp_path, "-c", WITHOUT_STORY, KEEP="1")
    output, _ = process.communicate(timeout=STORY_SECONDS)
    assert process.returncode == 0, output
    [opensearch] = re.findall(r"^ *OpenSearch: (\S+)$", output, re.MULTILINE)
    [localstack] = re.findall(r"^ *LocalStack: (\S+)$", output, re.MULTILINE)
    assert ask(f"{opensearch}/products/_search")["hits"]["total"]["value"] == 0
    assert ask(f"{localstack}/_localstack/health") is not None
    assert "make stop" in output

    stop_all()
    assert ask(f"{opensearch}/products/_search") is None
    assert ask(f"{localstack}/_localstack/health") is None
    _assert_nothing_is_left(process.pid, tmp_path)
