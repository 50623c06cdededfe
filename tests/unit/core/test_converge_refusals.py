"""What is refused, retried, split and never drained."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from dynamodb_opensearch.core.answers import Answer
from dynamodb_opensearch.core.changes import Write
from dynamodb_opensearch.core.converge import LEAST_REFUSALS, MAXIMUM_CONTENTIONS
from dynamodb_opensearch.core.errors import ConfigurationError
from fakes.dynamodb import START, FakeDynamoDB, put, record, remove
from fakes.opensearch import busy, overloaded, refused, unreachable

from unit.core.converging import SECOND, World, ids, own, settle, throttled

NAMELESS = refused("something that no list has")


@pytest.mark.parametrize("number", [1, 9, 10, 500])
def test_many_documents_refused_alike_for_what_names_no_field_are_the_indexs_fault(number: int) -> None:
    world = World(actions=7)
    world.opensearch.item_faults = lambda key: NAMELESS if key != "gone" else None
    records = [put(f"k{n}", n, n) for n in range(1, number + 1)]

    if number < LEAST_REFUSALS:
        assert len(world.apply(remove("gone", 1000), *records).refused) == number
    else:
        with pytest.raises(ConfigurationError, match=f"all {number} documents alike .*mapper_parsing_exception"):
            world.apply(remove("gone", 1000), *records)


@pytest.mark.parametrize("stored", [None, 1, own(5, START + 1000)], ids=["written", "written over", "superseded"])
def test_an_index_that_took_one_document_is_not_at_fault(stored: int | None) -> None:
    world = World()
    if stored:
        world.stored("good", 1, stored)
    world.opensearch.item_faults = lambda key: NAMELESS if key != "good" else None

    result = world.apply(put("good", 1, 1), *(put(f"k{n}", n, n) for n in range(2, 30)))

    assert len(result.refused) == 28


def test_documents_refused_with_a_fields_name_are_at_fault_however_many() -> None:
    world = World()
    world.opensearch.item_faults = lambda _: refused()

    assert len(world.apply(*(put(f"k{n}", n, n) for n in range(30))).refused) == 30


def test_documents_refused_for_several_reasons_are_at_fault() -> None:
    world = World()
    other = {"status": 400, "error": {"type": "other_exception", "reason": "?"}}
    world.opensearch.item_faults = lambda key: NAMELESS if key < "k2" else other

    assert len(world.apply(*(put(f"k{n}", n, n) for n in range(30))).refused) == 30


TOO_LONG = Answer(400, {"error": {"type": "illegal_argument_exception", "reason": "id [x] is too long"}, "status": 400})


def test_a_request_refused_as_a_whole_with_nothing_beside_it_is_no_documents_fault() -> None:
    world = World()
    world.opensearch.faults = [TOO_LONG] * 3  # both, then each alone

    with pytest.raises(ConfigurationError, match="refused all 2 documents alike"):
        world.apply(put("a", 1, 1), put("b", 2, 2))


def test_the_one_document_that_a_request_is_refused_for_is_set_aside() -> None:
    world = World()
    world.opensearch.faults = [TOO_LONG, TOO_LONG]  # both, then the first alone

    result = world.apply(put("a", 1, 1), put("b", 2, 2))

    assert ids(result.refused) == {"a"}
    assert world.values() == {"b": 2}


@pytest.mark.parametrize("fault", [busy(), unreachable(), Answer(503, None), Answer(502, "<html>")])
def test_what_heals_is_waited_for(fault: Any) -> None:
    world = World()
    world.opensearch.faults = [fault, fault]

    result = world.apply(put("a", 1, 10))

    assert result.unfinished == {}
    assert world.values() == {"a": 10}
    assert len(world.clock.pauses) == 2


def test_only_what_was_not_done_is_sent_again() -> None:
    world = World()
    attempts = iter([overloaded(), overloaded()])
    world.opensearch.item_faults = lambda key: next(attempts, None) if key == "b" else None

    world.apply(put("a", 1, 1), put("b", 2, 2), put("c", 3, 3))

    assert world.opensearch.requests == [["a", "b", "c"], ["b"], ["b"]]


def test_pauses_grow_with_jitter_and_the_deadline_ends_them() -> None:
    world = World(seconds=30)
    world.opensearch.faults = [busy()] * 1000

    result = world.apply(put("a", 1, 1))

    assert ids(result.unfinished) == {"a"}
    assert "429" in str(result.last_reason)
    assert 5 < len(world.clock.pauses) < 40
    assert world.clock.pauses[0] <= 0.1
    assert 2 < max(world.clock.pauses) <= 5
    assert world.clock.left_ms >= 2000  # time is left to answer


def test_a_refused_document_is_set_aside_and_its_neighbours_are_written() -> None:
    world = World()
    world.opensearch.item_faults = lambda key: refused() if key == "b" else None

    result = world.apply(put("a", 1, 1), put("b", 2, 2), put("c", 3, 3))

    assert world.values() == {"a": 1, "c": 3}
    [refusal] = result.refused.values()
    assert refusal.write.id == "b"
    assert str(refusal.reason) == "mapper_parsing_exception: failed to parse field [n] of type [long]"


def two_types() -> dict[str, Any]:
    return refused("mapper [n] cannot be changed from type [float] to [long]")


def test_a_new_fields_type_that_two_writes_fought_over_is_tried_again() -> None:
    world = World()
    faults = {"a": [two_types()] * (MAXIMUM_CONTENTIONS - 1)}
    world.opensearch.item_faults = lambda key: faults[key].pop() if faults.get(key) else None
    result = world.apply(put("a", 1, 1), put("b", 2, 2))
    assert (result.refused, result.unfinished) == ({}, {})
    assert world.values() == {"a": 1, "b": 2}


def test_a_document_that_never_fits_a_new_fields_type_is_set_aside() -> None:
    world = World()
    world.opensearch.item_faults = lambda key: two_types() if key == "a" else None
    result = world.apply(put("a", 1, 1), put("b", 2, 2))
    assert ids(result.refused) == {"a"}
    assert result.unfinished == {}
    assert world.opensearch.requests == [["a", "b"], *[["a"]] * (MAXIMUM_CONTENTIONS - 1)]
    assert world.values() == {"b": 2}


def test_an_undecodable_image_is_set_aside_and_its_neighbours_are_written() -> None:
    world = World()

    result = world.apply(put("a", 1, 1), record("b", 2, {"n": {"X": "secret"}}), put("c", 3, 3))

    assert world.values() == {"a": 1, "c": 3}
    assert result.refused["products", "b"].reason.type == "undecodable"
    assert "secret" not in str(result.refused["products", "b"].reason)


def test_a_request_that_is_too_large_is_split() -> None:
    world = World()
    world.opensearch.maximum_bytes = 400

    result = world.apply(*(put(str(number), number, number) for number in range(1, 21)))

    assert (result.refused, result.unfinished) == ({}, {})
    assert len(world.values()) == 20


def test_a_document_alone_too_large_is_set_aside() -> None:
    world = World()
    world.opensearch.maximum_bytes = 400

    result = world.apply(put("a", 1, 1), record("b", 2, {"t": {"S": "x" * 500}}), put("c", 3, 3))

    assert world.values() == {"a": 1, "c": 3}
    assert result.refused["products", "b"].reason.type == "request_too_large"


def test_chunks_are_bounded_by_bytes_and_by_actions() -> None:
    by_actions, by_bytes = World(actions=10), World(chunk_bytes=1000)
    records = [put(f"k{number}", number, number) for number in range(1, 101)]

    by_actions.apply(*records)
    by_bytes.apply(*records)

    assert [len(request) for request in by_actions.opensearch.requests] == [10] * 10
    assert max(len(request) for request in by_bytes.opensearch.requests) < 12
    assert len(by_bytes.values()) == 100


@pytest.mark.parametrize("faults", [[busy(), busy()], [unreachable(), busy()]])
def test_a_full_queue_does_not_get_more_requests(faults: list[Any]) -> None:
    world = World()
    world.opensearch.faults = faults

    world.apply(*(put(str(number), number, number) for number in range(1, 101)))

    assert len(world.opensearch.requests) <= 2
    assert len(world.values()) == 100


def test_chunks_shrink_while_requests_fail() -> None:
    world = World()
    world.opensearch.faults = [unreachable(), unreachable()]

    world.apply(*(put(str(number), number, number) for number in range(1, 101)))

    assert max(len(request) for request in world.opensearch.requests) <= 250 // 4
    assert len(world.values()) == 100


def test_a_configuration_error_ends_it_at_once() -> None:
    world = World()
    world.opensearch.faults = [Answer(401, "Unauthorized")]

    with pytest.raises(ConfigurationError, match="401"):
        world.apply(put("a", 1, 1))
    assert world.clock.pauses == []


def test_keys_that_could_not_be_read_are_read_again() -> None:
    world = World()
    for key in "abc":
        world.item(key, 1)
    world.dynamodb.faults = [lambda keys: keys[1:], throttled(), lambda keys: keys[:1]]

    result = world.apply(record("a", 1), record("b", 2), record("c", 3))

    assert result.unfinished == {}
    assert world.dynamodb.reads == [["a"], ["c"], ["b"]]
    assert len(world.clock.pauses) == 3


def test_a_missing_right_to_read_is_a_configuration_error() -> None:
    world = World()
    denied = {"Error": {"Code": "AccessDeniedException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    world.dynamodb.faults = [ClientError(denied, "BatchGetItem")]

    with pytest.raises(ConfigurationError, match="dynamodb:BatchGetItem"):
        world.apply(record("a", 1))


class Picky(FakeDynamoDB):
    """Refuses a request with a key that begins with ``odd``, as DynamoDB does one of another type."""

    def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803
        if any(key["pk"]["S"].startswith("odd") for key in RequestItems["products"]["Keys"]):
            error = {"Error": {"Code": "ValidationException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
            raise ClientError(error, "BatchGetItem")
        return super().batch_get_item(RequestItems=RequestItems)


def test_a_key_that_dynamodb_refuses_is_set_aside_and_deletes_nothing() -> None:
    world = World()
    world.dynamodb = Picky()
    for number in range(100):
        world.item(f"k{number}", number)
    for key in ("odd1", "odd2", "k7"):
        world.stored(key, 99, 5)

    result = world.apply(*(record(key, n) for n, key in enumerate(["odd1", *(f"k{n}" for n in range(100)), "odd2"])))

    assert ids(result.refused) == {"odd1", "odd2"}
    assert result.unfinished == {}
    assert world.values() == {**{f"k{n}": n for n in range(100)}, "odd1": 99, "odd2": 99}


def test_keys_that_dynamodb_refuses_all_are_a_wrong_setting() -> None:
    world = World()
    world.dynamodb = Picky()

    with pytest.raises(ConfigurationError, match="TABLE_KEYS are the table's"):
        world.apply(*(record(f"odd{number}", number) for number in range(30)))


def test_many_small_items_are_settled_in_few_reads() -> None:
    world = World()
    for number in range(1, 1001):
        world.item(f"k{number}", number)

    world.apply(*(record(f"k{number}", number) for number in range(1, 1001)))

    assert len(world.values()) == 1000
    assert len(world.dynamodb.reads) < 50


def test_the_version_of_a_settle_comes_from_dynamodbs_clock() -> None:
    world = World()
    world.item("a", 1)
    world.dynamodb.now = START + 10_000

    world.converge([settle("a")])

    assert world.opensearch.documents["a"].version == (START + 10_000 - 60) * SECOND + 1


def test_a_write_keeps_its_version_and_keys() -> None:
    write = Write("products", "a", {"pk": {"S": "a"}}, 5, 5, "1", {"n": {"N": "1"}})
    world = World()

    world.converge([write])

    assert world.opensearch.documents["a"].version == 5
