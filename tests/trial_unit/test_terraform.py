"""Terraform's own process: interrupted once and waited for, and not brought down by the end of a trial."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from trial.errors import TrialError
from trial.terraform import Silent, Terraform, TerraformFailedError

REPOSITORY = Path(__file__).resolve().parents[2]

# It takes its time to end after an interrupt, as the real one does, and writes what it was called with. It presses
# Ctrl-C itself, INTERRUPTS times, and again when it is interrupted.
SLOW = """#!/bin/sh
echo "$@" >> calls
env > environment
trap 'echo interrupt >> calls; kill -INT $PPID; sleep 0.6; echo state >> calls; exit 1' INT
echo "Creating..."
i=0; while [ $i -lt ${TENTHS:-30} ]; do
  sleep 0.1; i=$((i + 1))
  [ $((i % 8)) -ne 0 ] || [ $((i / 8)) -gt ${INTERRUPTS:-0} ] || kill -INT $PPID
done
echo "done" >> calls
"""
BROKEN = """#!/bin/sh
echo "│ Error: creating OpenSearch Domain: no such thing"
echo "warning of the CLI" >&2
exit 1
"""
LISTING = """#!/bin/sh
echo "Warning: look out" >&2
echo 'aws_sqs_queue.a'
echo 'data.aws_iam_policy_document.b'
echo 'module.sync.data.aws_iam_policy_document.c'
echo 'module.sync.aws_lambda_function.this'
"""


class Shown(Silent):
    """What was shown."""

    def __init__(self) -> None:
        self.announced: list[str] = []

    def announce(self, text: str) -> None:
        self.announced.append(text)


def _terraform(folder: Path, script: str, environment: Mapping[str, str] = {}) -> Terraform:
    program = folder / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text(script, encoding="utf-8")
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    return Terraform(folder, folder / "terraform.log", {**environment, "PATH": path}, {"name": "trial-x"})


def terraform_of(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Terraform:
    """Return a Terraform that is a script."""
    program = folder / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text(script, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    given = {"name": "trial-x", "region": "eu-west-1"}
    return Terraform(folder, folder / "terraform.log", {"PATH": os.environ["PATH"]}, given)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")  # where a child's name is looked up
    return tmp_path


def _calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text(encoding="utf-8").splitlines()


def test_an_interrupted_apply_is_waited_for(path: Path) -> None:
    terraform, shown = _terraform(path, SLOW, {"INTERRUPTS": "1"}), Shown()

    with pytest.raises(KeyboardInterrupt):
        terraform.init(shown)

    assert _calls(path) == ["init -input=false", "interrupt", "state"]
    assert "stopping Terraform: it ends what it has begun" in shown.announced


def test_destroy_goes_on_after_one_interrupt(path: Path) -> None:
    terraform, shown = _terraform(path, SLOW, {"INTERRUPTS": "1"}), Shown()

    terraform.destroy(shown)

    assert _calls(path)[1:] == ["done"]
    assert "press Ctrl-C again to stop" in shown.announced[0]


def test_destroy_stops_in_good_order_after_two(path: Path) -> None:
    terraform, shown = _terraform(path, SLOW, {"INTERRUPTS": "2"}), Shown()

    with pytest.raises(TerraformFailedError):
        terraform.destroy(shown)

    assert _calls(path)[1:] == ["interrupt", "state"]


def test_it_ends_its_work_when_the_trial_is_killed(path: Path) -> None:
    _terraform(path, SLOW)
    code = (
        "from pathlib import Path; from trial.terraform import Silent, Terraform\n"
        "import os; Terraform(Path('.'), Path('terraform.log'), dict(os.environ), {}).init(Silent())"
    )
    search_path = f"{REPOSITORY / 'tests'}:{REPOSITORY}:{REPOSITORY / 'lambda/src'}"
    trial = subprocess.Popen([sys.executable, "-c", code], cwd=path, env={**os.environ, "PYTHONPATH": search_path})
    while not (path / "calls").exists():
        time.sleep(0.05)

    trial.send_signal(signal.SIGKILL)
    trial.wait()
    end = time.monotonic() + 20
    while "done" not in _calls(path):
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_failure_has_terraforms_own_words(path: Path) -> None:
    terraform = _terraform(path, BROKEN)
    with pytest.raises(TerraformFailedError, match=r"terraform init failed \(exit code 1\)") as failure:
        terraform.init(Silent())
    assert failure.value.summary == "Error: creating OpenSearch Domain: no such thing"


def test_what_is_left_has_no_data_sources(path: Path) -> None:
    terraform = _terraform(path, LISTING)
    assert terraform.left() == ["aws_sqs_queue.a", "module.sync.aws_lambda_function.this"]


def test_your_own_variables_and_arguments_do_not_count(path: Path) -> None:
    own = {"TF_VAR_name": "production", "TF_CLI_ARGS": "-var-file=mine", "TF_WORKSPACE": "prod", "TF_DATA_DIR": "/x"}
    terraform = _terraform(path, SLOW, {**own, "TF_CLI_ARGS_apply": "-no-color", "TENTHS": "0"})

    terraform.init(Silent())

    environment = (path / "environment").read_text(encoding="utf-8").splitlines()
    assert sorted(line for line in environment if line.startswith("TF_")) == [
        "TF_CLI_ARGS_apply=-no-color",
        "TF_VAR_name=trial-x",
    ]


def test_no_terraform_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TrialError, match="terraform is not on the PATH"):
        Terraform(tmp_path, tmp_path / "terraform.log", {"PATH": str(tmp_path)}, {}).init(Silent())
