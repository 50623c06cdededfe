"""`make test-aws` from its start to its end, on LocalStack instead of AWS: what LocalStack can't do isn't proven."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from engines import LocalStackNode, OpenSearchNode
from opensearch import api
from terraform.applied import resources

REPOSITORY = Path(__file__).resolve().parents[2]
SECONDS = 1500
# LocalStack forgets parts of what it is given, empties the type of an empty map in a stream, lets every role do
# everything, lists hardly a metric, and its simulator calls every refusal explicit.
UNPROVEN = {
    *("second-plan", "empty-map", "iam-opensearch", "iam-bulk", "iam-aws", "iam-simulated"),
    *("metrics-function", "metrics-trigger", "metrics-own", "metrics-queue"),
}


class Trials:
    """Trials on LocalStack, each in a process of its own."""

    def __init__(self, aws: LocalStackNode, node: OpenSearchNode, state: Path) -> None:
        self._aws, self._node = aws, node
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_VAR_"))}
        self.environment: Mapping[str, str] = {
            **own,
            **aws.environment(),
            "PYTHONPATH": f"{REPOSITORY / 'lambda/src'}:{REPOSITORY / 'tests'}:{REPOSITORY}",
            "PYTHONUNBUFFERED": "1",
            "XDG_STATE_HOME": str(state),
            "NO_PROXY": "*",
        }
        self.home = state / "dynamodb-opensearch" / "trials"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "trial", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        endpoint = f"opensearch_endpoint={self._node.url}"
        return self.start("products", "--yes", "--wait", "25", "--var", endpoint, *arguments)

    def folder(self) -> Path:
        """The one folder of a trial."""
        [folder] = self.home.iterdir()
        return folder

    def wait_for(self, text: str, process: subprocess.Popen[str]) -> None:
        """Wait until Terraform's log has this text, and the trial is still running."""
        end = time.monotonic() + SECONDS
        while not any(text in log.read_text() for log in self.home.glob("*/terraform.log")):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)

    def left(self) -> list[str]:
        return resources(self._aws, "trial-")


@pytest.fixture
def trials(aws: LocalStackNode, opensearch_node: OpenSearchNode, tmp_path: Path) -> Iterator[Trials]:
    yield Trials(aws, opensearch_node, tmp_path)
    api.call(opensearch_node, "DELETE", "/products?ignore_unavailable=true")


def _finished(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=SECONDS)
    return output


def test_a_trial_proves_what_localstack_can_do_and_leaves_nothing(trials: Trials, aws: LocalStackNode) -> None:
    process = trials.begin()
    output = _finished(process)

    folder = trials.folder()
    report: Mapping[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    results = {check["id"]: check["result"] for check in report["checks"]}
    assert {id_ for id_, result in results.items() if result != "proven"} == UNPROVEN, output
    assert process.returncode == 1  # for not all is proven
    assert trials.left() == []
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == ["checkpoints"]
    written = (folder / "report.json").read_text(encoding="utf-8") + (folder / "report.md").read_text(encoding="utf-8")
    for secret in ("000000000000", aws.url, "127.0.0.1", str(trials.home), "sold out"):
        assert secret not in written
    assert "emulator" in report["versions"]
    assert report["versions"]["engine"].startswith("opensearch 2.")
    assert "make test-aws RESUME=FOLDER" in output
    assert "Traceback" not in output
    assert "\x1b" not in output


def test_ctrl_c_destroys_and_a_trial_that_is_killed_meanwhile_can_be_destroyed_later(trials: Trials) -> None:
    process = trials.begin()
    trials.wait_for("Creation complete", process)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)  # one more doesn't keep it from destroying
    trials.wait_for("$ terraform destroy", process)
    os.killpg(process.pid, signal.SIGKILL)
    output, _ = process.communicate()
    assert "Traceback" not in output

    destroying = trials.start("--destroy", str(trials.folder()))  # waits for the Terraform that is still at work
    output = _finished(destroying)

    assert destroying.returncode == 0, output
    assert trials.left() == []
    report = json.loads((trials.folder() / "report.json").read_text(encoding="utf-8"))
    assert [check["result"] for check in report["checks"] if check["id"] == "destroyed"] == ["proven"]
    again = trials.start("--destroy", str(trials.folder()))
    assert "Nothing is left of trial-" in _finished(again)
