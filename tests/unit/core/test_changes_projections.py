"""Which records count in which index. What counts nowhere is as if it had never been."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from dynamodb_opensearch.core.changes import Batch, Settle, Write, coalesce
from dynamodb_opensearch.core.projections import Faulty, Projection
from dynamodb_opensearch.core.transforms import Transform
from dynamodb_opensearch.sources.dynamodb_stream import decode
from fakes.dynamodb import START, put, record, remove
from hypothesis import given
from hypothesis import strategies as st

from unit.core.converging import SCHEMA, own, several
from unit.core.histories import DRAFT, MUST_HOLD, ORDER, SPECS, Item, histories


def batch_of(*records: Item, skip_unchanged: bool = False, only: Sequence[str] = tuple(SPECS)) -> Batch:
    projections = several({index: SPECS[index] for index in only}, skip_unchanged=skip_unchanged)
    return coalesce(decode(records, SCHEMA), projections)


def order_batch(*records: Item, skip_unchanged: bool = False) -> Batch:
    return batch_of(*records, skip_unchanged=skip_unchanged, only=["orders"])


def noisy(item: Item, noise: int) -> Item:
    return {**item, "noise": {"N": str(noise)}}


# -- a second reading of the rules


@dataclass(frozen=True)
class Expected:
    """A document's change: its last counted record, version and content, and the first counted position."""

    number: int
    version: int | None
    content: Item | None
    highest_own: int
    first: int


def expected_changes(
    records: Sequence[Item], index: str, *, skip_unchanged: bool
) -> tuple[dict[str, Expected], int, int]:
    """Document id -> change; how many records were dropped, and how many were skipped."""
    counted: dict[str, list[tuple[int, Item]]] = {}
    dropped = skipped = 0
    for position, event in enumerate(records):
        data, name = event["dynamodb"], event["eventName"]
        key = data["Keys"]["pk"]["S"]
        if index == "keyed" and not key.startswith("x"):
            continue
        new_is_known, old_is_known = name == "REMOVE" or "NewImage" in data, name == "INSERT" or "OldImage" in data
        if new_is_known and old_is_known:
            after = None if name == "REMOVE" else MUST_HOLD[index](data["NewImage"])
            before = None if name == "INSERT" else MUST_HOLD[index](data["OldImage"])
            if before is None and after is None:
                dropped += 1
                continue
            if before == after and skip_unchanged:
                skipped += 1
                continue
        counted.setdefault(key, []).append((position, event))
    changes = {}
    for key, events in counted.items():
        owns = [own_of(event) for _, event in events]
        last = events[-1][1]
        data = last["dynamodb"]
        image = None if last["eventName"] == "REMOVE" else data.get("NewImage")
        is_known = image is not None or last["eventName"] == "REMOVE"
        content = image if image is not None and MUST_HOLD[index](image) is not None else None
        version = owns[-1] if owns[-1] > max(owns[:-1], default=-1) else max(owns[:-1]) + 1
        changes[key] = Expected(number_of(last), version if is_known else None, content, max(owns), events[0][0])
    return changes, dropped, skipped


def number_of(event: Item) -> int:
    return int(event["dynamodb"]["SequenceNumber"]) // 10**20


def own_of(event: Item) -> int:
    return own(number_of(event), event["dynamodb"]["ApproximateCreationDateTime"])


@given(histories(), st.booleans())
def test_each_index_has_the_changes_that_its_own_counted_records_make(
    records: list[Item], skip_unchanged: bool
) -> None:
    batch = batch_of(*records, skip_unchanged=skip_unchanged)

    dropped = skipped = 0
    seen = set()
    for index in SPECS:
        expected, dropped_here, skipped_here = expected_changes(records, index, skip_unchanged=skip_unchanged)
        dropped, skipped = dropped + dropped_here, skipped + skipped_here
        for key, wanted in expected.items():
            seen.add((index, key))
            change = batch.changes[index, key]
            assert change.address == (index, key)
            assert change.highest_own == wanted.highest_own
            assert int(change.sequence_number or 0) // 10**20 == wanted.number
            assert batch.first_positions[index, key] == wanted.first
            if wanted.version is None:
                assert isinstance(change, Settle)
            else:
                assert isinstance(change, Write)
                assert (change.version, change.content) == (wanted.version, wanted.content)
    keyed_out = sum(event["dynamodb"]["Keys"]["pk"]["S"] != "x" for event in records)
    counted = len(SPECS) * len(records) - keyed_out - dropped - skipped
    assert set(batch.changes) == set(batch.first_positions) == seen
    assert (batch.dropped, batch.skipped, batch.coalesced) == (dropped, skipped, counted - len(seen))


# -- the same, one by one


def test_a_record_counts_in_each_index_that_holds_its_item() -> None:
    batch = batch_of(record("x1", 1, ORDER, event_name="INSERT"))

    assert set(batch.changes) == {("orders", "x1"), ("keyed", "x1"), ("whole", "x1")}
    assert (batch.dropped, batch.skipped) == (1, 0)


def test_an_item_that_leaves_an_index_is_deleted_there_and_one_that_enters_is_written() -> None:
    batch = batch_of(record("a", 1, DRAFT, old=ORDER), only=["orders", "rest"])

    left, entered = batch.changes["orders", "a"], batch.changes["rest", "a"]
    assert isinstance(left, Write)
    assert isinstance(entered, Write)
    assert (left.content, left.version) == (None, own(1))
    assert entered.content == {"pk": {"S": "a"}, **DRAFT}


@pytest.mark.parametrize(
    "event",
    [
        record("a", 1, noisy(DRAFT, 2), old=noisy(DRAFT, 1)),
        record("a", 1, DRAFT, event_name="INSERT"),
        remove("a", 1, old=DRAFT),
        record("a", 1, DRAFT, old=DRAFT, event_name="INSERT"),
    ],
    ids=["changed outside", "inserted outside", "removed outside", "an insert has no old item"],
)
def test_a_record_that_concerns_no_document_of_the_index_is_dropped(event: Item) -> None:
    batch = order_batch(event)

    assert (batch.changes, batch.first_positions) == ({}, {})
    assert (batch.dropped, batch.skipped, batch.coalesced) == (1, 0, 0)
    assert batch.latest_second == START, "the batch is as young as ever: the lag is counted from it"


@pytest.mark.parametrize(
    "event",
    [
        record("a", 1, DRAFT),
        remove("a", 1),
        record("a", 1, DRAFT, old=ORDER),
        remove("a", 1, old=ORDER),
        record("a", 1, DRAFT, old={"kind": {}}),
    ],
    ids=["no old image", "a removal without its item", "left", "removed", "an old item that can't be read"],
)
def test_a_record_that_may_concern_a_document_deletes_it(event: Item) -> None:
    [change] = order_batch(event).changes.values()

    assert isinstance(change, Write)
    assert change.content is None


def test_a_dropped_record_in_front_neither_raises_the_version_nor_is_the_first() -> None:
    """Its stamp is the highest: if it counted, the next record's version would be raised over it."""
    batch = order_batch(
        record("a", 1, noisy(DRAFT, 1), old=DRAFT, second=START + 9), record("a", 2, ORDER, old=noisy(DRAFT, 1))
    )

    [change] = batch.changes.values()
    assert isinstance(change, Write)
    assert (change.version, change.highest_own) == (own(2), own(2))
    assert batch.first_positions == {("orders", "a"): 1}
    assert (batch.dropped, batch.coalesced) == (1, 0)


def test_a_dropped_record_at_the_end_is_not_the_last_change() -> None:
    batch = order_batch(record("a", 1, DRAFT, old=ORDER), record("a", 2, noisy(DRAFT, 1), old=DRAFT))

    [change] = batch.changes.values()
    assert isinstance(change, Write)
    assert (change.version, change.sequence_number) == (own(1), str(10**20 + 499_659))


def test_records_that_cancel_out_still_count_one_by_one() -> None:
    """By the first old and the last new item nothing has happened, but a write in between may have landed."""
    batch = order_batch(record("a", 1, ORDER, event_name="INSERT"), remove("a", 2, old=ORDER))

    [change] = batch.changes.values()
    assert isinstance(change, Write)
    assert (change.content, change.version, change.highest_own) == (None, own(2), own(2))
    assert (batch.dropped, batch.coalesced) == (0, 1)


def test_only_counted_records_raise_a_version() -> None:
    batch = order_batch(
        record("a", 1, ORDER, event_name="INSERT", second=START + 2),
        record("a", 2, DRAFT, old=ORDER, second=START + 3),
        record("a", 3, noisy(DRAFT, 1), old=DRAFT, second=START + 9),
        record("a", 4, ORDER, old=noisy(DRAFT, 1), second=START + 1),
    )

    [change] = batch.changes.values()
    assert isinstance(change, Write)
    assert change.version == own(2, START + 3) + 1
    assert change.highest_own == own(2, START + 3)


def test_an_equal_document_is_written_unless_unchanged_ones_are_skipped() -> None:
    event = record("a", 1, noisy(ORDER, 2), old=noisy(ORDER, 1))

    assert set(order_batch(event).changes) == {("orders", "a")}
    skipping = order_batch(event, skip_unchanged=True)
    assert (skipping.changes, skipping.dropped, skipping.skipped) == ({}, 0, 1)


def test_a_skipped_record_counts_where_its_document_differs() -> None:
    batch = batch_of(
        record("a", 1, noisy(ORDER, 2), old=noisy(ORDER, 1)), skip_unchanged=True, only=["orders", "whole"]
    )

    assert set(batch.changes) == {("whole", "a")}


@pytest.mark.parametrize(
    "event", [put("a", 1, 1), record("a", 1, ORDER, event_name="INSERT"), record("a", 1, old=ORDER), remove("a", 1)]
)
def test_nothing_is_skipped_without_both_items(event: Item) -> None:
    batch = batch_of(event, skip_unchanged=True, only=["whole"])

    assert (set(batch.changes), batch.skipped) == ({("whole", "a")}, 0)


@pytest.mark.parametrize("old", [None, ORDER])
@pytest.mark.parametrize("event_name", ["INSERT", "MODIFY"])
def test_an_item_that_is_not_shown_is_settled_in_each_index_that_its_key_does_not_exclude(
    event_name: str, old: Item | None
) -> None:
    batch = batch_of(record("a", 1, old=old, event_name=event_name), record("x", 2, old=old, event_name=event_name))

    assert set(batch.changes) == {
        *[(index, key) for index in ("orders", "rest", "whole") for key in "ax"],
        ("keyed", "x"),
    }
    assert {type(change) for change in batch.changes.values()} == {Settle}
    assert (batch.dropped, batch.skipped) == (0, 0)


@pytest.mark.parametrize(
    "event",
    [put("a", 1, 1), record("a", 1, ORDER, old=ORDER), record("a", 1), remove("a", 1), remove("a", 1, old=ORDER)],
)
def test_an_index_that_never_held_a_key_gets_no_action_with_any_view_of_the_stream(event: Item) -> None:
    batch = batch_of(event, only=["keyed"])

    assert (batch.changes, batch.first_positions) == ({}, {})
    assert (batch.dropped, batch.skipped) == (0, 0)


def test_a_settle_after_dropped_records_knows_only_the_counted_ones() -> None:
    batch = order_batch(
        record("a", 1, noisy(DRAFT, 1), old=DRAFT, second=START + 9),
        record("a", 2, ORDER, old=noisy(DRAFT, 1), second=START + 4),
        record("a", 3),
    )

    assert batch.changes == {
        ("orders", "a"): Settle("orders", "a", {"pk": {"S": "a"}}, own(2, START + 4), str(3 * 10**20 + 499_659))
    }
    assert batch.first_positions == {("orders", "a"): 1}


def test_an_item_that_a_rule_cannot_read_is_a_fault_and_not_a_delete() -> None:
    batch = batch_of(record("a", 1, {"kind": {}, "n": {"N": "1"}}, old=DRAFT), only=["orders", "whole"])

    faulty, whole = batch.changes["orders", "a"], batch.changes["whole", "a"]
    assert isinstance(faulty, Write)
    assert isinstance(whole, Write)
    assert isinstance(faulty.content, Faulty)
    assert not isinstance(whole.content, Faulty)


def test_a_fault_is_forgotten_if_a_later_record_of_the_document_has_none() -> None:
    [change] = order_batch(
        record("a", 1, {"kind": {}}, old=DRAFT), record("a", 2, ORDER, old={"kind": {}})
    ).changes.values()

    assert isinstance(change, Write)
    assert change.content == {"pk": {"S": "a"}, **ORDER}


def transforming(function: Callable[[Item], Any], **options: Any) -> Projection:
    return Projection("orders", transform=Transform("search:document", function), **options)


def fails_for_drafts(item: Item) -> Item | None:
    if item["kind"] == "draft":
        raise ValueError(item)
    return {"n": item["n"]} if item["kind"] == "order" else None


def test_a_transform_decides_what_counts_and_its_failures_always_do() -> None:
    other = {"kind": {"S": "other"}}
    projection = transforming(fails_for_drafts, skip_unchanged=True)

    def changes(new: Item | None, old: Item | None) -> list[Any]:
        event = remove("a", 1, old=old) if new is None else record("a", 1, new, old=old)
        batch = coalesce(decode([event], SCHEMA), [projection])
        return [getattr(change, "content", "settle") for change in batch.changes.values()]

    assert changes(noisy(ORDER, 1), ORDER) == []
    assert changes(noisy(other, 1), other) == []
    assert changes(None, other) == []
    assert changes(other, ORDER) == [None]
    assert changes(ORDER, other) == [b'{"n":1}']
    assert changes(None, DRAFT) == changes(other, DRAFT) == [None]
    for [content] in (changes(DRAFT, ORDER), changes(DRAFT, DRAFT), changes(DRAFT, other)):
        assert isinstance(content, Faulty)


@pytest.mark.parametrize("name", ["NewImage", "OldImage"])
@pytest.mark.parametrize("image", ["text", 5, [], [["pk", {"S": "a"}]]], ids=str)
def test_a_record_whose_image_is_no_object_is_set_aside_alone(name: str, image: Any) -> None:
    broken = record("b", 2, ORDER, old=DRAFT)
    broken["dynamodb"][name] = image

    batch = batch_of(record("a", 1, ORDER, old=DRAFT), broken, skip_unchanged=True)

    assert [(one.position, one.keys) for one in batch.undecodable] == [(1, {"pk": {"S": "b"}})]
    assert {key for _, key in batch.changes} == {"a"}
