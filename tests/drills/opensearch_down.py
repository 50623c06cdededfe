"""OpenSearch dies and stays down for a while: the stream waits, nothing is set aside, and it catches up by itself."""

import time
from itertools import count

from drills.drill import Drill, Node
from drills.sides import product
from drills.stack import Stack
from drills.stage import Stage


def run(stage: Stage) -> None:
    """Kill the node, go on writing, start it again."""
    with stage.healthy() as stack:
        node = stack.index.node
        with stage.narration.step("The shop goes on, one change after another"):
            _write(stack, stage.form.items, stage.form.outage_seconds / 5)
        stage.breaking("The node is killed, and the shop goes on writing")
        node.kill()
        try:
            with stage.narration.step(f"OpenSearch is dead; put and delete items for {stage.form.outage_seconds:g} s"):
                _write(stack, stage.form.items, stage.form.outage_seconds)
            stage.look(stack, "failed-invokes")
            stage.look(stack, "iterator-age-warn")
            stage.look(stack, "lag")
            [line, *_] = stack.metrics.messages("WARNING", stage.broken_at)
            stage.narration.say("The function's log:")
            stage.narration.quote(f"{line['level']} {line['message']}: {line['unfinished']} left, {line['reason']}")
            stage.without_dead_letters(stack)
            stage.fix("OpenSearch comes back; there is nothing else to do")
        finally:
            with stage.narration.step("Start OpenSearch again, with its data"):
                node.restart()
        with stage.narration.step("The function catches up by itself"):
            stack.catch_up()
        retries = sum(stack.metrics.values("Retries", stage.broken_at))
        stage.narration.say(f"It took {retries:.0f} retries.")
        with stage.narration.step("The shop goes on"):
            _write(stack, stage.form.items, stage.form.outage_seconds * 0.6)
            stack.catch_up()
        stage.without_dead_letters(stack)
        stage.prove(stack)


def _write(stack: Stack, items: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    for number in count(1):
        price = str(time.time_ns() // 1_000_000)  # always different: a put of the same item makes no stream record
        stack.table.put(product(number % items + 1, price={"N": price}))
        if number % 5 == 0:
            stack.table.delete(items - number % 20)
        if time.monotonic() > until:
            return
        time.sleep(0.05)


DRILL = Drill(
    name="opensearch-down",
    breaks="OpenSearch is down for a while",
    alarms=("iterator-age-warn", "lag", "failed-invokes"),
    command="none: it catches up by itself",
    run=run,
    node=Node.FRAIL,
)
