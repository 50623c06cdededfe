"""What the functions are asked to do, so that each does all that it can do; and the calls that they make for it."""

import importlib.util
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from fakes.dynamodb import START
from terraform.calls import Call, recorded, table_arn
from terraform.workspace import REPOSITORY
from terraform.world import FINE, INCREMENTAL, POISON, UNSETTLED, World

Handler = Callable[[Mapping[str, Any], Any], dict[str, Any]]


def calls_of_a_batch(environment: Mapping[str, str], endpoints: Mapping[str, str], indices: Sequence[str]) -> set[Call]:
    """What the sync calls for one batch with something to write, something to settle and something to set aside.

    Args:
        environment: the function's, as the module sets it.
        endpoints: the ARN of the domain or collection behind each host.
        indices: their names, in which each item is whole.
    """
    with recorded(environment, endpoints, _world(environment, indices)) as calls:
        answer = _load_handler("sync")({"Records": _batch(environment["TABLE_KEYS"])}, _Context())
    assert answer == {"batchItemFailures": []}, "the batch must be done, or a call was left out"
    return calls


def calls_of_jobs(
    environment: Mapping[str, str],
    endpoints: Mapping[str, str],
    types: Collection[str],
    indices: Sequence[str],
    behind: Iterable[str | None],
) -> set[Call]:
    """What the operator calls for jobs of these types, as the state machine asks for them.

    Args:
        types: what the module offers.
        indices: the sync's, in which each item is whole.
        behind: index names; all jobs are done for each, the sync's own name being its alias. None: there is no alias.
    """
    return set().union(*(_calls_of_jobs(environment, endpoints, types, indices, index) for index in behind))


def _calls_of_jobs(
    environment: Mapping[str, str],
    endpoints: Mapping[str, str],
    types: Collection[str],
    indices: Sequence[str],
    behind: str | None,
) -> set[Call]:
    world = _world(environment, indices)
    exports = [world.export_arn, f"s3://exports/{INCREMENTAL}"]
    name = {"name": behind} if behind else {}
    jobs: list[tuple[dict[str, Any], dict[str, int]]] = [
        *(({"type": "create-index", "indices": [index], **name}, {"created": 1}) for index in indices),
        # Each segment shows the whole table: the second must settle what the first wrote.
        ({"type": "backfill", "segments": 2}, {"items": 6, "written": 2, "settled": 2, "refused": 2}),
        ({"type": "load", "exports": exports}, {"items": 4, "superseded": 2, "settled": 1, "refused": 1}),
        ({"type": "verify", **_WHOLE}, {"items": 3, "documents": 2, **_DAMAGE}),
        ({"type": "repair", **_WHOLE}, {"items": 3, "documents": 3, **_DAMAGE, "repaired": 2, "refused": 1}),
        ({"type": "redrive"}, {"failures": 4, "redriven": 2, "kept": 2}),
    ]
    assert set(types) <= {job["type"] for job, _ in jobs}, "a type was left out"
    with recorded(environment, endpoints, world) as calls:
        handler = _load_handler("operate")
        for job, counts in jobs:
            if job["type"] == "verify":
                world.damage()
            if job["type"] in types:
                done = {name: count for name, count in _execution(handler, job).items() if "/" not in name}
                factor = len(job.get("indices", indices))
                expected = {name: count * (factor if name in _PER_INDEX else 1) for name, count in counts.items()}
                assert done == expected, f"{job} came to {done}, not {expected}: a call may be left out"
    return calls


_WHOLE = {"segments": 1, "patienceSeconds": 0}
_DAMAGE = {"missing": 2, "wrong place": 1}
_PER_INDEX = {"documents", "missing", "refused", "repaired", "settled", "superseded", "written", "wrong place"}
"""What a job counts in each index by itself."""


def _execution(handler: Handler, job: Mapping[str, Any]) -> Mapping[str, int]:
    """As the state machine does: plan, all units, sum."""
    plan = handler({"action": "plan", "job": job}, _Context())
    counts = []
    for unit in plan["units"]:
        event = {"job": job, "run": "run-1", "unit": unit, "position": None, "counts": {}, "done": False}
        while not event["done"]:
            event = handler(event, _Context())
        counts.append(event["counts"])
    total: dict[str, int] = handler({"action": "sum", "job": job, "counts": counts}, _Context())["counts"]
    return total


def _load_handler(module: str) -> Handler:
    """The handler of a module of its own: it reads its settings when it is imported."""
    path = REPOSITORY / f"lambda/src/dynamodb_opensearch/functions/{module}.py"
    spec = importlib.util.spec_from_file_location(f"{module}_with_recorded_calls", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    handler: Handler = loaded.handler
    return handler


def _world(environment: Mapping[str, str], indices: Sequence[str]) -> World:
    return World(table_arn(environment["TABLE_NAME"]), environment["TABLE_KEYS"], indices)


class _Context:
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def _batch(key: str) -> list[dict[str, Any]]:
    """Written as it is; read again, for it has no image; refused."""
    images = {FINE: {"n": {"N": "1"}}, UNSETTLED: None, POISON: {"n": {"S": "no number"}}}
    return [
        {
            "eventName": "MODIFY",
            "dynamodb": {
                "ApproximateCreationDateTime": START,
                "Keys": {key: {"S": name}},
                "SequenceNumber": f"{number}00000000000000499659",
                **({"NewImage": {key: {"S": name}, **image}} if image else {}),
            },
        }
        for number, (name, image) in enumerate(images.items(), 1)
    ]
