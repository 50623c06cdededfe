"""The trigger was off for longer than the stream keeps records: they are gone, and only the table has the changes."""

import time

from drills.drill import Drill
from drills.sides import product
from drills.stage import Stage


def run(stage: Stage) -> None:
    """Disable the trigger, write, trim the stream, enable the trigger."""
    with stage.healthy() as stack:
        stage.breaking("The trigger is disabled, and the stream drops records")
        with stage.narration.step("Disable the trigger; change an item, put one, delete one"):
            stack.mapping.disable()
            quiet_since = time.monotonic()
            stack.table.put(product(1, price={"N": "3"}))
            stack.table.put(product(9001))
            stack.table.delete(2)
        with stage.narration.step("The stream drops these records, as after 24 hours"):
            stack.stream.trim()
        stage.quiet(stack, "not-polling", quiet_since)
        with stage.narration.step("Enable the trigger: it begins with what the stream still has"):
            stack.mapping.enable()
            stack.table.put(product(42, price={"N": "4"}))
            stack.catch_up()
        stage.narration.say("New changes arrive, but what was written meanwhile never will:")
        stack.shell.run(*stack.command("verify"), *stage.form.patience, expected=[1])

        stage.fix("Bring back what was lost: recover")
        stack.shell.run(*stack.command("recover", "--since", "36h"))
        stage.prove(stack)


DRILL = Drill(
    name="expired-stream",
    breaks="the consumer was off for longer than the stream keeps records",
    alarms=("not-polling",),
    command="recover --since 36h",
    run=run,
)
