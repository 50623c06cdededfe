from typing import Any

import pytest
from dynamodb_opensearch.core.changes import Batch, Reading, Settle, Write, coalesce, settled
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.projections import Projection
from dynamodb_opensearch.sources.dynamodb_stream import decode
from fakes.dynamodb import START, put, record, remove

from unit.core.converging import INDEX, SCHEMA, SECOND, own, settle, several

WHOLE = Projection(INDEX)


def batch_of(*records: Any) -> Batch:
    return coalesce(decode(records, SCHEMA), [WHOLE])


def test_each_record_becomes_the_write_of_its_image() -> None:
    batch = batch_of(put("a", 1, 10), put("b", 2, 20))

    a, b = batch.changes.values()
    assert isinstance(a, Write)
    assert (a.id, a.version, a.content) == ("a", own(1), {"pk": {"S": "a"}, "n": {"N": "10"}})
    assert b.id == "b"
    assert batch.latest_second == START


def test_a_removal_deletes_and_needs_no_read() -> None:
    [change] = batch_of(remove("a", 1)).changes.values()

    assert isinstance(change, Write)
    assert (change.content, change.version) == (None, own(1))


def test_a_record_without_its_new_image_is_settled() -> None:
    [change] = batch_of(record("a", 1)).changes.values()

    assert change == Settle("products", "a", {"pk": {"S": "a"}}, own(1), str(10**20 + 499_659))


def test_the_last_change_of_a_document_wins_and_its_first_record_is_remembered() -> None:
    batch = batch_of(put("b", 1, 0), put("a", 2, 1), put("a", 3, 2), remove("b", 4))

    assert [getattr(change, "version", None) for change in batch.changes.values()] == [own(4), own(3)]
    assert batch.first_positions == {(INDEX, "b"): 0, (INDEX, "a"): 1}


def test_a_last_change_with_an_earlier_stamp_is_raised_over_the_highest_own_version() -> None:
    batch = batch_of(put("a", 1, 1, second=START + 5), put("a", 2, 2, second=START + 1), put("a", 3, 3))

    [change] = batch.changes.values()
    assert isinstance(change, Write)
    assert change.content == {"pk": {"S": "a"}, "n": {"N": "3"}}
    assert change.version == own(1, START + 5) + 1  # a raise never starts from a raise
    assert change.highest_own == own(1, START + 5)


def test_a_settle_knows_the_highest_own_version_of_its_batch() -> None:
    [change] = batch_of(put("a", 1, 1, second=START + 5), record("a", 2)).changes.values()

    assert change.highest_own == own(1, START + 5)


def test_an_image_after_a_record_without_one_is_applied() -> None:
    [change] = batch_of(record("a", 1), put("a", 2, 7)).changes.values()

    assert isinstance(change, Write)


def test_equal_spellings_of_a_number_key_are_one_document() -> None:
    records = [put("x", 1, 1), put("x", 2, 2)]
    for one, spelling in zip(records, ["1", "1.0"], strict=True):
        one["dynamodb"]["Keys"] = {"pk": {"N": spelling}}

    assert list(batch_of(*records).changes) == [(INDEX, "1")]


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
    batch = batch_of(put("x", 1, 1), broken, put("y", 2, 2))

    assert list(batch.changes) == [(INDEX, "x"), (INDEX, "y")]
    [undecodable] = batch.undecodable
    assert undecodable.position == 1


def test_what_is_known_of_an_undecodable_record_is_kept() -> None:
    [one] = batch_of(_broken(ApproximateCreationDateTime=None)).undecodable

    assert one.keys == {"pk": {"S": "a"}}
    assert one.sequence_number == str(7 * 10**20 + 499_659)


def test_records_of_another_table_fail_the_batch() -> None:
    with pytest.raises(ConfigurationError, match="TABLE_KEYS"):
        batch_of(_broken(Keys={"productId": {"S": "1"}}))


PK = {"pk": {"S": "a"}}
[ORDERS] = several({"orders": {"when": [{"attribute": "type", "equals": ["order"]}], "rename": {"ts": "at"}}})


def read(item: Any, read_at: int = START) -> Reading:
    return Reading("a", item, read_at)


def test_a_settle_writes_what_was_read_with_the_time_of_the_read_less_the_window() -> None:
    write = settled(settle("a"), read({**PK, "n": {"N": "1"}}), WHOLE, 60)

    assert write is not None
    assert (write.address, write.keys, write.content) == ((INDEX, "a"), PK, {**PK, "n": {"N": "1"}})
    assert write.version == (START - 60) * SECOND + 1


def test_a_settle_writes_above_what_is_stored_and_above_every_record_of_its_batch() -> None:
    known = START * SECOND + 5
    for one in (settle("a", stored=known), settle("a", highest_own=known), settle("a", stored=known, highest_own=7)):
        write = settled(one, read(PK), WHOLE, 60)
        assert write is not None
        assert (write.version, write.highest_own) == (known + 1, one.highest_own)


def test_a_settle_deletes_an_item_that_is_gone_and_one_that_the_index_does_not_hold() -> None:
    gone = settled(settle("a"), read(None), WHOLE, 60)
    left = settled(settle("a", "orders"), read({**PK, "type": {"S": "draft"}}), ORDERS, 60)
    held = settled(settle("a", "orders"), read({**PK, "type": {"S": "order"}}), ORDERS, 60)

    assert gone is not None
    assert left is not None
    assert held is not None
    assert (gone.content, left.content) == (None, None)
    assert held.content == {**PK, "type": {"S": "order"}}


def test_a_settle_keeps_its_record() -> None:
    write = settled(settle("a", sequence_number="7"), read(PK), WHOLE, 60)

    assert write is not None
    assert write.sequence_number == "7"


def test_a_settle_never_makes_up_a_records_own_version() -> None:
    stored = START * SECOND + 999

    assert settled(settle("a", stored=stored), read(PK), WHOLE, 60) is None
