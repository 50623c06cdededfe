"""A real OpenSearch node: it fails as told, comes back with its data, and leaves nothing."""

import base64
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from engines import EngineError, OpenSearchNode, opensearch
from engines.home import home_folder
from engines.probes import ask
from engines.processes import find_family, is_alive
from engines.runs import known_runs

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def node() -> Iterator[OpenSearchNode]:
    """Not the shared one: it is killed."""
    with opensearch() as own:
        yield own


def _put(node: OpenSearchNode, document: str) -> None:
    url = f"{node.url}/kept/_doc/{document}?refresh=true"
    body = json.dumps({"name": document}).encode()
    deadline = time.monotonic() + 30
    # 201 the first time, 200 for the same document again: `ask` answers the latter
    while ask(url, method="PUT", body=body, headers={"Content-Type": "application/json"}) is None:
        assert time.monotonic() < deadline


def _count(node: OpenSearchNode) -> int:
    counted: int = ask(f"{node.url}/kept/_count")["count"]
    return counted


def test_it_comes_back_after_a_crash_with_its_data(node: OpenSearchNode) -> None:
    _put(node, "before-crash")
    process, url = psutil.Process(node.pid), node.url
    count = _count(node)
    node.kill()
    assert ask(node.url) is None
    assert not is_alive(process)
    node.restart()
    assert (node.url, _count(node)) == (url, count)
    assert node.pid != process.pid


def test_a_suspended_node_answers_nobody_until_it_goes_on(node: OpenSearchNode) -> None:
    node.suspend()
    assert ask(node.url, timeout_seconds=2) is None
    node.resume()
    assert ask(node.url)["version"]["number"] == node.version


def test_a_clean_restart_also_of_a_suspended_node_keeps_its_data(node: OpenSearchNode) -> None:
    _put(node, "before-restart")
    count = _count(node)
    node.suspend()
    node.restart()
    assert _count(node) == count


def test_a_setting_that_opensearch_refuses_is_told_with_its_reason() -> None:
    with pytest.raises(EngineError) as error, opensearch(settings={"no.such.setting": 1}):
        pass
    assert "stopped while it started" in str(error.value)
    assert "unknown setting [no.such.setting]" in str(error.value)
    assert "\tat " not in str(error.value)


def test_with_security_it_asks_for_a_password_over_tls() -> None:
    with opensearch(security=True) as node:
        assert node.user is not None
        assert node.password is not None
        assert node.ca_file is not None
        right, wrong = (
            {"Authorization": "Basic " + base64.b64encode(f"{node.user}:{password}".encode()).decode()}
            for password in (node.password, "wrong")
        )
        assert ask(node.url, ca_file=node.ca_file, headers=right)["version"]["number"] == node.version
        assert ask(node.url, ca_file=node.ca_file, headers=wrong) is None
        assert ask(node.url, ca_file=node.ca_file) is None
        with pytest.raises(ssl.SSLCertVerificationError):
            ssl.get_server_certificate(
                ("localhost", urlsplit(node.url).port or 0), ca_certs=ssl.get_default_verify_paths().cafile
            )


def _engines(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engines", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_command_line_leaves_it_running_until_it_is_stopped() -> None:
    described = json.loads(_engines("start", "opensearch").stdout)
    port = str(urlsplit(described["url"]).port)
    process = psutil.Process(described["pid"])
    try:
        assert ask(described["url"]) is not None
        assert f"{described['url']}  pid {described['pid']}  kept" in _engines("status").stdout
    finally:
        stopped = _engines("stop", "opensearch", "--port", port)
    assert (stopped.returncode, stopped.stdout) == (0, f"stopped opensearch-{port}\n")
    assert not is_alive(process)
    assert not (home_folder("run") / f"opensearch-{port}").exists()


def test_the_command_line_does_not_stop_what_a_program_uses(node: OpenSearchNode) -> None:
    stopped = _engines("stop", "opensearch", "--port", str(node.port))
    assert stopped.returncode == 1
    assert stopped.stdout.startswith(f"opensearch-{node.port} is in use by process {os.getpid()}: end that")
    assert ask(node.url) is not None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_while_it_starts_it_leaves_nothing(number: signal.Signals) -> None:
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\nimport engines.__main__ as main"
    command = [sys.executable, "-c", f"{code}\nraise SystemExit(main.main())", "start", "opensearch"]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as starting:
        deadline = time.monotonic() + 60
        while not (folders := [run.folder for run in known_runs() if run.record.owner_pid == starting.pid]):
            assert time.monotonic() < deadline
        while not (family := find_family(folders[0])):
            assert time.monotonic() < deadline
        starting.send_signal(number)
        _, said = starting.communicate(timeout=30)
    assert starting.returncode == 130
    assert said.endswith("engines: interrupted; what was started has been stopped\n")
    assert not any(is_alive(process) for process in family)
    assert not folders[0].exists()
