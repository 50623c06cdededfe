"""The function with several indices: what a batch makes of each, and what Lambda is answered."""

import json
from functools import partial
from random import Random
from typing import Any

import pytest
from dynamodb_opensearch.core.errors import ConfigurationError
from fakes.dynamodb import START, put, record, remove
from fakes.opensearch import Fault, busy, forbidden, missing, overloaded, refused, unreachable
from hypothesis import given, settings
from hypothesis import strategies as st

from unit.core.histories import MUST_HOLD, SPECS, tables
from unit.functions.syncing import Context, World, number_of

Item = dict[str, Any]
ORDERS: Item = {
    "when": [{"attribute": "type", "equals": ["order"]}],
    "exclude": ["pk", "type"],
    "rename": {"ts": "orderedAt"},
    "constants": {"kind": "order"},
}
CUSTOMERS: Item = {
    "when": [{"attribute": "type", "equals": ["customer"]}, {"attribute": "deletedAt", "exists": False}],
    "include": ["name"],
}
LINES: Item = {"when": [{"attribute": "pk", "begins_with": "LINE#"}]}


def indices(**changes: Any) -> str:
    return json.dumps({"orders": ORDERS, "customers": CUSTOMERS, "lines": LINES} | changes)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch, INDICES=indices())


def order(ts: int = 5, **more: Any) -> Item:
    return {"type": {"S": "order"}, "ts": {"N": str(ts)}, **more}


def customer(name: str = "Ada", **more: Any) -> Item:
    return {"type": {"S": "customer"}, "name": {"S": name}, **more}


NOTE: Item = {"type": {"S": "note"}}


def documents(world: World) -> dict[str, Any]:
    return {
        index: world.opensearch.sources(index) for index in world.opensearch.indices if world.opensearch.sources(index)
    }


def test_each_item_becomes_the_documents_that_its_indices_hold_of_it(world: World) -> None:
    answered = world.handle(
        record("o", 1, order(), event_name="INSERT"),
        record("c", 2, customer(more={"N": "1"}), event_name="INSERT"),
        record("n", 3, NOTE, event_name="INSERT"),
        record("LINE#1", 4, order(6), event_name="INSERT"),
    )

    assert answered == []
    assert documents(world) == {
        "orders": {"o": {"orderedAt": 5, "kind": "order"}, "LINE#1": {"orderedAt": 6, "kind": "order"}},
        "customers": {"c": {"name": "Ada"}},
        "lines": {"LINE#1": {"pk": "LINE#1", "type": "order", "ts": 6}},
    }
    assert world.dynamodb.reads == []


def test_an_item_that_moves_is_in_one_index_after_the_other(world: World) -> None:
    world.handle(record("a", 1, order(), event_name="INSERT"))
    world.handle(record("a", 2, customer(), old=order()))
    assert documents(world) == {"customers": {"a": {"name": "Ada"}}}

    world.handle(record("a", 3, customer(deletedAt={"N": "1"}), old=customer()))
    assert documents(world) == {}

    world.handle(record("a", 4, order(7), old=customer(deletedAt={"N": "1"})))
    assert documents(world) == {"orders": {"a": {"orderedAt": 7, "kind": "order"}}}

    world.handle(remove("a", 5, old=order(7)))
    assert documents(world) == {}


def test_without_images_the_table_is_read_once_for_all_indices(world: World) -> None:
    world.dynamodb.items = {"a": {"pk": {"S": "a"}, **order()}, "LINE#1": {"pk": {"S": "LINE#1"}, **customer()}}

    assert world.handle(record("a", 1), record("LINE#1", 2), record("gone", 3)) == []

    assert documents(world) == {
        "orders": {"a": {"orderedAt": 5, "kind": "order"}},
        "customers": {"LINE#1": {"name": "Ada"}},
        "lines": {"LINE#1": {"pk": "LINE#1", "type": "customer", "name": "Ada"}},
    }
    assert world.dynamodb.reads == [["a", "LINE#1", "gone"]]
    assert world.opensearch.requests_of["lines"] == [["LINE#1"]], "no action for a key that the index never held"


def test_the_first_counted_record_of_the_first_undone_document_is_answered(world: World) -> None:
    """A later one would lose its highest version on the retry, and an earlier one doesn't count."""
    records = [
        record("n", 1, NOTE, event_name="INSERT"),
        record("a", 2, {**NOTE, "x": {"N": "1"}}, old=NOTE),
        record("a", 3, order(1), old=NOTE),
        record("a", 4, order(2), old=order(1)),
        record("c", 5, customer(), event_name="INSERT"),
    ]
    world.opensearch.item_faults_of["orders"] = lambda _: overloaded()

    assert world.handle(*records) == [number_of(records[2])]
    assert documents(world) == {"customers": {"c": {"name": "Ada"}}}


def test_the_first_record_of_all_indices_is_answered(world: World) -> None:
    records = [record("c", 1, customer(), event_name="INSERT"), record("o", 2, order(), event_name="INSERT")]
    for undone, expected in (("orders", 1), ("customers", 0)):
        world.opensearch.item_faults_of = {undone: lambda _: overloaded()}
        assert world.handle(*records) == [number_of(records[expected])]


def test_a_dead_letter_names_its_index_and_its_neighbours_are_written(world: World) -> None:
    world.opensearch.item_faults_of["orders"] = lambda key: refused() if key == "LINE#1" else None

    assert world.handle(record("o", 1, order()), record("LINE#1", 2, order(6))) == []

    [letter] = world.mailbox.letters
    assert (letter["kind"], letter["index"], letter["id"], letter["action"]) == (
        "document",
        "orders",
        "LINE#1",
        "index",
    )
    assert list(documents(world)["lines"]) == ["LINE#1"]
    assert list(documents(world)["orders"]) == ["o"]


def test_a_document_that_is_refused_by_two_indices_has_a_letter_for_each(world: World) -> None:
    world.opensearch.item_faults = lambda _: refused()

    assert world.handle(record("LINE#1", 1, order(), event_name="INSERT")) == []

    assert sorted((letter["index"], letter["id"]) for letter in world.mailbox.letters) == [
        ("lines", "LINE#1"),
        ("orders", "LINE#1"),
    ]


def test_a_letter_of_one_index_waits_for_the_undone_record_of_another(world: World) -> None:
    world.opensearch.item_faults_of = {"orders": lambda _: refused(), "customers": lambda _: overloaded()}
    new = [order(), customer(), order()]
    records = [record(f"a{number}", number, item, event_name="INSERT") for number, item in enumerate(new)]

    assert world.handle(*records) == [number_of(records[1])]
    assert [letter["id"] for letter in world.mailbox.letters] == ["a0"]

    world.opensearch.item_faults_of["customers"] = lambda _: None
    assert world.handle(*records[1:]) == []
    assert [letter["id"] for letter in world.mailbox.letters] == ["a0", "a2"]


def test_an_undecodable_record_has_one_letter_of_no_index(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    broken = record("a", 2, order())
    del broken["dynamodb"]["ApproximateCreationDateTime"]

    assert world.handle(record("o", 1, order()), broken) == []

    [letter] = world.mailbox.letters
    assert (letter["kind"], letter["index"], letter["keys"]) == ("record", None, {"pk": {"S": "a"}})
    assert '"Index"' not in capsys.readouterr().out


def test_a_batch_of_which_every_record_is_dropped_is_done(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """No document concerns it, so there is nothing wrong with it, and nothing to send."""
    assert world.handle(record("n", 1, NOTE, event_name="INSERT"), remove("n", 2, old=NOTE)) == []

    assert world.opensearch.requests == []
    metrics = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (metrics["Records"], metrics["Dropped"], metrics["BulkRequests"]) == ([2], [4], [0])
    assert metrics["Lag"][0] > 0


def test_a_batch_of_dropped_and_undecodable_records_is_not_refused_as_a_whole(world: World) -> None:
    broken = {"eventName": "INSERT", "eventSource": "aws:dynamodb"}

    assert world.handle(record("n", 1, NOTE, event_name="INSERT"), broken) == []
    assert [letter["kind"] for letter in world.mailbox.letters] == ["record"]

    with pytest.raises(ConfigurationError, match="aren't a stream's"):
        world.handle(broken)


def metrics_of(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    return [line for line in lines if "_aws" in line]


def test_metrics_count_over_all_indices_and_dead_letters_by_index(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(monkeypatch, SKIP_UNCHANGED="true", INDICES=indices(copy={"standby": True}))
    world.opensearch.faults_of["copy"] = [missing("copy")] * 9
    world.opensearch.item_faults_of["orders"] = lambda key: refused() if key == "poison" else None

    answered = world.handle(
        record("o", 1, order(1), event_name="INSERT"),
        record("o", 2, order(2), old=order(1)),
        record("c", 3, customer(seen={"N": "2"}), old=customer(seen={"N": "1"})),
        record("poison", 4, order(), event_name="INSERT"),
        remove("old", 5, old=order()),
    )

    assert answered == []
    whole, of_index = metrics_of(capsys)
    expected = {
        "Records": 5,
        "Writes": 1,
        "Deletes": 1,
        "Coalesced": 2,  # of the item o, in two indices
        "Dropped": 5,  # o (twice), poison and old in customers; c in orders
        "Skipped": 1,  # c in customers: in the copy it differs
        "Missed": 4,
        "DeadLetters": 1,
        "Unfinished": 0,
    }
    assert {name: whole[name] for name in expected} == {name: [value] for name, value in expected.items()}
    assert (of_index["Index"], of_index["DeadLetters"], of_index["Sync"]) == ("orders", [1], whole["Sync"])


def test_unchanged_documents_cost_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, SKIP_UNCHANGED="true", INDICES=indices())

    assert world.handle(record("c", 1, customer(seen={"N": "2"}), old=customer(seen={"N": "1"}))) == []
    assert world.opensearch.requests == []


def test_a_standby_holds_up_no_record_and_makes_no_dead_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, INDICES=indices(copy={"standby": True}))
    for trouble in (forbidden(), missing("copy"), busy(), unreachable()):
        world.opensearch.faults_of["copy"] = [trouble] * 1000
        assert world.handle(record("o", 1, order())) == []
    world.opensearch.faults_of["copy"] = []
    world.opensearch.item_faults_of["copy"] = lambda _: refused()
    assert world.handle(record("o", 2, order())) == []

    assert world.mailbox.letters == []
    assert list(documents(world)) == ["orders"]


def test_a_configuration_error_of_one_index_fails_the_batch_with_its_name_after_the_others_are_done(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.opensearch.faults_of["orders"] = [forbidden()]

    with pytest.raises(ConfigurationError, match="the index orders: OpenSearch answered 403"):
        world.handle(record("o", 1, order()), record("c", 2, customer()))

    log, metrics = map(json.loads, capsys.readouterr().out.splitlines())
    assert "the index orders" in log["error"]
    assert (metrics["Records"], metrics["Unfinished"], metrics["Writes"]) == ([2], [2], [1])
    assert documents(world) == {"customers": {"c": {"name": "Ada"}}}


# -- until all is done


class Weather:
    """Faults of each index and its documents, by seed and attempt alone: requests come from several threads."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._attempt = 0

    def change(self, world: World) -> None:
        self._attempt += 1
        is_calm = self._attempt > 20
        for index in SPECS:
            draw = self.random(index)
            faults: list[Fault] = [draw.choice([None, None, busy(), unreachable()]) for _ in range(4)]
            world.opensearch.faults_of[index] = [] if is_calm else faults
            world.opensearch.item_faults_of[index] = (lambda _: None) if is_calm else partial(self._fault, index)

    def random(self, *parts: str) -> Random:
        return Random(f"{self._seed} {self._attempt} {parts}")

    def _fault(self, index: str, key: str) -> Item | None:
        return overloaded() if self.random(index, key).random() < 0.3 else None


@settings(max_examples=40)
@given(tables(), st.booleans(), st.integers(0, 10**6))
def test_whatever_fails_on_the_way_each_index_ends_with_what_the_table_holds(
    table: tuple[list[Item], dict[str, Item]], skip_unchanged: bool, seed: int
) -> None:
    records, items = table
    numbers = [number_of(one) for one in records]
    weather, checkpoint = Weather(seed), 0
    with pytest.MonkeyPatch.context() as monkeypatch:
        world = World(monkeypatch, INDICES=json.dumps(SPECS), SKIP_UNCHANGED=str(skip_unchanged).lower())
        world.dynamodb.items, world.dynamodb.now = items, START + 30
        while checkpoint < len(records):
            weather.change(world)
            draw = weather.random()
            end = min(checkpoint + draw.randint(1, 5), len(records))
            answer = world.sync.handle({"Records": records[checkpoint:end]}, Context(draw.choice([1500, 10_000])))
            failed = [numbers.index(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]
            assert all(checkpoint <= position < end for position in failed)
            checkpoint = min([end, *failed])

    assert world.mailbox.letters == []
    for index, must_hold in MUST_HOLD.items():
        held = {key: must_hold(item) for key, item in items.items()}
        assert world.opensearch.sources(index) == {
            key: {name: text_or_number(value) for name, value in one.items()} for key, one in held.items() if one
        }


def text_or_number(value: Item) -> Any:
    return value["S"] if "S" in value else int(value["N"])


def test_a_record_of_the_short_form_and_of_one_index_in_indices_make_the_same_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    records = [put("a", 1, 1), remove("b", 2), put("a", 3, 3)]
    short = World(monkeypatch)
    assert short.handle(*records) == []
    long = World(monkeypatch, INDICES='{"products":{}}')
    assert long.handle(*records) == []

    assert short.opensearch.documents == long.opensearch.indices["products"]
    assert short.opensearch.requests == long.opensearch.requests
