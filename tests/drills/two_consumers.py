"""Two triggers write the same stream to the same index: double the work, and the same documents."""

import time

from drills.drill import Drill
from drills.sides import product
from drills.stage import Stage


def run(stage: Stage) -> None:
    """Add a second function on the same stream, out of step with the first."""
    with stage.healthy() as stack:
        stage.breaking("A forgotten deployment follows the same stream")
        with stage.narration.step("Add a second function and trigger, from the oldest record on"):
            second = stack.consume(f"{stack.function_name}-old", batch_size=7)
        with stage.narration.step(f"Put, update and delete the same few items for {stage.form.outage_seconds:g} s"):
            until = time.monotonic() + stage.form.outage_seconds
            number = 0
            while time.monotonic() < until:
                number += 1
                item = number % 11 + 1
                if number % 4 == 0:
                    stack.table.delete(item)
                else:
                    stack.table.put(product(item, price={"N": str(number)}))
                time.sleep(0.02)
            stack.catch_up()
            stack.until(lambda: second.is_drained, "the second trigger has done the whole stream")
        done = {
            name: sum(stack.metrics.values(name, stage.broken_at))
            for name in ("Records", "Writes", "Deletes", "Superseded", "Settled")
        }
        stage.narration.say(
            f"Both together took {done['Records']:.0f} records and wrote {done['Writes'] + done['Deletes']:.0f} times; "
            f"{done['Superseded']:.0f} times the index held something as new or newer, {done['Settled']:.0f} times the "
            "table had to be read. No alarm: it costs twice as much, but does no harm."
        )
        stage.without_dead_letters(stack)
        stage.narration.say("With both still running:")
        stage.prove(stack)

        stage.fix("The second one is deleted")
        with stage.narration.step("Delete the second trigger; the shop goes on"):
            stack.forget(second)
            stack.table.put(product(1, price={"N": "8"}))
            stack.catch_up()
        stage.prove(stack)


DRILL = Drill(
    name="two-consumers",
    breaks="two triggers follow one stream",
    alarms=(),
    command="none: delete one of the triggers",
    run=run,
)
