"""OpenSearch refuses one document permanently: it is set aside with the reason, and the shard goes on."""

import json

from drills.drill import Drill
from drills.sides import MAPPINGS, product
from drills.stage import Stage


def run(stage: Stage) -> None:
    """Put a stock that isn't a number among good items; then change the index mapping, and redrive."""
    with stage.healthy() as stack:
        stage.breaking("One item whose stock isn't a number, and others behind it")
        with stage.narration.step("Put P-0007 with stock “sold out”, then 20 more items"):
            stack.table.put(product(7, stock={"S": "sold out"}))
            stack.table.load([product(number, price={"N": "1"}) for number in range(8, 28)])
            stack.catch_up()
        [line] = [line for line in stack.metrics.messages("ERROR") if line["message"] == "dead letter"]
        stage.narration.say("The function's log:")
        stage.narration.quote(f"{line['level']} {line['message']}: {line['reason']}")
        stage.look(stack, "dead-letters")
        stage.look(stack, "dead-letters-waiting")
        stage.narration.say("The shard went on: the items behind it are in the index. What differs:")
        stack.shell.run(*stack.command("verify"), "--report", "diff.jsonl", *stage.form.patience, expected=[1])

        stage.fix("The index mapping accepts such values; then: redrive")
        lenient = {"stock": {"type": "integer", "ignore_malformed": True}}
        definition = {"mappings": {"properties": {**MAPPINGS["properties"], **lenient}}}
        (stage.folder / "index.json").write_text(json.dumps(definition), encoding="utf-8")
        stack.shell.run(*stack.command("index", "update", "--file", "index.json"))
        stack.shell.run(*stack.command("redrive"))
        stage.without_dead_letters(stack)
        stage.prove(stack)


DRILL = Drill(
    name="poison-document",
    breaks="OpenSearch permanently refuses one document",
    alarms=("dead-letters", "dead-letters-waiting"),
    command="index update --file index.json; redrive",
    run=run,
)
