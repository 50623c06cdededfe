from typing import Any

import pytest
from dynamodb_opensearch.core.changes import Settle, Write, coalesce
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.core.versions import own_version
from dynamodb_opensearch.sources.dynamodb_stream import decode
from fakes.dynamodb import START, put, record, remove

SCHEMA = KeySchema(("pk",))


def version(number: int, second: int = START) -> int:
    return own_version(second, str(number * 10**20))


def test_each_record_becomes_the_write_of_its_image() -> None:
    batch = coalesce(decode([put("a", 1, 10), put("b", 2, 20)], SCHEMA))

    a, b = batch.changes.values()
    assert isinstance(a, Write)
    assert (a.id, a.version, a.image) == ("a", version(1), {"pk": {"S": "a"}, "n": {"N": "10"}})
    assert b.id == "b"
    assert batch.latest_second == START


def test_a_removal_deletes_and_needs_no_read() -> None:
    [change] = coalesce(decode([remove("a", 1)], SCHEMA)).changes.values()

    assert isinstance(change, Write)
    assert (change.image, change.version) == (None, version(1))


def test_a_record_without_its_new_image_is_settled() -> None:
    [change] = coalesce(decode([record("a", 1)], SCHEMA)).changes.values()

    assert change == Settle("a", {"pk": {"S": "a"}}, version(1), str(10**20 + 499_659))


def test_the_last_change_of_a_document_wins_and_its_first_record_is_remembered() -> None:
    batch = coalesce(decode([put("b", 1, 0), put("a", 2, 1), put("a", 3, 2), remove("b", 4)], SCHEMA))

    assert [getattr(change, "version", None) for change in batch.changes.values()] == [version(4), version(3)]
    assert batch.first_positions == {"b": 0, "a": 1}


def test_a_last_change_with_an_earlier_stamp_is_raised_over_the_highest_own_version() -> None:
    batch = coalesce(
        decode([put("a", 1, 1, second=START + 5), put("a", 2, 2, second=START + 1), put("a", 3, 3)], SCHEMA)
    )

    [change] = batch.changes.values()
    assert isinstance(change, Write)
    assert change.image == {"pk": {"S": "a"}, "n": {"N": "3"}}
    assert change.version == version(1, START + 5) + 1  # a raise never starts from a raise
    assert change.highest_own == version(1, START + 5)


def test_a_settle_knows_the_highest_own_version_of_its_batch() -> None:
    [change] = coalesce(decode([put("a", 1, 1, second=START + 5), record("a", 2)], SCHEMA)).changes.values()

    assert change.highest_own == version(1, START + 5)


def test_an_image_after_a_record_without_one_is_applied() -> None:
    [change] = coalesce(decode([record("a", 1), put("a", 2, 7)], SCHEMA)).changes.values()

    assert isinstance(change, Write)


def test_equal_spellings_of_a_number_key_are_one_document() -> None:
    records = [put("x", 1, 1), put("x", 2, 2)]
    for one, spelling in zip(records, ["1", "1.0"], strict=True):
        one["dynamodb"]["Keys"] = {"pk": {"N": spelling}}

    assert list(coalesce(decode(records, SCHEMA)).changes) == ["1"]


def _broken(**data: Any) -> dict[str, Any]:
    one = put("a", 7, 1)
    one["dynamodb"] |= data
    return one


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"eventName": "INSERT"},
        None,
        _broken(Keys={}),
        _broken(Keys=None),
        _broken(Keys={"pk": {"BOOL": True}}),
        _broken(SequenceNumber=None),
        _broken(ApproximateCreationDateTime="now"),
        put("a", 1, 1) | {"eventName": "TRUNCATE"},
    ],
)
def test_a_malformed_record_is_set_aside_and_its_neighbours_are_applied(broken: Any) -> None:
    batch = coalesce(decode([put("x", 1, 1), broken, put("y", 2, 2)], SCHEMA))

    assert list(batch.changes) == ["x", "y"]
    [undecodable] = batch.undecodable
    assert undecodable.position == 1


def test_what_is_known_of_an_undecodable_record_is_kept() -> None:
    [one] = coalesce(decode([_broken(ApproximateCreationDateTime=None)], SCHEMA)).undecodable

    assert one.keys == {"pk": {"S": "a"}}
    assert one.sequence_number == str(7 * 10**20 + 499_659)


def test_records_of_another_table_fail_the_batch() -> None:
    with pytest.raises(ConfigurationError, match="TABLE_KEYS"):
        coalesce(decode([_broken(Keys={"productId": {"S": "1"}})], SCHEMA))
