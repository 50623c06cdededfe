"""``index`` and ``status`` as people run them, and verdicts about other indices."""

import json
import os
import re
import signal

from opensearch import api
from opensearch.shell import ITEMS, QUICK, Shell, wait_for_steps


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
    wait_for_steps(shell, 5)
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
