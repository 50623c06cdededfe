from collections.abc import Iterable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from dynamodb_opensearch.core.answers import Answer
from dynamodb_opensearch.core.changes import Change, Settle, Write, coalesce
from dynamodb_opensearch.core.converge import LEAST_REFUSALS, MAXIMUM_CONFLICTS, MAXIMUM_CONTENTIONS, Result, converge
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.core.versions import own_version
from dynamodb_opensearch.dynamodb.table import Table
from dynamodb_opensearch.opensearch.bulk import Index, Limits
from dynamodb_opensearch.sources.dynamodb_stream import decode
from fakes.dynamodb import START, FakeDynamoDB, put, record, remove
from fakes.opensearch import FakeOpenSearch, Stored, busy, overloaded, refused, unreachable

SCHEMA = KeySchema(("pk",))
SECOND = 10**9


class Clock:
    """Lambda's remaining time, that only sleeping uses up."""

    def __init__(self, seconds: float) -> None:
        self.left_ms = seconds * 1000
        self.pauses: list[float] = []

    def remaining_ms(self) -> int:
        return int(self.left_ms)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.left_ms -= seconds * 1000


class World:
    """A fake index, a fake table and a clock, with ``converge`` between them."""

    def __init__(self, *, seconds: float = 60, chunk_bytes: int = 10**6, actions: int = 250) -> None:
        self.opensearch = FakeOpenSearch()
        self.dynamodb = FakeDynamoDB()
        self.clock = Clock(seconds)
        self.tally = Tally()
        self._limits = Limits(chunk_bytes, actions)

    def stored(self, key: str, value: int | None, version: int) -> None:
        source = None if value is None else f'{{"pk":"{key}","n":{value}}}'
        self.opensearch.documents[key] = Stored(version, source)

    def item(self, key: str, value: int) -> None:
        self.dynamodb.items[key] = {"pk": {"S": key}, "n": {"N": str(value)}}

    def converge(self, changes: Iterable[Change]) -> Result:
        return converge(
            changes,
            index=Index(self.opensearch, "products", self._limits, 2, 10),
            table=Table(lambda: self.dynamodb, "products", SCHEMA, 60),
            deadline=Deadline(self.clock.remaining_ms, self.clock.sleep),
            conflict_window=60,
            tally=self.tally,
        )

    def apply(self, *records: dict[str, Any]) -> Result:
        return self.converge(coalesce(decode(records, SCHEMA)).changes.values())

    def values(self) -> dict[str, int]:
        return {key: int(source["n"]) for key, source in self.opensearch.sources().items()}


def own(number: int, second: int = START) -> int:
    return own_version(second, str(number * 10**20))


def throttled() -> ClientError:
    error = {"Error": {"Code": "ProvisionedThroughputExceededException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(error, "BatchGetItem")


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

    world.converge([Settle("a", {"pk": {"S": "a"}})])

    assert world.values() == {"a": 2}


def test_a_settle_that_is_always_outrun_is_left_to_a_retry() -> None:
    world = World()
    world.dynamodb.before_answer = lambda: world.stored("a", 1, world.opensearch.documents["a"].version + 5)
    world.stored("a", 1, own(1))

    result = world.apply(record("a", 1))

    assert list(result.unfinished) == ["a"]
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

    assert list(result.unfinished) == ["a"]
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
    assert "delete it by hand" in result.refused["a"].reason.message
    assert world.values() == {"a": 99, "b": 2}
    assert world.clock.pauses == []


def test_a_settle_that_knows_of_the_highest_version_is_set_aside_at_once() -> None:
    world = World()

    result = world.converge([Settle("a", {"pk": {"S": "a"}}, stored=2**63 - 1), Settle("b", {"pk": {"S": "b"}})])

    assert (set(result.refused), result.unfinished, result.last_reason) == ({"a"}, {}, None)
    assert world.clock.pauses == []


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

    assert set(result.refused) == {"a"}
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

    assert list(result.unfinished) == ["a"]
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
    assert set(result.refused) == {"a"}
    assert result.unfinished == {}
    assert world.opensearch.requests == [["a", "b"], *[["a"]] * (MAXIMUM_CONTENTIONS - 1)]
    assert world.values() == {"b": 2}


def test_an_undecodable_image_is_set_aside_and_its_neighbours_are_written() -> None:
    world = World()

    result = world.apply(put("a", 1, 1), record("b", 2, {"n": {"X": "secret"}}), put("c", 3, 3))

    assert world.values() == {"a": 1, "c": 3}
    assert result.refused["b"].reason.type == "undecodable"
    assert "secret" not in str(result.refused["b"].reason)


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
    assert result.refused["b"].reason.type == "request_too_large"


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

    assert set(result.refused) == {"odd1", "odd2"}
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

    world.converge([Settle("a", {"pk": {"S": "a"}})])

    assert world.opensearch.documents["a"].version == (START + 10_000 - 60) * SECOND + 1


def test_a_write_keeps_its_version_and_keys() -> None:
    write = Write("a", {"pk": {"S": "a"}}, 5, 5, "1", {"n": {"N": "1"}})
    world = World()

    world.converge([write])

    assert world.opensearch.documents["a"].version == 5
