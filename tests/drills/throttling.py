"""OpenSearch is busy with another program's work: its queues are full, and what it rejects is retried."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from urllib.error import HTTPError

from engines import OpenSearchNode
from opensearch import api

from drills.drill import Drill, Node
from drills.sides import product
from drills.stack import Stack
from drills.stage import Stage

_OTHERS = 6


def run(stage: Stage) -> None:
    """Fill the node's queue of one request, while the function sends eight requests at a time."""
    many_small_requests = {"BULK_CONNECTIONS": "8", "BULK_ACTIONS": "5"}
    with stage.healthy(variables=many_small_requests) as stack:
        stage.breaking("Another program keeps OpenSearch busy; its queues hold one request")
        before = _rejected(stack)
        over = threading.Event()
        with (
            ThreadPoolExecutor(_OTHERS) as pool,
            stage.narration.step(f"Write with them for {stage.form.outage_seconds:g} s"),
        ):
            for number in range(_OTHERS):
                pool.submit(_be_busy, stack.index.node, f"{stage.name}-reports-{number}", over)
            try:
                _write(stage, stack)
            finally:
                over.set()
        rejected, retries = _rejected(stack) - before, _retries(stage, stack)
        stage.narration.say(f"OpenSearch rejected {rejected:,} times; the function retried {retries:.0f} times.")
        stage.look(stack, "lag")
        stage.without_dead_letters(stack)

        stage.fix("The other program has ended; there is nothing else to do")
        with stage.narration.step(f"The function catches up by itself: {stack.mapping.waiting:,} changes wait"):
            stack.catch_up()
        stage.without_dead_letters(stack)
        stage.prove(stack)


def _write(stage: Stage, stack: Stack) -> None:
    """Write during the outage, and until the function retries and lags."""
    until = time.monotonic() + stage.form.outage_seconds
    numbers = count(1)

    def shows() -> bool:
        stack.table.load([product(number, price={"N": str(next(numbers))}) for number in range(1, 61)])
        time.sleep(0.5)
        healthy, now = stage.moved(stack, "lag")
        return time.monotonic() > until and _retries(stage, stack) > 0 and now > healthy

    stack.until(shows, "OpenSearch rejects, and the function lags", stage.form.outage_seconds + 60)


def _retries(stage: Stage, stack: Stack) -> float:
    return sum(stack.metrics.values("Retries", stage.broken_at))


def _be_busy(node: OpenSearchNode, index: str, over: threading.Event) -> None:
    """Write large documents, and ignore errors."""
    body = {"text": "x" * 200_000}
    while not over.is_set():
        try:
            api.call(node, "POST", f"/{index}/_doc", body)
        except HTTPError as error:
            error.close()


def _rejected(stack: Stack) -> int:
    """Return how often OpenSearch answered 429, for a full queue or for too much in memory."""
    [node] = stack.index.call("GET", "/_nodes/stats/thread_pool,indexing_pressure")["nodes"].values()
    pressure = node["indexing_pressure"]["memory"]["total"]
    rejections = ("coordinating_rejections", "primary_rejections", "replica_rejections")
    return int(node["thread_pool"]["write"]["rejected"]) + sum(int(pressure[name]) for name in rejections)


DRILL = Drill(
    name="throttling",
    breaks="OpenSearch's queues are full of others' work",
    alarms=("lag",),
    command="none: it catches up by itself",
    run=run,
    node=Node.FRAIL,
)
