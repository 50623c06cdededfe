"""The command as people run it, in processes of its own."""

import json
import os
import pty
import re
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from opensearch.shell import ITEMS, QUICK, Shell, counts, damage, wait_for_steps, workers


def test_from_an_empty_index_over_damage_and_repair_to_a_proof(shell: Shell) -> None:
    code, filled = shell.result("backfill", *QUICK)
    assert (code, filled["counts"]["items"], filled["counts"]["written"], filled["done"]) == (0, ITEMS, ITEMS, True)

    code, verified = shell.result("verify", *QUICK, "--patience", "0.3")
    assert (code, verified["differences"], verified["counts"]) == (0, 0, {"items": ITEMS, "documents": ITEMS})

    expected = damage(shell.sides)
    before = shell.sides.versions()
    reports = [argument for name in ("r.jsonl", "r.json", "r.html") for argument in ("--report", name)]
    code, broken = shell.result("verify", *QUICK, "--patience", "0.3", *reports)
    assert (code, broken["differences"]) == (1, 4)
    assert sorted((one["kind"], one["id"]) for one in broken["findings"]) in (
        expected,
        [(kind.replace("stale", "wrong content"), key) for kind, key in expected],
    )
    assert json.loads((shell.folder / "r.json").read_text())["differences"] == broken["findings"]
    assert "nobody" in (shell.folder / "r.html").read_text()

    code, planned = shell.result("repair", "--report", "r.jsonl", "--dry-run")
    assert (code, sum(planned["counts"].values())) == (1, 4)
    assert shell.sides.versions() == before

    code, repaired = shell.result("repair", "--report", "r.jsonl")
    assert (code, repaired["counts"]["repaired"]) == (0, 4)
    after = shell.sides.versions()
    touched = {key for _, key in expected}
    assert {key: after[key] for key in after if key not in touched} == {
        key: before[key] for key in before if key not in touched
    }

    code, proven = shell.result("verify", *QUICK, "--patience", "0.3")
    assert (code, proven["differences"]) == (0, 0)
    assert shell.checkpoints == []

    code, status = shell.result("status")
    assert (code, status["documents"], status["items"]) == (0, ITEMS, ITEMS)
    assert (status["verified"]["items"], status["verified"]["differences"]) == (ITEMS, 0)
    assert status["mappings"] == {"problem": "no function is known: give --function NAME"}


@pytest.mark.parametrize(
    ("send", "number"), [(os.killpg, signal.SIGINT), (os.killpg, signal.SIGTERM), (os.kill, signal.SIGTERM)]
)
@pytest.mark.parametrize("processes", [1, 2])
def test_an_interrupted_backfill_goes_on_where_it_stopped(
    shell: Shell, processes: int, send: Callable[[int, int], None], number: signal.Signals
) -> None:
    """A terminal's Ctrl-C reaches the workers, too, as does the SIGTERM of a service manager's or a container's."""
    slow = ("backfill", "--processes", str(processes), "--segments", "4", "--page-items", "5")
    process = shell.start(*slow, "--rcu", "60")
    wait_for_steps(shell, 5)
    send(process.pid, number)
    out, err = process.communicate(timeout=60)

    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    resume = re.search(r"go on with: dynamodb-opensearch (.*)  \(checkpoint (.*)\)", err)
    assert resume
    assert Path(resume[2]) == shell.checkpoints[0]
    assert resume[1].split() == [*slow, "--rcu", "60"]
    noted = counts(Path(resume[2]))
    assert 0 < noted < ITEMS

    code, result = shell.result(*slow)
    assert (code, result["done"], result["counts"]["items"]) == (0, True, ITEMS)
    assert result["counts"]["written"] == ITEMS, "no page was done twice: else it would be superseded"
    assert shell.checkpoints == []


def test_a_second_signal_ends_it_at_once_and_what_was_done_is_kept(shell: Shell) -> None:
    process = shell.start("backfill", "--processes", "2", "--segments", "4", "--page-items", "5", "--rcu", "5")
    wait_for_steps(shell, 2)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=5)

    assert process.returncode == 130
    code, result = shell.result("backfill", "--processes", "1", "--segments", "4", "--page-items", "50")
    assert (code, result["counts"]["items"]) == (0, ITEMS)


def test_a_worker_that_was_killed_is_told_of_and_what_was_done_is_kept(shell: Shell) -> None:
    process = shell.start("backfill", "--processes", "2", "--segments", "4", "--page-items", "5", "--rcu", "5")
    wait_for_steps(shell, 2)
    os.kill(workers(process.pid)[0], signal.SIGKILL)
    out, err = process.communicate(timeout=60)

    assert (process.returncode, out) == (2, "")
    assert err.splitlines()[-1] == "error: a worker process was killed by signal 9, perhaps for lack of memory"
    assert "go on with: dynamodb-opensearch backfill" in err
    code, result = shell.result("backfill", "--processes", "1", "--segments", "4", "--page-items", "50")
    assert (code, result["counts"]["items"]) == (0, ITEMS)


def test_a_sigterm_before_and_after_the_work_is_an_interrupt_too(empty: Shell) -> None:
    process = empty.start("backfill", "--endpoint", "http://127.0.0.1:9")  # it is asked for some seconds
    time.sleep(3)
    os.killpg(process.pid, signal.SIGTERM)
    out, err = process.communicate(timeout=5)
    assert (process.returncode, out, err) == (130, "", "")


@pytest.mark.parametrize(
    "command", ["backfill", "verify --patience 0", "repair --patience 0 --json", "index show", "status --json"]
)
def test_a_result_that_cant_be_printed_is_no_success_and_no_difference(empty: Shell, command: str) -> None:
    """A pipe whose reader has ended, a full disk."""
    read, write = os.pipe()
    os.close(read)
    for stdout in (write, os.open("/dev/full", os.O_WRONLY)):
        process = empty.start(*command.split(), stdout=stdout)
        os.close(stdout)
        err = process.communicate(timeout=60)[1]
        assert process.returncode == 2
        assert re.fullmatch(r"(.*\n)*error: the result can't be printed \((Broken pipe|No space left .*)\)\n", err)
        assert "Traceback" not in err
        assert "Exception ignored" not in err


@pytest.mark.parametrize("command", ["verify", "index show", "status"])
def test_a_terminal_that_knows_no_letters_but_ascii_gets_the_result(empty: Shell, command: str) -> None:
    ascii_only = {"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0", "LC_ALL": "C"}
    done = empty.run(*command.split(), **ascii_only)
    assert (done.returncode, done.stdout.isascii()) == (0, True)
    json.loads(empty.run(*command.split(), "--json", **ascii_only).stdout)


@pytest.mark.parametrize("command", ["verify --patience 0", "index show", "status", "index create --name x-1"])
def test_a_terminal_of_one_column_gets_the_result(empty: Shell, command: str) -> None:
    ours, theirs = pty.openpty()
    narrow = {"COLUMNS": "1", "LINES": "1", "TERM": "xterm"}
    process = empty.start(*command.split(), environment=narrow, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = bytearray()
    with suppress(OSError):  # that is how a terminal ends
        while part := os.read(ours, 4096):
            shown += part
    os.close(ours)
    assert process.wait(10) == (2 if "create" in command else 0)
    assert b"Traceback" not in shown


def test_another_segments_or_a_running_twin_are_refused_and_a_restart_is_not(shell: Shell) -> None:
    process = shell.start("backfill", *QUICK, "--page-items", "5", "--rcu", "20")
    wait_for_steps(shell, 3)
    twin = shell.run("backfill", *QUICK)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    other = shell.run("backfill", "--processes", "1", "--segments", "5")

    assert twin.returncode == 2
    assert re.fullmatch(r"error: another run uses the checkpoint .*: wait for it, or .* --checkpoint\n", twin.stderr)
    assert other.returncode == 2
    assert re.fullmatch(r"error: the checkpoint .* its segments is 4, not 5; .* --restart\n", other.stderr)
    code, result = shell.result("backfill", "--processes", "1", "--segments", "5", "--restart")
    assert (code, result["counts"]["items"]) == (0, ITEMS)


@pytest.mark.parametrize(
    ("changes", "arguments", "message"),
    [
        ({"INDEX": "no-such-index"}, ("verify",), "INDEX is 'no-such-index': it doesn't exist; create it:"),
        ({"TABLE_NAME": "no-such-table"}, ("backfill",), "the table 'no-such-table': DescribeTable answered Resource"),
        ({}, ("backfill", "--endpoint", "http://127.0.0.1:9"), "OpenSearch can't be reached: http://127.0.0.1:9:"),
        ({}, ("verify", "--endpoint", "search"), "--endpoint is 'search': it must be a URL such as https://"),
        ({}, ("verify", "--report", "x.csv"), "--report x.csv: the name must end in .jsonl, .json, .html"),
        ({}, ("repair", "--report", "x.jsonl"), "x.jsonl can't be read (No such file or directory)"),
        ({}, ("redrive",), "the queue arn:aws:sqs:us-east-1:123456789012:letters: "),
        ({}, ("recover", "--since", "yesterday"), "--since yesterday: give a time such as 2026-11-24T09:00Z"),
        ({"TABLE_KEYS": "id"}, ("verify",), "TABLE_KEYS is 'id', but "),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    empty: Shell, changes: dict[str, str], arguments: Sequence[str], message: str
) -> None:
    done = empty.run(*arguments, **changes, AWS_ENDPOINT_URL_SQS="http://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {message}")
    assert done.stderr.count("\n") == 1


def test_people_read_what_differs_and_what_to_do(shell: Shell) -> None:
    assert shell.run("backfill", *QUICK).returncode == 0
    damage(shell.sides)
    done = shell.run("verify", *QUICK, "--patience", "0.3", "--report", "r.jsonl", "--index", shell.sides.name)
    assert done.returncode == 1
    assert "\x1b" not in done.stdout + done.stderr
    assert f"Compared {ITEMS} items and {ITEMS + 1} documents" in done.stdout
    assert re.search(r"^ +1 +missing +items without a document$", done.stdout, re.MULTILINE)
    assert re.search(r"^  ghost +nobody$", done.stdout, re.MULTILINE)
    assert re.search(r"^  missing +i-0003$", done.stdout, re.MULTILINE)
    assert done.stderr == f"\nNext: dynamodb-opensearch repair --index {shell.sides.name} --report r.jsonl\n"
