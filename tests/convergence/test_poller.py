"""The event source mapping simulator keeps AWS's rules: a wrong one would prove a wrong function right."""

import random
from typing import Any

import pytest

from simulation.history import Record, Shard, Stream
from simulation.poller import EventSourceMapping, Lane, first_to_retry
from simulation.schedule import Consumer


def make_records(count: int, keys: str = "a", first: int = 0) -> tuple[Record, ...]:
    return tuple(Record(float(n), keys[n % len(keys)], str(n), {}) for n in range(first, first + count))


def make_mapping(*shards: Shard, factor: int = 1) -> EventSourceMapping:
    consumer = Consumer(
        stream=0,
        batch_size=100,
        parallelization_factor=factor,
        bisects=True,
        regroups=0,
        begins_after=0,
        restarts_after=(),
    )
    return EventSourceMapping(consumer, Stream("arn", "NEW_IMAGE", shards))


@pytest.mark.parametrize("response", [None, {}, {"batchItemFailures": None}, {"batchItemFailures": []}])
def test_nothing_null_and_empty_mean_success(response: Any) -> None:
    assert first_to_retry(make_records(3), response) == 3


@pytest.mark.parametrize(
    "failure", [{"itemIdentifier": ""}, {"itemIdentifier": None}, {"sequenceNumber": "2"}, {"itemIdentifier": "77"}]
)
def test_a_bad_identifier_fails_the_whole_batch(failure: Any) -> None:
    assert first_to_retry(make_records(3), {"batchItemFailures": [failure]}) == 0


def test_the_lowest_reported_sequence_number_is_the_checkpoint() -> None:
    response = {"batchItemFailures": [{"itemIdentifier": "4"}, {"itemIdentifier": "2"}]}
    assert first_to_retry(make_records(5), response) == 2


def test_everything_from_the_first_failure_on_is_retried_before_anything_new() -> None:
    lane = Lane(make_records(6))
    lane.take_batch(now=9, size=4, regroup=False)
    lane.succeed({"batchItemFailures": [{"itemIdentifier": "1"}]})
    assert [r.sequence_number for r in lane.take_batch(now=9, size=4, regroup=False)] == ["1", "2", "3"]


def test_a_failed_batch_comes_back_in_two_halves_in_order() -> None:
    lane = Lane(make_records(5))
    lane.take_batch(now=9, size=4, regroup=False)
    lane.fail(bisect=True)
    first = lane.take_batch(now=9, size=4, regroup=False)
    lane.succeed(None)
    second = lane.take_batch(now=9, size=4, regroup=False)
    assert [[r.sequence_number for r in half] for half in (first, second)] == [["0", "1"], ["2", "3"]]


def test_a_failed_batch_comes_back_whole_without_bisection() -> None:
    lane = Lane(make_records(5))
    failed = lane.take_batch(now=9, size=4, regroup=False)
    lane.fail(bisect=False)
    assert lane.take_batch(now=9, size=4, regroup=False) == failed


def test_a_regrouped_retry_starts_at_the_checkpoint_and_may_have_grown() -> None:
    lane = Lane(make_records(6))
    lane.take_batch(now=1, size=9, regroup=False)
    lane.fail(bisect=True)
    assert [r.sequence_number for r in lane.take_batch(now=3, size=9, regroup=True)] == ["0", "1", "2", "3"]


def test_records_cannot_be_read_before_their_change() -> None:
    lane = Lane(make_records(6))
    assert [r.sequence_number for r in lane.take_batch(now=2, size=9, regroup=False)] == ["0", "1", "2"]
    lane.succeed(None)
    assert not lane.has_batch(now=2)


def test_a_lane_has_one_batch_in_flight() -> None:
    lane = Lane(make_records(6))
    lane.take_batch(now=9, size=2, regroup=False)
    assert not lane.has_batch(now=9)


def test_lanes_divide_a_shard_by_item() -> None:
    mapping = make_mapping(Shard("s", None, make_records(30, keys="abcdef")), factor=3)
    keys = [{record.key for record in lane.records} for lane in mapping.lanes]
    assert sum(map(len, keys)) == 6
    assert set.union(*keys) == set("abcdef")


def test_child_shards_wait_for_their_parent() -> None:
    parent, child = Shard("p", None, make_records(2)), Shard("c", "p", make_records(2, first=2))
    mapping = make_mapping(parent, child)
    (lane,) = mapping.ready_lanes(now=9)
    assert lane.records == parent.records
    lane.take_batch(now=9, size=9, regroup=False)
    assert mapping.ready_lanes(now=9) == []
    lane.succeed(None)
    assert [lane.records for lane in mapping.ready_lanes(now=9)] == [child.records]


def test_a_restart_repeats_records_and_skips_none() -> None:
    records = make_records(40, keys="abc")
    for seed in range(50):
        mapping = make_mapping(Shard("s", None, records), factor=2)
        for lane in mapping.ready_lanes(now=20):
            lane.take_batch(now=20, size=seed % 9 + 1, regroup=False)
            lane.succeed(None)
        done = {record.sequence_number for lane in mapping.lanes for record in lane.records[: lane.checkpoint]}
        mapping.restart(random.Random(seed))
        to_come = {record.sequence_number for lane in mapping.lanes for record in lane.records}
        assert done | to_come == {record.sequence_number for record in records}
