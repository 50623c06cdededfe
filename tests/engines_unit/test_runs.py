"""Runs: nothing of one is left, whatever happens to the program that it belongs to."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from engines import runs
from engines.errors import EngineError
from engines.interrupts import interrupts_deferred
from engines.ports import is_free
from engines.processes import MARK, ProcessIdentity, find_family, is_alive
from engines.records import State
from engines.runs import Run, claim, known_runs, stop_all

FIRST_PORT = 27100
# A process with a child in a session of its own, like LocalStack's.
FAMILY = "import subprocess, time; subprocess.Popen(['sleep', '600'], start_new_session=True); time.sleep(600)"
# As FAMILY, but the parent is gone at once.
ORPHAN = "import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True)"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENGINES_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def _spawn(run: Run, code: str = FAMILY) -> None:
    run.spawn([sys.executable, "-c", code], folder=run.folder, environment={})


def _wait_for_family(folder: Path, size: int) -> list[psutil.Process]:
    deadline = time.monotonic() + 30
    while len(family := find_family(folder)) != size:
        assert time.monotonic() < deadline, family
        time.sleep(0.02)
    return family


def _assert_gone(family: list[psutil.Process], home: Path) -> None:
    assert not any(is_alive(process) for process in family)
    assert list((home / "run").iterdir()) == []


@contextmanager
def _owner(code: str) -> Iterator[subprocess.Popen[str]]:
    """Another program, which claims a run named `other` and says `ready`."""
    script = (
        "import signal, sys, time\nfrom engines import unwind_on_termination\nfrom engines.runs import claim\n"
        # a test run in the background or under nohup starts with these ignored
        "signal.signal(signal.SIGINT, signal.default_int_handler)\nsignal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
        f"unwind_on_termination()\nwith claim('other', None, {FIRST_PORT}) as run:\n"
        f"    run.spawn([sys.executable, '-c', {FAMILY!r}], folder=run.folder, environment={{}})\n"
        f"    print('ready', run.port, flush=True)\n    {code}\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True) as owner:
        try:
            assert owner.stdout is not None
            assert owner.stdout.readline().startswith("ready")
            yield owner
        finally:
            owner.kill()


def _only_run(home: Path) -> Path:
    (folder,) = (home / "run").iterdir()
    return folder


def test_its_processes_and_files_are_gone_after_the_block(home: Path) -> None:
    with claim("engine", None, FIRST_PORT) as run:
        _spawn(run)
        family = _wait_for_family(run.folder, 2)
    _assert_gone(family, home)


def test_an_orphan_in_another_session_is_gone_too(home: Path) -> None:
    with claim("engine", None, FIRST_PORT) as run:
        _spawn(run, ORPHAN)
        with pytest.raises(EngineError, match="exit code 0"):
            run.wait_until(lambda: False, timeout_seconds=30)
        family = _wait_for_family(run.folder, 1)
    _assert_gone(family, home)


def test_a_suspended_process_is_gone_too(home: Path) -> None:
    with claim("engine", None, FIRST_PORT) as run:
        _spawn(run)
        family = _wait_for_family(run.folder, 2)
        run.suspend()
    _assert_gone(family, home)


def test_an_error_in_the_block_ends_it_too(home: Path) -> None:
    family: list[psutil.Process] = []

    def fail_half_way() -> None:
        with claim("engine", None, FIRST_PORT) as run:
            _spawn(run)
            family.extend(_wait_for_family(run.folder, 2))
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        fail_half_way()
    _assert_gone(family, home)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_program_ends_it_too(home: Path, number: signal.Signals) -> None:
    with _owner("time.sleep(600)") as owner:
        family = _wait_for_family(_only_run(home), 2)
        owner.send_signal(number)
        owner.wait(30)
    _assert_gone(family, home)


def test_after_the_program_was_killed_the_next_claim_cleans_up(home: Path) -> None:
    with _owner("time.sleep(600)") as owner:
        family = _wait_for_family(_only_run(home), 2)
        owner.kill()
        owner.wait()
    assert [run.state for run in known_runs()] == [State.STALE]
    with claim("engine", None, FIRST_PORT) as run:
        assert run.port == FIRST_PORT
    _assert_gone(family, home)


def test_stop_cleans_up_after_a_killed_program_but_leaves_a_living_ones_alone(home: Path) -> None:
    said: list[str] = []
    with _owner("time.sleep(600)") as owner:
        family = _wait_for_family(_only_run(home), 2)
        assert not stop_all(announce=said.append)
        assert said == [f"other-{FIRST_PORT} is in use by process {owner.pid}: end that, and it ends its engines"]
        assert len(find_family(_only_run(home))) == 2
        owner.kill()
        owner.wait()
    assert stop_all("unrelated")
    assert stop_all("other", FIRST_PORT + 1)
    assert len(find_family(_only_run(home))) == 2
    assert stop_all("other")
    _assert_gone(family, home)


def test_a_kept_run_outlives_its_program_until_it_is_stopped(home: Path) -> None:
    with _owner("run.keep()") as owner:
        family = _wait_for_family(_only_run(home), 2)
        owner.wait(30)
    assert [run.state for run in known_runs()] == [State.KEPT]
    with claim("engine", None, FIRST_PORT) as run:
        assert run.port == FIRST_PORT + 1
    assert len(find_family(_only_run(home))) == 2
    assert stop_all()
    _assert_gone(family, home)


def test_a_kept_run_that_died_is_cleaned_up(home: Path) -> None:
    with _owner("run.keep()") as owner:
        family = _wait_for_family(_only_run(home), 2)
        owner.wait(30)
    (known,) = known_runs()
    assert known.record.process is not None
    os.kill(known.record.process.pid, signal.SIGKILL)
    _wait_for_family(known.folder, 1)
    with claim("engine", None, FIRST_PORT):
        pass
    _assert_gone(family, home)


def test_a_folder_whose_maker_never_wrote_its_record_is_cleaned_up(home: Path) -> None:
    half = home / "run" / f"engine-{FIRST_PORT}"
    half.mkdir(parents=True)
    with claim("engine", FIRST_PORT, FIRST_PORT):
        pass
    assert not half.exists()


def test_claims_side_by_side_get_ports_of_their_own() -> None:
    with claim("engine", None, FIRST_PORT) as one, claim("engine", None, FIRST_PORT) as two:
        assert (one.port, two.port) == (FIRST_PORT, FIRST_PORT + 1)


def test_a_busy_port_is_named_with_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(EngineError) as error, claim("engine", port, FIRST_PORT):
            pass
    message = str(error.value)
    assert message.startswith(f"port {port} for engine is in use by ")
    assert message.endswith("; stop that or choose another port")
    if sys.platform == "linux":
        assert f"process {os.getpid()}" in message


def test_a_port_of_another_run_is_named_as_such() -> None:
    with claim("engine", None, FIRST_PORT) as run:
        with pytest.raises(EngineError) as error, claim("other", run.port, FIRST_PORT):
            pass
        assert f"is in use by an engine of this project, engine-{run.port}: `python -m engines stop`" in str(
            error.value
        )


def test_no_port_is_no_number_from_1_to_65535() -> None:
    expected = pytest.raises(EngineError, match="port 70000 for engine: a port is a number from 1 to 65535")
    with expected, claim("engine", 70000, FIRST_PORT):
        pass


def test_a_process_that_stops_while_it_starts_is_told_with_its_log() -> None:
    code = "print('the reason'); print('\\tat java.lang.Frame'); raise SystemExit(7)"
    with claim("engine", None, FIRST_PORT) as run:
        _spawn(run, code)
        with pytest.raises(EngineError) as error:
            run.wait_until(lambda: False, timeout_seconds=30)
    assert str(error.value) == (
        f"engine on port {FIRST_PORT} stopped while it started (exit code 7). Its log ends:\nthe reason"
    )


def test_a_process_that_is_never_ready_is_told_with_its_log() -> None:
    with claim("engine", None, FIRST_PORT) as run:
        _spawn(run, "import time; print('waiting for godot', flush=True); time.sleep(600)")
        with pytest.raises(EngineError, match=rf"engine on port {FIRST_PORT} was not ready after 1 s"):
            run.wait_until(lambda: False, timeout_seconds=1)


def test_terminate_lets_the_process_end_in_good_order(home: Path) -> None:
    code = (
        "import pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path('done').touch(), sys.exit(0)))\n"
        "pathlib.Path('up').touch()\ntime.sleep(600)"
    )
    with claim("engine", None, FIRST_PORT) as run:
        _spawn(run, code)
        run.wait_until((run.folder / "up").exists, timeout_seconds=30)
        run.suspend()
        run.terminate()
        assert (run.folder / "done").exists()
        assert find_family(run.folder) == []
        _spawn(run)
        assert len(_wait_for_family(run.folder, 2)) == 2
    assert list((home / "run").iterdir()) == []


def test_the_users_settings_stay_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    with claim("engine", None, FIRST_PORT) as run:
        run.spawn([sys.executable, "-c", "import time; time.sleep(600)"], folder=run.folder, environment={"OWN": "1"})
        while not (environment := psutil.Process(run.pid).environ()):
            pass  # it is just being started
        assert set(environment) <= {*runs.INHERITED, "HOME", "TMPDIR", MARK, "OWN"}
        assert environment["HOME"].startswith(str(run.folder))
        assert environment["TMPDIR"].startswith(str(run.folder))


def test_a_reused_pid_is_another_process() -> None:
    myself = ProcessIdentity.of(os.getpid())
    assert myself.find() is not None
    assert ProcessIdentity(myself.pid, myself.create_time - 60).find() is None


def test_interrupts_wait_for_the_end_of_a_cleanup() -> None:
    steps: list[str] = []

    def clean_up() -> None:
        with interrupts_deferred():
            signal.raise_signal(signal.SIGINT)
            steps.append("cleaned up")
        steps.append("went on")

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            clean_up()
        assert steps == ["cleaned up"]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
