"""A cluster that is too small, busy, hung or dead, and what it costs: time, and no document."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from engines import OpenSearchNode, opensearch
from fakes.dynamodb import put, record

from opensearch.function import Function, later, number_of


@pytest.fixture(scope="module")
def small_node() -> Iterator[OpenSearchNode]:
    """A node with tiny limits of size, queue and pressure."""
    limits = {
        "http.max_content_length": "1mb",
        "thread_pool.write.size": "1",
        "thread_pool.write.queue_size": "1",
        "indexing_pressure.memory.limit": "2mb",
    }
    with opensearch(settings=limits) as node:
        yield node


def large(key: str, number: int, size: int) -> dict[str, Any]:
    return record(key, number, {"t": {"S": "x" * size}})


def test_a_request_that_is_too_large_is_split_until_it_fits(
    small_node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = Function(small_node, monkeypatch)
    function.create(mappings={"dynamic": False})

    assert function.handle(*(large(f"k{n}", n, 250_000) for n in range(1, 13))) == []

    assert len(function.ids()) == 12
    assert function.letters == []


def test_a_document_alone_too_large_is_set_aside(small_node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch) -> None:
    function = Function(small_node, monkeypatch)
    function.create(mappings={"dynamic": False})

    assert function.handle(put("a", 1, 1), large("poison", 2, 1_200_000), put("c", 3, 3)) == []

    assert function.ids() == {"a", "c"}
    assert function.letters[0]["reason"]["type"] == "request_too_large"


def test_full_queues_and_pressure_are_waited_for_by_many_at_once(
    small_node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    functions = [Function(small_node, monkeypatch, index="queue", bulk_connections=8, bulk_actions=5) for _ in range(6)]
    functions[0].create(mappings={"dynamic": False}, settings={"number_of_shards": 3})

    def work(number: int) -> list[str | None]:
        records = [large(f"{number}-{n}", n, 5_000) for n in range(1, 101)]
        return functions[number].handle(*records, seconds=60)

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(work, range(6))) == [[]] * 6

    assert len(functions[0].ids()) == 600
    assert all(function.letters == [] for function in functions)
    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sum(one["Retries"][0] for one in metrics if "Retries" in one) > 0  # else nothing was full


def test_a_node_that_hangs_is_waited_for(small_node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch) -> None:
    function = Function(small_node, monkeypatch)
    function.create()
    small_node.suspend()
    waking = later(3, small_node.resume)

    assert function.handle(put("a", 1, 1), seconds=60) == []

    waking.join()
    assert function.ids() == {"a"}


def test_a_node_that_dies_and_comes_back_is_waited_for(
    small_node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = Function(small_node, monkeypatch)
    function.create()
    assert function.handle(put("a", 1, 1)) == []
    small_node.kill()

    first = put("b", 2, 2)
    assert function.handle(first, seconds=2) == [number_of(first)]
    reviving = later(0, small_node.restart)
    assert function.handle(first, seconds=120) == []

    reviving.join()
    assert function.ids() == {"a", "b"}
    assert function.letters == []


def test_a_node_that_dies_under_load_loses_nothing(small_node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch) -> None:
    function = Function(small_node, monkeypatch, bulk_actions=2)
    function.create(mappings={"dynamic": False})

    def die_and_revive() -> None:
        small_node.kill()
        small_node.restart()

    dying = later(0.2, die_and_revive)
    records = [large(f"k{number}", number, 20_000) for number in range(1, 401)]

    assert function.handle(*records, seconds=150) == []

    dying.join()
    assert len(function.ids()) == 400
    assert function.letters == []
