"""The checks of a trial, in their order: what each looks at, and what it needs. A check returns what it saw."""

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from trial import rights
from trial.errors import NotRunError
from trial.metrics import alarms_exist, own_metrics, queue_metrics, sync_metrics, trigger_metrics
from trial.stage import Stage, must

_LETTER_SECONDS = 300
_QUEUE_SECONDS = 300  # SQS counts its messages only approximately, and late
_JOB_SECONDS = 900
_OLD_SECONDS = 65  # over the conflict window, within which a backfill leaves a document to the sync, a deleted one too
_POLL_SECONDS = 20  # the longest that SQS waits: it asks all of its servers


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is proven, or not."""

    id: str
    title: str
    run: Callable[[Stage], str]
    needs: Collection[str] = ()


def _create_index(stage: Stage) -> str:
    return stage.command.run(
        "index", "create", "--index", stage.example.index, "--file", str(stage.example.definition_file), "--yes"
    )[-1]


def _puts(stage: Stage) -> str:
    for item in stage.example.items():
        stage.put(item)
    return stage.arrive()


def _updates(stage: Stage) -> str:
    for item in stage.example.items()[:4]:
        stage.update(
            item[stage.example.key]["S"],
            "SET trialled = :now ADD visits :one",
            {":now": {"S": ""}, ":one": {"N": "1"}},
        )
    odd = stage.example.items()[-1]
    stage.put({**odd, "again": {"N": "0.10"}})
    return stage.arrive()


def _deletes(stage: Stage) -> str:
    keys = [item[stage.example.key]["S"] for item in stage.example.items()]
    gone = [*keys[5:8], keys[-2]]
    for key in gone:
        stage.delete(key)
    seen = stage.arrive()
    left = stage.search.documents(stage.example.index, gone)
    must(not left, f"{len(left)} of {len(gone)} deleted items still have documents")
    return seen


def _empty_map(stage: Stage) -> str:
    stage.put(stage.example.empty_map())
    return stage.arrive(seconds=5 if stage.account.emulator else 300)


def _verify(stage: Stage) -> str:
    return stage.verify()


def _poison(stage: Stage) -> str:
    """A refused document is set aside while items behind it arrive."""
    poison = stage.example.poison(1)
    stage.put(poison)
    for number in range(2, 6):
        stage.put(stage.example.corrected(number))
    behind = stage.arrive(leave_out={poison[stage.example.key]["S"]})
    waiting, seconds = stage.waits.until(
        stage.waiting_failures, _LETTER_SECONDS, lambda: "there is no dead letter in the queue"
    )
    must(waiting == 1, f"the queue holds {waiting} failures, not 1")
    return f"1 dead letter after {seconds:.0f} s; behind it {behind}"


def _letter(stage: Stage) -> str:
    """The letter in the queue is about that document, and stays there."""
    message = stage.receive_failure(10)
    must(message, "the queue counts a failure, but gives none")
    assert message is not None
    letter = json.loads(message["Body"])
    seen = {name: letter.get(name) for name in ("kind", "index", "table")}
    expected = {"kind": "document", "index": stage.example.index, "table": stage.table_name}
    must(seen == expected, f"the failure's members are {seen}, not {expected}")
    must(letter.get("keys") == _key(stage), "the failure names another key")
    return f"the reason is {letter['reason']['type']}"


def _difference(stage: Stage) -> str:
    """Verify names the difference: its exit code is 1."""
    return stage.command.run("verify", expected=(1,))[-1]


def _redrive(stage: Stage) -> str:
    stage.put(stage.example.corrected(1))
    stage.arrive()
    lines = stage.command.run("redrive")
    must(any(re.match(r"1 +redriven", line) for line in lines), f"redrive took another number: {' '.join(lines)}")
    return lines[0]


def _empty(stage: Stage) -> str:
    _, seconds = stage.waits.until(
        lambda: stage.waiting_failures() == 0,
        _QUEUE_SECONDS,
        lambda: f"the queue still holds {stage.waiting_failures()} failures",
    )
    poll = 1 if stage.account.emulator else _POLL_SECONDS
    must(stage.receive_failure(poll) is None, "the queue counts no failure, but gives one")
    return f"it counts none after {seconds:.0f} s, and gives none in {poll} s"


def _key(stage: Stage) -> object:
    key = stage.example.key
    return {key: stage.example.poison(1)[key]}


def _operate(stage: Stage, kind: str) -> dict[str, int]:
    """Run a job in the state machine, and return its counts."""
    states = stage.account.client("stepfunctions")
    arn = states.start_execution(
        stateMachineArn=stage.trial["state_machine_arn"], input=json.dumps({"job": {"type": kind, "segments": 2}})
    )["executionArn"]
    ended, _ = stage.waits.until(
        lambda: (state := states.describe_execution(executionArn=arn))["status"] != "RUNNING" and state,
        _JOB_SECONDS,
        lambda: f"the execution of {kind} still runs",
    )
    if not isinstance(ended, dict):
        raise NotRunError(f"the execution of {kind} has no state")
    must(ended["status"] == "SUCCEEDED", f"the execution of {kind} ended with {ended['status']}: {ended.get('error')}")
    counts: dict[str, int] = json.loads(ended["output"])["counts"]
    return counts


def _operator_verifies(stage: Stage) -> str:
    counts = _operate(stage, "verify")
    items = stage.compare().items
    must(counts == {"items": items, "documents": items}, f"it counts {counts}; the table has {items} items")
    return f"it compared {items} items with {items} documents"


def _operator_backfills(stage: Stage) -> str:
    """A document that is missing is back after the backfill: else the index would be equal without it."""
    index, gone = stage.example.index, str(stage.example.items()[4][stage.example.key]["S"])  # put once, never updated
    age = stage.waits.clock() - stage.put_at[gone]
    stage.waits.sleep(max(0.0, _OLD_SECONDS - age))
    must(stage.search.documents(index, [gone]), f"the document {gone}, which is to be deleted, doesn't exist")
    stage.search.delete(index, gone)
    must(not stage.search.documents(index, [gone]), f"the document {gone} was deleted, but still exists")
    counts = _operate(stage, "backfill")
    comparison = stage.compare()
    must(counts.get("items") == comparison.items, f"it counts {counts}; the table has {comparison.items} items")
    must(not counts.get("refused"), f"it counts {counts}")
    must(stage.search.documents(index, [gone]), f"the document {gone} was deleted before, and isn't back")
    must(not comparison.differences, f"{len(comparison.differences)} differences between items and documents")
    return f"it read {comparison.items} items, and a document that was deleted before is back: {stage.verify()}"


CHECKS = (
    Check("index", "The index is created by the command", _create_index, ["apply"]),
    Check("puts", "Items arrive, odd ones too", _puts, ["index"]),
    Check("updates", "Updates arrive", _updates, ["puts"]),
    Check("deletes", "Deletes arrive", _deletes, ["puts"]),
    Check("verify", "verify finds no difference", _verify, ["puts"]),
    Check("poison", "A refused document is set aside, and items behind it arrive", _poison, ["puts"]),
    Check("letter", "The dead letter names document and reason", _letter, ["poison"]),
    Check("difference", "verify finds the refused document", _difference, ["poison"]),
    Check("redrive", "The corrected item's letter is redriven", _redrive, ["poison"]),
    Check("empty", "The queue counts no failure, and gives none", _empty, ["redrive"]),
    Check("verify-again", "verify finds no difference any more", _verify, ["redrive"]),
    Check("operator-verify", "The state machine runs verify as a distributed map", _operator_verifies, ["redrive"]),
    Check(
        "operator-backfill",
        "The state machine runs backfill: a deleted document is back",
        _operator_backfills,
        ["redrive"],
    ),
    Check("empty-map", "An item with an empty map arrives", _empty_map, ["redrive"]),
    Check(
        "iam-simulated",
        "IAM's simulator allows the sync's role what it needs, and nothing else that was asked",
        rights.simulated,
        ["apply"],
    ),
    Check(
        "iam-opensearch",
        "OpenSearch accepts the sync's bulk write, and refuses its role six other requests",
        rights.opensearch,
        ["index"],
    ),
    Check("iam-bulk", "Whether a bulk request's body may name another index", rights.other_index, ["index"]),
    Check("iam-aws", "AWS lets the sync's role read an item, and refuses it five other calls", rights.aws, ["apply"]),
    Check("alarms", "The alarms exist", alarms_exist, ["apply"]),
    Check("metrics-function", "The function's metrics exist", sync_metrics, ["alarms", "puts"]),
    Check("metrics-trigger", "The event source mapping's metrics exist", trigger_metrics, ["alarms", "puts"]),
    Check("metrics-own", "The sync's own metrics exist", own_metrics, ["alarms", "poison"]),
    Check("metrics-queue", "The queue's metrics exist", queue_metrics, ["alarms", "poison"]),
)
