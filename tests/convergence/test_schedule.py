"""Schedules stay within what the promise rests on, repeat for the same seed, and hold all that they should hold."""

from collections import Counter
from itertools import pairwise

import pytest

from simulation.faults import Fault
from simulation.history import VIEW_TYPES, Change, Record
from simulation.items import CONTENT_MARK, Item, is_document_of, read_exactly
from simulation.projections import NAMES
from simulation.schedule import Schedule, make_schedule

SEEDS = range(400)


@pytest.fixture(scope="module")
def schedules() -> list[Schedule]:
    return [make_schedule(seed, "k") for seed in SEEDS]


def records_of(schedule: Schedule) -> list[Record]:
    return [record for stream in schedule.history.streams for shard in stream.shards for record in shard.records]


def by_key(schedule: Schedule) -> dict[str, list[Change]]:
    return {key: [c for c in schedule.history.changes if c.key == key] for key in schedule.history.keys}


def test_the_same_seed_makes_the_same_schedule(schedules: list[Schedule]) -> None:
    assert [make_schedule(schedule.seed, "k") for schedule in schedules[:50]] == schedules[:50]


def test_clocks_never_disagree_by_more_than_the_promise_allows(schedules: list[Schedule]) -> None:
    for schedule in schedules:
        disagreements = [change.stamp - change.at for change in schedule.history.changes]
        window = schedule.settings.conflict_window_seconds
        assert max(disagreements) - min(disagreements) < window  # a second of it is the stamps being whole seconds
        assert max(schedule.history.clock_offsets) - min(schedule.history.clock_offsets) < window - 1


def test_stamps_of_one_item_run_backwards_often(schedules: list[Schedule]) -> None:
    backwards = sum(
        a.stamp > b.stamp for s in schedules for changes in by_key(s).values() for a, b in pairwise(changes)
    )
    assert backwards > len(schedules)


def test_every_change_has_one_record_in_order_of_sequence_numbers(schedules: list[Schedule]) -> None:
    for schedule in schedules:
        assert len(records_of(schedule)) == len(schedule.history.changes)
        for stream in schedule.history.streams:
            for shard in stream.shards:
                numbers = [int(record.sequence_number) for record in shard.records]
                assert numbers == sorted(set(numbers))


def test_a_consistent_read_finds_the_last_change_before_it(schedules: list[Schedule]) -> None:
    history = schedules[0].history
    change = history.changes[3]
    assert history.item(change.key, change.at) == change.item
    assert history.item(change.key, change.at - 1e-6) == change.old


def test_records_carry_the_images_of_their_view_type(schedules: list[Schedule]) -> None:
    images: dict[str, set[str]] = {view_type: set() for view_type in VIEW_TYPES}
    for schedule in schedules:
        for record in records_of(schedule):
            data = record.event["dynamodb"]
            images[data["StreamViewType"]] |= {"NewImage", "OldImage"} & set(data)
    assert images == {
        "KEYS_ONLY": set(),
        "NEW_IMAGE": {"NewImage"},
        "OLD_IMAGE": {"OldImage"},
        "NEW_AND_OLD_IMAGES": {"NewImage", "OldImage"},
    }


def test_schedules_know_all_there_is(schedules: list[Schedule]) -> None:
    faults = Counter(fault for schedule in schedules for fault in schedule.faults.weights)
    assert min(faults[fault] for fault in Fault) > 20
    assert sum(len(schedule.history.streams) > 1 for schedule in schedules) > 20, "view types are switched"
    assert sum(len(s.shards) > 1 for schedule in schedules for s in schedule.history.streams) > 20, "shards are split"
    assert sum(len({c.stream for c in s.consumers}) < len(s.consumers) for s in schedules) > 20, "second pollers"
    assert any(r.sequence_number.startswith("0") for s in schedules for r in records_of(s)), "DynamoDB Local's numbers"


def test_with_images_only_no_record_needs_a_read() -> None:
    for seed in SEEDS:
        for record in records_of(make_schedule(seed, "k", images_only=True)):
            assert record.event["eventName"] == "REMOVE" or "NewImage" in record.event["dynamodb"]


@pytest.fixture(scope="module")
def several() -> list[Schedule]:
    return [make_schedule(seed, "k", several=True) for seed in SEEDS]


def test_the_same_seed_makes_the_same_indices(several: list[Schedule]) -> None:
    names = [[projection.name for projection in schedule.projections] for schedule in several]
    again = [make_schedule(schedule.seed, "k", several=True) for schedule in several]
    assert [[projection.name for projection in schedule.projections] for schedule in again] == names
    assert {name for each in names for name in each} == set(NAMES)


def test_items_often_enter_and_leave_each_index_or_change_nothing_in_it(several: list[Schedule]) -> None:
    effects: dict[str, Counter[str]] = {name: Counter() for name in NAMES}
    for schedule in several:
        for projection in schedule.projections:
            for change in schedule.history.changes:
                before, after = projection.project(change.old), projection.project(change.item)
                effects[projection.name][_effect(before, after)] += 1
    for name, seen in effects.items():
        assert min(seen["enters"], seen["leaves"], seen["changes"]) > 100, name
        if name not in {"whole", "by-key", "standby"}:  # which hold the serial number, another one with each change
            assert seen["stays"] > 100, name


def _effect(before: Item | None, after: Item | None) -> str:
    if before == after:
        return "concerns none" if after is None else "stays"
    return "enters" if before is None else "leaves" if after is None else "changes"


def test_schedules_with_several_indices_know_all_there_is(several: list[Schedule]) -> None:
    assert sum(schedule.settings.skip_unchanged for schedule in several) > 100
    assert sum(any(projection.is_standby for projection in schedule.projections) for schedule in several) > 50
    for fault in Fault:
        struck = [schedule.faults.only_index for schedule in several if fault in schedule.faults.weights]
        assert None in struck, fault
        assert any(struck), f"{fault} never strikes one index only"


@pytest.mark.parametrize(
    ("item", "body"),
    [
        ({"n": {"N": "0.1"}}, b'{"n":0.10000000000000001}'),
        ({"n": {"N": "12345678901234567890123456789012345678"}}, b'{"n":12345678901234567000000000000000000000}'),
        ({"n": {"N": "1"}}, b'{"n":"1"}'),
        ({"n": {"N": "1"}}, b'{"n":true}'),
        ({"b": {"BOOL": False}}, b'{"b":0}'),
        ({"x": {"NULL": True}}, b"{}"),
        ({"x": {"NULL": True}}, b'{"x":false}'),
        ({"l": {"L": [{"S": "a"}, {"S": "b"}]}}, b'{"l":["b","a"]}'),
        ({"s": {"SS": ["a", "b"]}}, b'{"s":["a","a"]}'),
        ({"m": {"M": {"a": {"S": ""}}}}, b'{"m":{}}'),
        ({"a": {"S": "x"}}, b'{"a":"x","b":1}'),
    ],
)
def test_a_document_that_is_not_exactly_the_item_is_told_apart(item: Item, body: bytes) -> None:
    assert not is_document_of(item, read_exactly(body))


def test_a_set_may_stand_in_any_order_and_a_number_in_any_spelling() -> None:
    item: Item = {"s": {"NS": ["1", "2.50"]}, "n": {"N": "1E+3"}}
    assert is_document_of(item, read_exactly(b'{"n":1000,"s":[2.5,1]}'))


def test_every_items_content_is_marked_and_no_key_is(schedules: list[Schedule]) -> None:
    for schedule in schedules[:50]:
        for change in schedule.history.changes:
            assert CONTENT_MARK not in str(change.keys)
            assert change.item is None or CONTENT_MARK in str(change.item)
