"""Indices that are being filled, and transforms that fail: what counts as missed, as a dead letter, as an error."""

from collections.abc import Callable
from typing import Any

import pytest
from dynamodb_opensearch.core.answers import Answer
from dynamodb_opensearch.core.changes import Address
from dynamodb_opensearch.core.converge import LEAST_REFUSALS
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.projections import Projection
from dynamodb_opensearch.core.transforms import Transform
from fakes.dynamodb import put, record, remove
from fakes.opensearch import busy, forbidden, missing, refused, unreachable

from unit.core.converging import A, B, C, World, own, stored, world_of

# -- standby

NOTHING_WORKS: list[tuple[str, Callable[[World], None]]] = [
    ("missing", lambda world: world.opensearch.faults_of.update({B: [missing(B)] * 9})),
    ("forbidden", lambda world: world.opensearch.faults_of.update({B: [forbidden()] * 9})),
    ("wrong credentials", lambda world: world.opensearch.faults_of.update({B: [Answer(401, "")] * 9})),
    ("refused", lambda world: world.opensearch.item_faults_of.update({B: lambda _: refused()})),
    ("refused alike", lambda world: world.opensearch.item_faults_of.update({B: lambda _: refused("?")})),
    (
        "refused whole",
        lambda world: world.opensearch.faults_of.update({B: [Answer(400, {"error": {"type": "x"}})] * 99}),
    ),
]


@pytest.mark.parametrize("trouble", [trouble for _, trouble in NOTHING_WORKS], ids=[name for name, _ in NOTHING_WORKS])
def test_what_a_standby_cannot_take_is_missed_and_is_neither_a_dead_letter_nor_an_error(
    trouble: Callable[[World], None],
) -> None:
    world = world_of(B)
    trouble(world)
    world.item("c12", 12)

    result = world.apply(*(put(f"a{n}", n, n) for n in range(LEAST_REFUSALS + 1)), remove("b11", 11), record("c12", 12))

    assert (result.refused, result.unfinished) == ({}, {})
    assert world.tally.missed in {LEAST_REFUSALS + 2, LEAST_REFUSALS + 3}, "a delete in a refusing index may work"
    assert len(world.values(A)) == len(world.values(C)) == LEAST_REFUSALS + 2
    assert world.clock.pauses == [], "it holds up no other"


@pytest.mark.parametrize("fault", [busy(), unreachable(), Answer(503, "")], ids=["busy", "unreachable", "down"])
def test_a_standby_that_is_down_is_tried_as_long_as_there_is_time_and_then_missed(fault: Any) -> None:
    world = world_of(B, seconds=20)
    world.opensearch.faults_of[B] = [fault] * 1000

    result = world.apply(put("a", 1, 1))

    assert (result.refused, result.unfinished) == ({}, {})
    assert world.tally.missed == 1
    assert len(world.clock.pauses) > 3
    assert world.values(A) == {"a": 1}


def test_a_standby_that_is_back_in_time_misses_nothing() -> None:
    world = world_of(B)
    world.opensearch.faults_of[B] = [busy(), unreachable()]

    world.apply(put("a", 1, 1))

    assert world.tally.missed == 0
    assert stored(world) == {A: {"a": 1}, B: {"a": 1}, C: {"a": 1}}


def test_all_others_wait_for_each_live_index() -> None:
    world = world_of(B, seconds=10)
    world.opensearch.faults_of = {A: [busy()] * 1000, B: [missing(B)] * 9}

    result = world.apply(put("a", 1, 1))

    assert set(result.unfinished) == {(A, "a")}
    assert world.tally.missed == 1


def test_the_error_of_a_live_index_is_raised_beside_what_a_standby_misses() -> None:
    world = world_of(B)
    world.opensearch.faults_of = {A: [missing(A)], B: [missing(B)]}

    with pytest.raises(ConfigurationError, match=rf"^the index {A}: "):
        world.apply(put("a", 1, 1))

    assert world.tally.missed == 1
    assert world.values(C) == {"a": 1}


def test_a_standby_that_takes_everything_is_written_like_any_other() -> None:
    world = world_of(B)
    world.stored("a", 1, own(1) + 5, B)
    world.item("a", 3)

    world.apply(put("a", 1, 2))

    assert stored(world) == {A: {"a": 2}, B: {"a": 3}, C: {"a": 2}}
    assert world.tally.missed == 0


# -- transforms


def transforming(function: Callable[[dict[str, Any]], Any], **options: Any) -> World:
    projection = Projection(A, transform=Transform("search:document", function))
    standby = Projection(A, transform=projection.transform, standby=True)
    return World([standby if options.pop("standby", False) else projection, Projection(B)], **options)


def fails_above(limit: int) -> Callable[[dict[str, Any]], Any]:
    def document(item: dict[str, Any]) -> dict[str, Any]:
        if item["n"] > limit:
            raise ValueError(f"secret {item}")
        return {"n": item["n"]}

    return document


def reasons(refused: dict[Address, Any] | Any) -> dict[Address, str]:
    return {address: str(refusal.reason) for address, refusal in refused.items()}


def test_an_item_that_a_transform_fails_for_is_refused_with_the_exceptions_type_only() -> None:
    world = transforming(fails_above(5))

    result = world.apply(put("a", 1, 1), put("b", 2, 9), put("c", 3, 3))

    assert reasons(result.refused) == {(A, "b"): "transform_error: ValueError"}
    assert stored(world) == {A: {"a": 1, "c": 3}, B: {"a": 1, "b": 9, "c": 3}}


def test_an_item_that_is_read_for_a_settle_is_transformed_alike() -> None:
    world = transforming(fails_above(5))
    world.item("a", 1)
    world.item("b", 9)

    result = world.apply(record("a", 1), record("b", 2))

    assert reasons(result.refused) == {(A, "b"): "transform_error: ValueError"}
    assert stored(world) == {A: {"a": 1}, B: {"a": 1, "b": 9}}


@pytest.mark.parametrize(("number", "least"), [(2, 2), (1, 1), (LEAST_REFUSALS, LEAST_REFUSALS)])
def test_a_transform_that_fails_for_all_items_is_at_fault(number: int, least: int) -> None:
    world = transforming(fails_above(0), least_faults=least)

    with pytest.raises(
        ConfigurationError, match=f"the transform of the index {A} failed for all {number} items"
    ) as error:
        world.apply(*(put(f"k{n}", n, n) for n in range(1, number + 1)), remove("gone", 99))

    assert "ValueError" in str(error.value)
    assert "secret" not in str(error.value)
    assert len(world.values(B)) == number, "the other index is done"


@pytest.mark.parametrize(("number", "least"), [(1, 2), (LEAST_REFUSALS - 1, LEAST_REFUSALS)])
def test_fewer_failures_may_be_the_items(number: int, least: int) -> None:
    world = transforming(fails_above(0), least_faults=least)

    assert len(world.apply(*(put(f"k{n}", n, n) for n in range(1, number + 1))).refused) == number


def test_a_transform_that_made_one_document_is_not_at_fault_even_if_opensearch_refuses_it() -> None:
    world = transforming(fails_above(1), least_faults=2)
    world.opensearch.item_faults_of[A] = lambda _: refused()

    result = world.apply(*(put(f"k{n}", n, n) for n in range(1, 6)))

    assert len(result.refused) == 5
    assert [reason.partition(":")[0] for reason in reasons(result.refused).values()].count("transform_error") == 4


def test_a_transform_that_left_out_the_other_items_is_not_at_fault() -> None:
    def document(item: dict[str, Any]) -> dict[str, Any] | None:
        if item["n"] > 8:
            raise ValueError(item)
        return None

    world = transforming(document, least_faults=2)

    result = world.apply(*(put(f"k{n}", n, n) for n in range(1, 11)))

    assert set(result.refused) == {(A, "k9"), (A, "k10")}


def test_a_standbys_transform_that_fails_for_all_items_misses_them() -> None:
    world = transforming(fails_above(0), least_faults=2, standby=True)

    result = world.apply(put("a", 1, 1), put("b", 2, 2))

    assert (result.refused, result.unfinished) == ({}, {})
    assert world.tally.missed == 2
    assert world.values(B) == {"a": 1, "b": 2}


def test_what_a_standby_missed_is_counted_with_its_reason() -> None:
    world = world_of(B)
    world.opensearch.faults_of[B] = [missing(B)]

    world.apply(put("a", 1, 1), put("b", 2, 2))

    [(index, (documents, reason))] = world.tally.missed_by.items()
    assert (index, documents) == (B, 2)
    assert "index_not_found_exception" in reason


def test_a_standbys_transform_that_cannot_be_imported_holds_up_nothing() -> None:
    world = world_of(B, specs={A: {}, B: {"transform": "there.is.no:such"}})

    result = world.apply(put("a", 1, 1))

    assert (result.refused, result.unfinished) == ({}, {})
    assert stored(world) == {A: {"a": 1}, B: {}}
    assert world.tally.missed_by == {B: (1, "transform_error: its code can't be imported")}


def test_all_indices_that_are_blocked_are_named() -> None:
    world = world_of()
    world.opensearch.faults_of = {A: [missing(A)], C: [forbidden()]}

    with pytest.raises(ConfigurationError, match=rf"the index {A}: .*; the index {C}: "):
        world.apply(put("a", 1, 1))

    assert world.values(B) == {"a": 1}
