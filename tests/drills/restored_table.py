"""The table is lost and restored from a backup: the index has changes that the table no longer has."""

import time

from drills.drill import Drill
from drills.sides import product
from drills.stage import Stage


def run(stage: Stage) -> None:
    """Delete the table, and recreate it from an older copy, with a new stream."""
    with stage.healthy() as stack:
        with stage.narration.step("Keep a copy of the table: the backup"):
            backup = stack.table.items()
        with stage.narration.step("The shop goes on: 20 prices change, 5 products go, 5 come"):
            stack.table.load([product(number, price={"N": "6"}) for number in range(1, 21)])
            stack.table.load([product(number) for number in range(8001, 8006)])
            for number in range(21, 26):
                stack.table.delete(number)
            stack.catch_up()

        stage.breaking("The table is deleted, and restored from the backup")
        with stage.narration.step("Delete the table: its stream goes too"):
            stack.table.drop()
            stack.mapping.disable()
            quiet_since = time.monotonic()
        with stage.narration.step(f"Restore {len(backup):,} items, as they were, without a stream"):
            stack.table.create(stream=False)
            stack.table.load(backup)
        stage.quiet(stack, "not-polling", quiet_since)

        stage.fix("A new stream for the sync; then: repair")
        with stage.narration.step("Switch the stream on; the trigger follows the new one"):
            stack.table.switch_stream_on()
            stack.follow_new_stream()
        stack.shell.run(*stack.command("verify"), *stage.form.patience, expected=[1])
        stack.shell.run(*stack.command("repair"), *stage.form.patience)
        with stage.narration.step("The shop goes on"):
            stack.table.put(product(1, price={"N": "7"}))
            stack.table.delete(2)
            stack.catch_up()
        stage.prove(stack)


DRILL = Drill(
    name="restored-table",
    breaks="the table is restored from an older backup",
    alarms=("not-polling",),
    command="repair",
    run=run,
)
