"""The disk is full to the flood stage: OpenSearch blocks all writes until there is room again."""

from drills.drill import Drill, Node
from drills.sides import product
from drills.stack import Stack
from drills.stage import Stage

_WATERMARKS = "cluster.routing.allocation.disk.watermark"
_NEVER = {"low": "3b", "high": "2b", "flood_stage": "1b"}
_ALWAYS = {"low": "900000gb", "high": "800000gb", "flood_stage": "700000gb"}


def run(stage: Stage) -> None:
    """Set watermarks that any disk exceeds, so that the node's own monitor sets the block; then reset them."""
    with stage.healthy() as stack:
        stage.breaking("The disk is full, says OpenSearch's own monitor")
        try:
            with stage.narration.step("Lower the flood stage's watermark; wait for the block"):
                _set_watermarks(stack, _ALWAYS)
                stack.until(lambda: _is_blocked(stack), "the index is blocked")
            with stage.narration.step("Put 30 items"):
                stack.table.load([product(number, price={"N": "2"}) for number in range(1, 31)])
            stage.tell_alarm("writes-blocked", 0, float(_is_blocked(stack)))
            stage.look(stack, "failed-invokes")
            stage.look(stack, "iterator-age-warn")
            [line, *_] = stack.metrics.messages("WARNING", stage.broken_at)
            stage.narration.say("The function's log:")
            stage.narration.quote(f"{line['level']} {line['message']}: {line['unfinished']} left, {line['reason']}")
            stage.without_dead_letters(stack)
            stage.fix("There is room again; OpenSearch itself lifts the block")
        finally:
            _set_watermarks(stack, _NEVER)
            with stage.narration.step("Wait until OpenSearch lifts the block"):
                stack.until(lambda: not _is_blocked(stack), "the block is lifted")
                _allow_new_indices(stack)
        with stage.narration.step("The function catches up by itself"):
            stack.catch_up()
        stage.without_dead_letters(stack)
        stage.prove(stack)


def _set_watermarks(stack: Stack, values: dict[str, str]) -> None:
    settings = {f"{_WATERMARKS}.{name}": value for name, value in values.items()}
    stack.index.call("PUT", "/_cluster/settings", {"transient": settings})


def _is_blocked(stack: Stack) -> bool:
    return stack.index.name in stack.index.call("GET", "/_cluster/state/blocks")["blocks"].get("indices", {})


def _allow_new_indices(stack: Stack) -> None:
    """Lift the block on new indices at once: OpenSearch would do it a minute later."""
    for kind in ("persistent", "transient"):
        stack.index.call("PUT", "/_cluster/settings", {kind: {"cluster.blocks.create_index": None}})


DRILL = Drill(
    name="flood-stage",
    breaks="the disk is full: OpenSearch blocks all writes",
    alarms=("writes-blocked", "failed-invokes", "iterator-age-warn"),
    command="none: it catches up once there is room",
    run=run,
    node=Node.FRAIL,
)
