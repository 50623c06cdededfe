"""A deployment changes a field's type: every document with it is refused until there is an index of the new type."""

import json

from drills.drill import Drill
from drills.sides import MAPPINGS, product
from drills.stage import Stage


def run(stage: Stage) -> None:
    """Prices become text; a second index accepts them, and the alias is switched to it."""
    first, second = f"{stage.name}-1", f"{stage.name}-2"
    with stage.healthy(index=first, aliases={stage.name: {"is_write_index": True}}) as stack:
        stage.breaking("The shop's new version writes prices as text")
        with stage.narration.step("Put 20 items with prices such as “12.50 EUR”"):
            stack.table.load([product(number, price={"S": f"{number}.50 EUR"}) for number in range(1, 21)])
            stack.catch_up()
        letters = [line for line in stack.metrics.messages("ERROR") if line["message"] == "dead letter"]
        stage.narration.say(f"The function's log, {len(letters)} times:")
        stage.narration.quote(f"{letters[0]['level']} {letters[0]['message']}: {letters[0]['reason']}")
        stage.look(stack, "dead-letters")
        stage.look(stack, "dead-letters-waiting")

        stage.fix("Another index with the right type; then: redrive")
        properties = {**MAPPINGS["properties"], "price": {"type": "keyword"}}
        definition = {"mappings": {**MAPPINGS, "properties": properties}}
        (stage.folder / "index.json").write_text(json.dumps(definition), encoding="utf-8")
        stage.narration.say("A field's type can't be changed in place:")
        stack.shell.run(*stack.command("index", "update", "--file", "index.json"), expected=[2])
        other = ("--index", second)
        stack.shell.run(*stack.command("index", "create", "--file", "index.json"), *other)
        stack.shell.run(*stack.command("backfill"), *other, *stage.form.how)
        with stage.narration.step("Meanwhile the shop goes on: put and delete items"):
            stack.table.load([product(number, price={"S": "1 EUR"}) for number in range(21, 31)])
            stack.table.delete(31)
            stack.catch_up()
        stack.shell.run(*stack.command("index", "switch", second))
        stack.shell.run(*stack.command("redrive"))
        stack.shell.run(*stack.command("repair"), *stage.form.patience)
        stage.without_dead_letters(stack)
        stage.prove(stack)


DRILL = Drill(
    name="mapping-conflict",
    breaks="a deployment changes a field's type",
    alarms=("dead-letters", "dead-letters-waiting"),
    command="index create, backfill, index switch, redrive, repair",
    run=run,
)
