"""The promise, proven on the built zip: whatever happens on the way, the index ends equal to the table.

Every schedule is a whole scenario made from its seed, played against the real OpenSearch. `make prove` plays more of
them (PROVE_SCHEDULES), or one again (PROVE_SEED). A failure prints the story of the first key that differs."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from engines import OpenSearchNode

from simulation.comparison import Kind
from simulation.index import Index
from simulation.projections import NAMES
from simulation.prove import Ground, describe_failure, run_seeds
from simulation.sandbox import open_forge

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "lambda" / "dist" / "dynamodb-opensearch.zip"
HANDLER = "dynamodb_opensearch.functions.sync.handler"
SCHEDULES = int(os.environ.get("PROVE_SCHEDULES", "60"))
SEED = os.environ.get("PROVE_SEED")
MOST_FAILURES = 5

# The kinds of difference by which a handler that only loses or reorders writes is told: what naive handlers do.
DIVERGENCE = {Kind.LOST, Kind.STALE, Kind.GHOST}


@pytest.fixture(scope="module")
def index_name(opensearch_node: OpenSearchNode) -> Iterator[str]:
    """The index that the schedules of this run share. Those with several indices share others, named after it."""
    name = f"convergence-{uuid4().hex[:8]}"
    indices = [Index(opensearch_node.url, each) for each in (name, *(f"{name}-{suffix}" for suffix in NAMES))]
    for index in indices:
        index.create()
    yield name
    for index in indices:
        index.delete()
        index.close()


def test_every_schedule_converges(opensearch_node: OpenSearchNode, index_name: str) -> None:
    _refuse_any_difference(opensearch_node, index_name, "every_schedule")


def test_each_index_of_several_converges(opensearch_node: OpenSearchNode, index_name: str) -> None:
    _refuse_any_difference(opensearch_node, index_name, "each_index_of_several", several=True)


def _refuse_any_difference(node: OpenSearchNode, index_name: str, test: str, *, several: bool = False) -> None:
    failures = []
    with open_forge(PACKAGE, HANDLER) as forge:
        ground = Ground(forge, node.url, index_name, prefix="sync", several=several, test=test)
        with run_seeds(ground, [int(SEED)] if SEED else range(SCHEDULES)) as outcomes:
            for outcome in outcomes:
                if outcome.differences:
                    failures.append(describe_failure(outcome, test))
                if len(failures) == MOST_FAILURES:
                    break
    assert not failures, "\n\n".join(failures)


@pytest.mark.parametrize("handler", ["unversioned", "swallowing", "seconds_only", "conflict_is_done"])
def test_a_naive_handler_is_seen_through(opensearch_node: OpenSearchNode, index_name: str, handler: str) -> None:
    with open_forge(ROOT / "tests", f"simulation.naive.{handler}") as forge:
        ground = Ground(forge, opensearch_node.url, index_name, prefix=handler, images_only=True)
        with run_seeds(ground, range(100)) as outcomes:
            assert any(d.kind in DIVERGENCE for outcome in outcomes for d in outcome.differences)
