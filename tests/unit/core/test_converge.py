"""Writes, conflicts and settling."""

from typing import Any

import pytest
from dynamodb_opensearch.core.converge import MAXIMUM_CONFLICTS
from fakes.dynamodb import START, put, record, remove
from fakes.opensearch import Stored, busy

from unit.core.converging import SECOND, World, ids, own, settle


def test_images_are_written_and_removals_delete() -> None:
    world = World()
    world.stored("b", 1, 5)

    result = world.apply(put("a", 1, 10), remove("b", 2), remove("never", 3))

    assert (result.refused, result.unfinished) == ({}, {})
    assert world.values() == {"a": 10}
    assert world.opensearch.documents["never"].version == own(3)
    assert (world.tally.writes, world.tally.deletes, world.tally.settled) == (1, 2, 0)
    assert world.dynamodb.reads == []


def test_duplicates_of_one_key_cost_one_write() -> None:
    world = World()

    world.apply(*(put("a", number, number) for number in range(1, 1001)))

    assert world.opensearch.requests == [["a"]]
    assert world.values() == {"a": 1000}


def test_a_replayed_record_is_done_without_a_read() -> None:
    world = World()
    world.apply(put("a", 1, 10))

    result = world.apply(put("a", 1, 10))

    assert result.unfinished == {}
    assert world.dynamodb.reads == []
    assert (world.tally.writes, world.tally.superseded) == (2, 0), "it is written, and nothing newer is there"


def test_a_record_far_older_than_the_document_is_superseded_without_a_read() -> None:
    world = World()
    world.stored("a", 99, own(1, START + 100))

    result = world.apply(put("a", 2, 10))

    assert result.unfinished == {}
    assert (world.values(), world.dynamodb.reads) == ({"a": 99}, [])
    assert (world.tally.writes, world.tally.superseded) == (0, 1)


@pytest.mark.parametrize("ahead", [1, 1000, 30 * SECOND, 60 * SECOND])
def test_a_close_conflict_is_settled_by_what_the_table_says(ahead: int) -> None:
    world = World()
    world.stored("a", 1, own(1) + ahead)
    world.item("a", 3)

    world.apply(put("a", 1, 2))

    assert world.values() == {"a": 3}
    assert world.opensearch.documents["a"].version == own(1) + ahead + 1
    assert world.tally.settled == 1


def test_settling_an_item_that_is_gone_deletes_its_document() -> None:
    world = World()
    world.stored("a", 1, own(1) + 1)

    world.apply(put("a", 1, 2))

    assert world.values() == {}
    assert world.opensearch.documents["a"] == Stored(own(1) + 2, None)


def test_records_without_images_are_settled() -> None:
    world = World()
    world.stored("gone", 1, 1)
    world.item("a", 7)

    world.apply(record("a", 1), record("gone", 2))

    assert world.values() == {"a": 7}
    assert world.opensearch.documents["a"].version == own(1) + 1


def test_a_settle_reads_again_whenever_another_writer_came_between() -> None:
    world = World()
    world.item("a", 1)
    rivals = iter(range(3))

    def rival_writes() -> None:
        if (rival := next(rivals, None)) is not None:
            world.stored("a", 100 + rival, own(1) + 10 * (rival + 1))
            world.item("a", 2 + rival)

    world.dynamodb.before_answer = rival_writes

    world.apply(record("a", 1))

    assert len(world.dynamodb.reads) == 4
    assert world.values() == {"a": 4}
    assert world.opensearch.documents["a"].version == own(1) + 31
    assert world.clock.pauses == []


def test_a_settle_never_ends_on_a_version_far_higher() -> None:
    world = World()
    world.stored("a", 1, own(1, START + 4000))
    world.item("a", 2)

    world.converge([settle("a")])

    assert world.values() == {"a": 2}


def test_a_settle_that_is_always_outrun_is_left_to_a_retry() -> None:
    world = World()
    world.dynamodb.before_answer = lambda: world.stored("a", 1, world.opensearch.documents["a"].version + 5)
    world.stored("a", 1, own(1))

    result = world.apply(record("a", 1))

    assert ids(result.unfinished) == {"a"}
    assert len(world.dynamodb.reads) == MAXIMUM_CONFLICTS + 1
    assert "outrun" in str(result.last_reason)


def test_a_conflict_whose_text_names_no_version_is_settled() -> None:
    world = World()
    world.item("a", 3)
    conflict = {"status": 409, "error": {"type": "version_conflict_engine_exception", "reason": "?"}}
    answers = iter([conflict])
    world.opensearch.item_faults = lambda _: next(answers, None)

    world.apply(put("a", 1, 2))

    assert world.values() == {"a": 3}


def test_no_version_is_left_then_it_is_unfinished_and_no_own_version_is_made_up() -> None:
    world = World(seconds=1)
    world.stored("a", 1, own(1) + 999)
    world.item("a", 2)

    result = world.apply(put("a", 1, 2))

    assert ids(result.unfinished) == {"a"}
    assert world.opensearch.documents["a"].version == own(1) + 999


def test_a_key_marked_for_settling_is_settled_on_every_retry() -> None:
    world = World()
    world.stored("a", 1, own(1) + 1)
    world.item("a", 3)
    # The settle's write meets a busy cluster; meanwhile the item changes, and the document's tombstone is forgotten.
    world.opensearch.faults = [None, busy()]

    def forget() -> None:
        if len(world.dynamodb.reads) == 2:
            world.opensearch.documents.clear()

    world.dynamodb.before_answer = forget
    world.apply(put("a", 1, 2))

    assert len(world.dynamodb.reads) == 2
    assert world.values() == {"a": 3}


FUTURE = 4_000_000_000 * SECOND


@pytest.mark.parametrize("tie", [0, 5, 998, 999])
def test_a_document_with_a_version_from_the_future_is_settled_by_every_change(tie: int) -> None:
    world = World()
    world.stored("a", 99, FUTURE + tie)
    for number in range(1, 5):
        world.item("a", number)
        result = world.apply(put("a", number, number, second=START + 1000 * number))
        assert (result.unfinished, result.refused) == ({}, {})
        assert world.values() == {"a": number}
    del world.dynamodb.items["a"]

    world.apply(remove("a", 9))

    assert world.values() == {}
    assert world.tally.from_the_future == 5


@pytest.mark.parametrize("change", [put("a", 1, 1), remove("a", 1), record("a", 1)], ids=["put", "remove", "keys only"])
def test_a_document_with_the_highest_version_is_set_aside_with_what_to_do(change: dict[str, Any]) -> None:
    world = World()
    world.stored("a", 99, 2**63 - 1)

    result = world.apply(change, put("b", 2, 2))

    assert result.unfinished == {}
    assert "delete it by hand" in result.refused["products", "a"].reason.message
    assert world.values() == {"a": 99, "b": 2}
    assert world.clock.pauses == []


def test_a_settle_that_knows_of_the_highest_version_is_set_aside_at_once() -> None:
    world = World()

    result = world.converge([settle("a", stored=2**63 - 1), settle("b")])

    assert (ids(result.refused), result.unfinished, result.last_reason) == ({"a"}, {}, None)
    assert world.clock.pauses == []
