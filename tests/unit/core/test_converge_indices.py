"""Several indices: each is brought up to date by itself, from one read of the table."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from dynamodb_opensearch.core.answers import Answer
from dynamodb_opensearch.core.converge import LEAST_REFUSALS
from dynamodb_opensearch.core.errors import ConfigurationError
from fakes.dynamodb import START, FakeDynamoDB, put, record
from fakes.opensearch import Stored, busy, forbidden, missing, overloaded, refused, unreachable

from unit.core.converging import SECOND, A, B, C, World, own, settle, stored, throttled, world_of


def kind(value: str) -> dict[str, Any]:
    return {"S": value}


BY_KIND = {
    A: {"when": [{"attribute": "kind", "equals": ["order"]}]},
    B: {"when": [{"attribute": "kind", "equals": ["customer"]}]},
}


# -- one index's trouble


def test_a_conflict_in_one_index_is_settled_there_and_the_others_are_written() -> None:
    world = world_of()
    world.stored("a", 1, own(1) + 5, A)
    world.item("a", 3)

    result = world.apply(put("a", 1, 2))

    assert (result.refused, result.unfinished) == ({}, {})
    assert stored(world) == {A: {"a": 3}, B: {"a": 2}, C: {"a": 2}}
    versions = {index: world.opensearch.indices[index]["a"].version for index in (A, B, C)}
    assert versions == {A: own(1) + 6, B: own(1), C: own(1)}
    assert (world.tally.settled, world.tally.writes, len(world.dynamodb.reads)) == (1, 3, 1)


def test_a_refusal_in_one_index_is_that_indexs() -> None:
    world = world_of()
    world.opensearch.item_faults_of[A] = lambda key: refused() if key == "a" else None

    result = world.apply(put("a", 1, 1), put("b", 2, 2))

    assert set(result.refused) == {(A, "a")}
    assert result.refused[A, "a"].write.index == A
    assert result.unfinished == {}
    assert stored(world) == {A: {"b": 2}, B: {"a": 1, "b": 2}, C: {"a": 1, "b": 2}}


@pytest.mark.parametrize("fault", [busy(), unreachable(), Answer(503, "")], ids=["busy", "unreachable", "down"])
def test_an_outage_of_one_index_leaves_only_its_own_changes_undone(fault: Any) -> None:
    world = world_of(seconds=10)
    world.opensearch.faults_of[A] = [fault] * 1000

    result = world.apply(put("a", 1, 1), put("b", 2, 2))

    assert set(result.unfinished) == {(A, "a"), (A, "b")}
    assert stored(world) == {A: {}, B: {"a": 1, "b": 2}, C: {"a": 1, "b": 2}}
    assert world.opensearch.requests_of == {B: [["a", "b"]], C: [["a", "b"]]}, "nothing is sent twice"


@pytest.mark.parametrize("answer", [missing(A), forbidden(), Answer(401, "Unauthorized")], ids=["404", "403", "401"])
def test_what_must_be_changed_for_one_index_is_reported_by_name_once_the_others_are_done(answer: Answer) -> None:
    world = world_of()
    world.opensearch.faults_of = {A: [answer] * 1000, B: [busy(), busy()]}
    world.item("c", 3)

    with pytest.raises(ConfigurationError, match=rf"^the index {A}: .*{answer.status}"):
        world.apply(put("a", 1, 1), put("b", 2, 2), record("c", 3))

    assert stored(world) == {A: {}, B: {"a": 1, "b": 2, "c": 3}, C: {"a": 1, "b": 2, "c": 3}}
    assert len(world.opensearch.faults_of[A]) in {998, 999}, "it isn't tried again"


def test_the_error_of_the_only_index_needs_no_name() -> None:
    world = World()
    world.opensearch.faults = [missing("products")]

    with pytest.raises(ConfigurationError, match=r"^OpenSearch answered 404"):
        world.apply(put("a", 1, 1))


def test_an_index_that_refuses_everything_alike_is_at_fault_and_its_neighbours_are_not() -> None:
    world = world_of()
    world.opensearch.item_faults_of[A] = lambda _: refused("something that no list has")
    world.opensearch.item_faults_of[B] = lambda key: refused() if key == "k3" else None

    with pytest.raises(ConfigurationError, match=f"the index {A}: OpenSearch refused all {LEAST_REFUSALS} documents"):
        world.apply(*(put(f"k{n}", n, n) for n in range(LEAST_REFUSALS)))

    assert [len(values) for values in stored(world).values()] == [0, LEAST_REFUSALS - 1, LEAST_REFUSALS]


def test_that_one_index_took_documents_says_nothing_of_another() -> None:
    world = world_of()
    world.opensearch.item_faults_of[A] = lambda key: refused("something that no list has") if key != "k0" else None

    result = world.apply(*(put(f"k{n}", n, n) for n in range(LEAST_REFUSALS + 5)))

    assert len(result.refused) == LEAST_REFUSALS + 4, "the index took one document: the others are at fault"


def test_a_settle_that_is_always_outrun_in_one_index_is_done_in_the_others() -> None:
    world = world_of()
    world.stored("a", 1, own(1), A)
    world.dynamodb.before_answer = lambda: world.stored("a", 1, world.opensearch.indices[A]["a"].version + 5, A)
    world.item("a", 7)

    result = world.apply(record("a", 1))

    assert set(result.unfinished) == {(A, "a")}
    assert (world.values(B), world.values(C)) == ({"a": 7}, {"a": 7})
    assert world.opensearch.requests_of[B] == [["a"]]


def test_only_the_index_that_is_too_slow_gets_smaller_requests() -> None:
    world = world_of(specs={A: {}, B: {}})
    world.opensearch.faults_of = {A: [unreachable(), unreachable()]}
    world.opensearch.item_faults_of[B] = lambda key: overloaded() if len(world.opensearch.faults_of[A]) > 0 else None

    world.apply(*(put(str(number), number, number) for number in range(1, 101)))

    assert max(map(len, world.opensearch.requests_of[A])) <= 250 // 4
    assert max(map(len, world.opensearch.requests_of[B])) == 100
    assert [len(values) for values in stored(world).values()] == [100, 100]


# -- one read


def test_one_read_of_an_item_serves_all_indices_and_is_projected_for_each() -> None:
    world = world_of(specs={**BY_KIND, C: {}})
    world.item("a", 1, kind=kind("order"))
    world.item("b", 2, kind=kind("customer"))
    world.stored("b", 9, 5, A)

    result = world.apply(record("a", 1), record("b", 2), record("gone", 3))

    assert (result.refused, result.unfinished) == ({}, {})
    assert stored(world) == {A: {"a": 1}, B: {"b": 2}, C: {"a": 1, "b": 2}}
    assert world.dynamodb.reads == [["a", "b", "gone"]]
    assert world.opensearch.indices[A]["b"] == Stored(own(2) + 1, None), "what an index doesn't hold is deleted there"


def test_each_index_is_settled_above_the_version_that_is_stored_in_it() -> None:
    world = world_of()
    for ahead, index in enumerate((A, B, C), start=1):
        world.stored("a", 0, own(1) + 100 * ahead, index)
    world.item("a", 3)

    world.apply(put("a", 1, 2))

    assert stored(world) == {A: {"a": 3}, B: {"a": 3}, C: {"a": 3}}
    versions = [world.opensearch.indices[index]["a"].version for index in (A, B, C)]
    assert versions == [own(1) + 101, own(1) + 201, own(1) + 301]
    assert len(world.dynamodb.reads) == 1


def test_an_index_whose_write_came_too_late_is_read_for_again_alone() -> None:
    world = world_of()
    world.item("a", 1)
    rivals = [1]

    def rival_writes() -> None:
        if rivals:
            rivals.pop()
            world.stored("a", 100, own(1) + 10, B)
            world.item("a", 2)

    world.dynamodb.before_answer = rival_writes

    world.apply(record("a", 1))

    assert world.values(B) == {"a": 2}, "never what was read before the rival's write"
    assert world.opensearch.indices[B]["a"].version == own(1) + 11
    assert {index: len(requests) for index, requests in world.opensearch.requests_of.items()} == {A: 1, B: 2, C: 1}
    assert len(world.dynamodb.reads) == 2


def test_what_could_not_be_read_is_undone_in_each_index() -> None:
    world = world_of(seconds=5)
    world.dynamodb.faults = [throttled()] * 1000

    result = world.apply(record("a", 1))

    assert set(result.unfinished) == {(index, "a") for index in (A, B, C)}
    assert str(result.last_reason).startswith("unread")


class Picky(FakeDynamoDB):
    """Refuses the key ``odd``, as DynamoDB does one of another type."""

    def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803
        if {"pk": {"S": "odd"}} in RequestItems["products"]["Keys"]:
            error = {"Error": {"Code": "ValidationException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
            raise ClientError(error, "BatchGetItem")
        return super().batch_get_item(RequestItems=RequestItems)


def test_a_key_that_dynamodb_refuses_is_refused_in_each_index() -> None:
    world = world_of()
    world.dynamodb = Picky()
    world.item("a", 1)

    result = world.apply(record("a", 1), record("odd", 2))

    assert set(result.refused) == {(index, "odd") for index in (A, B, C)}
    assert stored(world) == {index: {"a": 1} for index in (A, B, C)}


def test_a_key_that_dynamodb_refuses_is_no_wrong_setting_if_another_index_was_written_to() -> None:
    world = world_of()
    world.dynamodb = Picky()
    world.item("a", 1)

    result = world.converge([settle("odd", A), settle("a", B)])

    assert set(result.refused) == {(A, "odd")}


def test_keys_that_dynamodb_refuses_all_are_a_wrong_setting_for_all_indices() -> None:
    world = world_of()
    world.dynamodb = Picky()

    with pytest.raises(ConfigurationError, match="TABLE_KEYS are the table's"):
        world.apply(record("odd", 1))


def test_a_key_that_dynamodb_refuses_in_a_blocked_index_is_no_crash() -> None:
    world = world_of(specs={A: {}, B: {}}, actions=5)
    world.dynamodb = Picky()
    world.opensearch.faults_of[A] = [missing(A)] * 100
    for number in range(60):
        world.item(f"k{number}", number)

    with pytest.raises(ConfigurationError, match=f"the index {A}: OpenSearch answered 404"):
        world.apply(*(record(f"k{number}", number) for number in range(60)), record("odd", 99))

    assert len(world.values(B)) == 60


def test_an_item_that_moves_is_deleted_in_one_index_and_written_in_the_other() -> None:
    world = world_of(specs=BY_KIND)
    world.apply(record("a", 1, {"n": {"N": "1"}, "kind": kind("order")}, event_name="INSERT"))
    assert stored(world) == {A: {"a": 1}, B: {}}

    world.apply(
        record("a", 2, {"n": {"N": "2"}, "kind": kind("customer")}, old={"n": {"N": "1"}, "kind": kind("order")})
    )

    assert stored(world) == {A: {}, B: {"a": 2}}
    assert world.opensearch.indices[A]["a"] == Stored(own(2), None)


def test_the_version_of_a_settle_comes_from_the_read_in_each_index() -> None:
    world = world_of()
    world.dynamodb.now = START + 10_000
    world.item("a", 1)

    world.converge([settle("a", A), settle("a", C, highest_own=own(1, START + 20_000))])

    assert world.opensearch.indices[A]["a"].version == (START + 10_000 - 60) * SECOND + 1
    assert world.opensearch.indices[C]["a"].version == own(1, START + 20_000) + 1
    assert world.values(B) == {}
