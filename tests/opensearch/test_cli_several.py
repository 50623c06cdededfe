"""The command on several indices, as people run it."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from opensearch import api
from opensearch.shell import Shell
from opensearch.sides import MakeSides, Sides

QUICK = ("--processes", "1", "--segments", "2")
PATIENT = (*QUICK, "--patience", "0.2")
INDICES: dict[str, Any] = {
    "orders": {
        "when": [{"attribute": "type", "equals": ["order"]}],
        "exclude": ["type", "secret"],
        "rename": {"ts": "orderedAt"},
        "constants": {"kind": "order"},
    },
    "customers": {"when": [{"attribute": "type", "equals": ["customer"]}]},
    "lines": {"when": [{"attribute": "type", "equals": ["line"]}], "standby": True},
}


@pytest.fixture
def several(make_sides: MakeSides, tmp_path: Path) -> Shell:
    """Twelve orders, eight customers and four lines; the indices are empty."""
    sides = make_sides(indices=INDICES)
    for kind, number in (("order", 12), ("customer", 8), ("line", 4)):
        for at in range(number):
            sides.put(f"{kind}-{at}", type={"S": kind}, ts={"N": str(at)}, secret={"S": "x"})
    return Shell(sides, tmp_path)


def damage(sides: Sides) -> None:
    """An order that no longer is one, a customer in the orders, and a line that was lost."""
    orders, lines = sides.index("orders"), sides.index("lines")
    sides.put("order-1", type={"S": "draft"})
    api.call(sides.node, "PUT", f"/{orders}/_doc/customer-1?refresh=true", {"pk": "customer-1"})
    api.call(sides.node, "DELETE", f"/{lines}/_doc/line-1?refresh=true")


def test_from_empty_indices_over_damage_and_repair_to_a_proof(several: Shell) -> None:
    sides = several.sides
    orders, customers, lines = map(sides.index, INDICES)
    code, filled = several.result("backfill", *QUICK)
    assert (code, filled["counts"]["items"], filled["counts"]["written"]) == (0, 24, 24)
    assert {index: filled["indices"][index]["counts"]["written"] for index in filled["indices"]} == {
        orders: 12,
        customers: 8,
        lines: 4,
    }
    code, verified = several.result("verify", *PATIENT)
    assert (code, verified["differences"], verified["index"]) == (0, 0, f"{orders},{customers},{lines}")
    assert verified["indices"][orders]["counts"] == {"items": 12, "documents": 12}

    damage(sides)
    before = sides.versions(customers)
    done = several.run("verify", *PATIENT, "--report", "r.jsonl", "--report", "r.html")
    assert done.returncode == 1
    assert f"Compared 11 items and 13 documents of {sides.name} and {orders}" in done.stdout
    assert f"The index {customers} equals the table." in done.stdout
    assert done.stderr == (
        f"\nNext: dynamodb-opensearch repair --report r-{orders}.jsonl\n"
        f"      dynamodb-opensearch repair --report r-{lines}.jsonl\n"
    )
    assert orders in (several.folder / f"r-{orders}.html").read_text()
    assert "The index equals the table" in (several.folder / f"r-{customers}.html").read_text()

    other = several.run("repair", "--report", f"r-{orders}.jsonl", "--index", lines)
    assert other.returncode == 2
    assert f"is about the index '{orders}', and --index names {lines}" in other.stderr
    code, repaired = several.result("repair", "--report", f"r-{orders}.jsonl")
    assert (code, repaired["counts"]["repaired"], repaired["index"]) == (0, 2, orders)
    assert "order-1" not in sides.versions(orders)
    assert sides.versions(customers) == before
    code, left = several.result("verify", *PATIENT, "--index", lines, "--index", customers)
    assert (code, left["differences"]) == (1, 1)
    assert several.result("repair", *PATIENT, "--index", lines)[0] == 0
    assert several.result("verify", *PATIENT)[0] == 0
    assert several.checkpoints == []

    code, status = several.result("status")
    assert (code, status["documents"]) == (0, 23)
    shown = {name: (index["documents"], index["verified"]["items"]) for name, index in status["indices"].items()}
    assert shown == {orders: (11, 11), customers: (8, 8), lines: (4, 4)}
    assert [name for name, index in status["indices"].items() if index["standby"]] == [lines]


def test_an_index_that_is_missing_among_several_stops_everything_before_it_begins(several: Shell) -> None:
    sides = several.sides
    orders, customers, lines = map(sides.index, INDICES)
    api.call(sides.node, "DELETE", f"/{customers}")
    for command in (["backfill"], ["verify", "--report", "r.jsonl"], ["repair"]):
        done = several.run(*command, *QUICK)
        assert (done.returncode, done.stdout) == (2, "")
        assert customers in done.stderr
        assert done.stderr.count("\n") == 1
    assert sides.versions(orders) == sides.versions(lines) == {}
    assert several.checkpoints == []
    assert several.run("backfill", *QUICK, "--index", orders).returncode == 0
    assert len(sides.versions(orders)) == 12
    code, status = several.result("status")
    assert (code, status["indices"][orders]["documents"]) == (1, 12)
    assert "problem" in status["indices"][customers]["documents"]
    unknown = several.run("backfill", "--index", "x", "--index", orders)
    assert unknown.stderr == (
        f"error: --index x: the sync has no such index; its indices are {orders}, {customers}, {lines}\n"
    )


def test_a_checkpoint_of_other_indices_or_another_rule_is_refused(several: Shell) -> None:
    sides = several.sides
    orders, customers, _ = map(sides.index, INDICES)
    slow = ("backfill", *QUICK, "--page-items", "2", "--rcu", "1", "--checkpoint", "c.jsonl")
    process = several.start(*slow, "--index", orders)
    _wait_for(several.folder / "c.jsonl", '"counts"')
    process.terminate()
    process.communicate(timeout=60)
    other = several.run(*slow, "--index", customers)
    assert (other.returncode, other.stdout) == (2, "")
    assert f"its index is '{orders}', not '{customers}'" in other.stderr
    changed = json.dumps({sides.index(end): {} for end in INDICES})
    rule = several.run(*slow, "--index", orders, INDICES=changed)
    assert rule.returncode == 2
    assert "a rule, a shape or a transform was changed since; start again with --restart" in rule.stderr
    code, result = several.result(*slow[:-4], *slow[-2:], "--index", orders)
    assert (code, result["counts"]["items"], len(sides.versions(orders))) == (0, 24, 12)


def _wait_for(path: Path, text: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if path.exists() and text in path.read_text():
            return
        time.sleep(0.02)
    pytest.fail(f"{path} never held {text}")


def test_an_index_is_proposed_and_created_from_what_it_is_to_hold(several: Shell) -> None:
    sides = several.sides
    orders, customers, _ = map(sides.index, INDICES)
    which = several.run("index", "create", "--dry-run")
    assert which.returncode == 2
    assert "this is about one of them: name it, with --index NAME" in which.stderr
    code, proposed = several.result("index", "create", "--dry-run", "--index", orders)
    assert (code, sorted(proposed["mappings"]["properties"])) == (0, ["kind", "orderedAt", "pk"])
    assert proposed["mappings"]["properties"]["pk"]["type"] == "keyword"
    api.call(sides.node, "DELETE", f"/{orders}")
    before = sides.versions(customers)
    assert several.result("index", "create", "--yes", "--index", orders)[0] == 0
    assert several.run("backfill", *QUICK, "--index", orders).returncode == 0
    assert several.result("verify", *PATIENT, "--index", orders)[0] == 0
    assert sides.versions(customers) == before
    code, shown = several.result("index", "show")
    assert (code, [index["name"] for index in shown["indices"]]) == (0, [sides.index(end) for end in INDICES])
    assert (
        several.run("index", "switch", "x").returncode == several.run("index", "show", "--index", "x").returncode == 2
    )
