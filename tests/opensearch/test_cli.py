"""The command itself, as a process of its own, on a real OpenSearch and DynamoDB Local."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from engines import DynamoDBLocal, OpenSearchNode

from opensearch import api
from opensearch.sides import Sides

REPOSITORY = Path(__file__).resolve().parents[2]
ITEMS = 600
QUICK = ("--processes", "1", "--segments", "4", "--page-items", "50")


class Shell:
    """Runs the command in a folder, with the environment of one table and index."""

    def __init__(self, sides: Sides, folder: Path) -> None:
        self.sides = sides
        self.folder = folder
        self._environment = {
            **os.environ,
            **sides.environment,
            "PYTHONPATH": str(REPOSITORY / "lambda/src"),
            "XDG_STATE_HOME": str(folder / "state"),
            "HOME": str(folder),
        }

    def start(
        self,
        *arguments: str,
        environment: Mapping[str, str] = MappingProxyType({}),
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
    ) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "dynamodb_opensearch.cli", *arguments]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self._environment, **environment},
            stdout=stdout,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        process = self.start(*arguments, environment=environment)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def result(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """The exit code, and the only thing on stdout: a JSON object."""
        done = self.run(*arguments, "--json")
        return done.returncode, json.loads(done.stdout)

    @property
    def checkpoints(self) -> list[Path]:
        return sorted((self.folder / "state").rglob("*.jsonl*"))


@pytest.fixture
def empty(
    opensearch_node: OpenSearchNode, dynamodb_node: DynamoDBLocal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Shell:
    sides = Sides(opensearch_node, dynamodb_node, tmp_path, monkeypatch, index_settings={"number_of_shards": 3})
    return Shell(sides, tmp_path)


@pytest.fixture
def shell(empty: Shell) -> Shell:
    empty.sides.fill(ITEMS)
    return empty


def damage(sides: Sides) -> list[tuple[str, str]]:
    """Four kinds of it; what verify must name."""
    call: Callable[..., str] = lambda *request: api.call(sides.node, *request)  # noqa: E731
    call("DELETE", f"/{sides.name}/_doc/i-0003?refresh=true")
    call("PUT", f"/{sides.name}/_doc/i-0004", {"pk": "i-0004", "n": 9})
    call("PUT", f"/{sides.name}/_doc/nobody", {"pk": "nobody"})
    call("PUT", f"/{sides.name}/_doc/i-0005?routing=elsewhere&refresh=true", {"pk": "i-0005"})
    return [("ghost", "nobody"), ("missing", "i-0003"), ("stale", "i-0004"), ("wrong place", "i-0005")]


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
    _wait_for_steps(shell, 5)
    send(process.pid, number)
    out, err = process.communicate(timeout=60)

    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    resume = re.search(r"go on with: dynamodb-opensearch (.*)  \(checkpoint (.*)\)", err)
    assert resume
    assert Path(resume[2]) == shell.checkpoints[0]
    assert resume[1].split() == [*slow, "--rcu", "60"]
    noted = _counts(Path(resume[2]))
    assert 0 < noted < ITEMS

    code, result = shell.result(*slow)
    assert (code, result["done"], result["counts"]["items"]) == (0, True, ITEMS)
    assert result["counts"]["written"] == ITEMS, "no page was done twice: else it would be superseded"
    assert shell.checkpoints == []


def test_a_second_signal_ends_it_at_once_and_what_was_done_is_kept(shell: Shell) -> None:
    process = shell.start("backfill", "--processes", "2", "--segments", "4", "--page-items", "5", "--rcu", "5")
    _wait_for_steps(shell, 2)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=5)

    assert process.returncode == 130
    code, result = shell.result("backfill", "--processes", "1", "--segments", "4", "--page-items", "50")
    assert (code, result["counts"]["items"]) == (0, ITEMS)


def test_a_worker_that_was_killed_is_told_of_and_what_was_done_is_kept(shell: Shell) -> None:
    process = shell.start("backfill", "--processes", "2", "--segments", "4", "--page-items", "5", "--rcu", "5")
    _wait_for_steps(shell, 2)
    os.kill(_workers(process.pid)[0], signal.SIGKILL)
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
    _wait_for_steps(shell, 3)
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


def test_an_index_is_proposed_created_shown_changed_and_switched(shell: Shell) -> None:
    other = f"{shell.sides.name}-2"
    code, proposed = shell.result("index", "create", "--dry-run")
    assert (code, proposed["mappings"]["properties"]["pk"]["type"]) == (0, "keyword")
    (shell.folder / "index.json").write_text(json.dumps(proposed))

    unseen = shell.run("index", "create", "--index", other)
    assert unseen.returncode == 2
    assert "error: a proposed index mapping needs your review" in unseen.stderr
    assert re.search(r"^  pk +keyword +key attribute", unseen.stderr, re.MULTILINE)

    code, made = shell.result(
        "index", "create", "--file", "index.json", "--name", other, "--index", "alias-of-" + other
    )
    assert (code, made["index"], made["alias"]) == (0, other, "alias-of-" + other)

    proposed["settings"]["index.refresh_interval"] = "5s"
    (shell.folder / "index.json").write_text(json.dumps(proposed))
    code, changed = shell.result("index", "update", "--file", "index.json", "--index", other)
    assert (code, changed["changes"]) == (0, ["setting index.refresh_interval: 1s → 5s"])

    code, shown = shell.result("index", "show", "--index", "alias-of-" + other)
    assert (code, [one["index"] for one in shown["indices"]]) == (0, [other])
    assert shown["indices"][0]["settings"]["index.refresh_interval"] == "5s"

    code, switched = shell.result("index", "switch", shell.sides.name, "--index", "alias-of-" + other)
    assert (code, switched["before"]) == (0, [other])


def test_the_status_counts_what_the_sync_writes_to_and_not_all_that_its_alias_covers(shell: Shell) -> None:
    """Another sync's index stands behind the alias, too."""
    name, alias = shell.sides.name, f"{shell.sides.name}-all"
    assert shell.run("backfill", *QUICK).returncode == 0
    api.call(shell.sides.node, "PUT", f"/{name}-us")
    api.call(shell.sides.node, "PUT", f"/{name}-us/_doc/1?refresh=true", {})
    ours = {"index": name, "alias": alias, "is_write_index": True}
    actions = [{"add": ours}, {"add": {"index": f"{name}-us", "alias": alias}}]
    api.call(shell.sides.node, "POST", "/_aliases", {"actions": actions})
    code, status = shell.result("status", "--index", alias)
    assert (code, status["documents"]) == (0, ITEMS)


def test_the_status_of_a_sync_whose_opensearch_doesnt_answer_is_no_success(empty: Shell) -> None:
    code, status = empty.result("status", "--endpoint", "http://127.0.0.1:9")
    assert (code, status["items"]) == (1, 0)
    assert "ConnectionRefusedError" in status["documents"]["problem"]


def test_a_switch_says_what_it_left_and_that_the_new_index_isnt_filled(shell: Shell) -> None:
    name, alias = shell.sides.name, f"{shell.sides.name}-all"
    assert shell.run("backfill", *QUICK).returncode == 0
    for one, options in ((name, {"is_write_index": True}), (f"{name}-us", {})):
        add = {"add": {"index": one, "alias": alias, **options}}
        if one != name:
            api.call(shell.sides.node, "PUT", f"/{one}")
        api.call(shell.sides.node, "POST", "/_aliases", {"actions": [add]})
    api.call(shell.sides.node, "PUT", f"/{name}-2")

    done = shell.run("index", "switch", f"{name}-2", "--index", alias)

    assert (done.returncode, done.stdout) == (0, f"The alias {alias} points to {name}-2 instead of {name}\n")
    assert done.stderr.splitlines() == [
        f"also behind the alias, and unchanged: {name}-us",
        f"warning: {name}-2 holds 0 documents, {name} holds 600: run repair, or go back with index switch {name}",
    ]
    code, back = shell.result("index", "switch", name, "--index", alias)
    assert (code, back["before"], back["left"]) == (0, [f"{name}-2"], [f"{name}-us"])


def test_a_sample_says_how_much_it_proves(shell: Shell) -> None:
    assert shell.run("backfill", *QUICK).returncode == 0
    code, result = shell.result("verify", "--processes", "1", "--segments", "20", "--sample", "50", "--patience", "0")
    assert code == 0
    items, documents = result["counts"]["items"], result["counts"]["documents"]
    assert 0 < items < ITEMS
    assert 0 < documents < ITEMS
    assert result["statements"][0].startswith(f"0 of {items} sampled items differ: with 95 % confidence fewer than ")


def test_a_verdict_is_never_of_an_earlier_comparison_though_that_was_cut_off_while_it_was_told(shell: Shell) -> None:
    assert shell.run("backfill", *QUICK).returncode == 0
    process = shell.start("verify", *QUICK, "--patience", "0.3")
    assert process.stdout is not None
    process.stdout.close()  # as ``| head -1`` does
    assert process.stderr is not None
    told = process.stderr.read()
    assert (process.wait(120), told.count("\n")) == (2, 1)
    process.stderr.close()
    assert shell.checkpoints == []
    api.call(shell.sides.node, "DELETE", f"/{shell.sides.name}/_doc/i-0003?refresh=true")
    code, result = shell.result("verify", *QUICK, "--patience", "0.3")
    assert (code, result["counts"]["missing"], result["counts"]["items"]) == (1, 1, ITEMS)


def test_a_backfill_of_an_index_that_was_made_anew_does_not_go_on(shell: Shell) -> None:
    slow = ("backfill", "--processes", "1", "--segments", "4", "--page-items", "5")
    process = shell.start(*slow, "--rcu", "60")
    _wait_for_steps(shell, 5)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    api.call(shell.sides.node, "DELETE", f"/{shell.sides.name}")
    api.call(shell.sides.node, "PUT", f"/{shell.sides.name}", {"settings": {"number_of_replicas": 0}})
    refused = shell.run(*slow)
    assert refused.returncode == 2
    assert "is of another index of that name: it was recreated since" in refused.stderr
    code, result = shell.result(*slow, "--restart")
    assert (code, result["counts"]["written"]) == (0, ITEMS)
    api.call(shell.sides.node, "POST", f"/{shell.sides.name}/_refresh")
    assert api.decoded(shell.sides.node, "GET", f"/{shell.sides.name}/_count")["count"] == ITEMS


def test_another_syncs_index_behind_the_alias_is_named_and_only_touched_if_it_is_asked_for(shell: Shell) -> None:
    sides, alias, other = shell.sides, f"{shell.sides.name}-alias", f"{shell.sides.name}-other"
    api.call(sides.node, "PUT", f"/{sides.name}/_alias/{alias}", {"is_write_index": True})
    api.call(sides.node, "PUT", f"/{other}", {"settings": {"number_of_replicas": 0}, "aliases": {alias: {}}})
    for number in range(4):
        api.call(sides.node, "PUT", f"/{other}/_doc/us-{number}?refresh=true", {"pk": f"us-{number}"})
    named = ("--index", alias, *QUICK, "--patience", "0.3")
    assert shell.run("backfill", "--index", alias, *QUICK).returncode == 0
    done = shell.run("repair", *named)
    assert done.returncode == 0
    assert f"note: not compared: {other} (4 documents), which the alias {alias} covers too" in done.stderr
    assert api.decoded(sides.node, "GET", f"/{other}/_count")["count"] == 4
    asked = shell.run("repair", *named, "--other-index", other)
    assert asked.returncode == 0
    assert f"repair removes up to 4 documents of {other}" in asked.stderr
    api.call(sides.node, "POST", f"/{other}/_refresh")
    assert api.decoded(sides.node, "GET", f"/{other}/_count")["count"] == 0


def _wait_for_steps(shell: Shell, number: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for path in shell.checkpoints:
            if path.read_text().count('"counts"') >= number:
                return
        time.sleep(0.02)
    pytest.fail("no steps were noted")


def _workers(pid: int) -> list[int]:
    """The processes that it started, but multiprocessing's own, which keeps count of semaphores."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in children if b"resource_tracker" not in Path(f"/proc/{one}/cmdline").read_bytes()]


def _counts(checkpoint: Path) -> int:
    lines = [json.loads(line) for line in checkpoint.read_text().splitlines()]
    return sum(line["counts"].get("items", 0) for line in lines if "counts" in line)
