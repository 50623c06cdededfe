import json
import re
from typing import Any

import pytest
from dynamodb_opensearch.core.answers import Answer
from dynamodb_opensearch.core.errors import ConfigurationError
from fakes.dynamodb import START, put, record, remove
from fakes.opensearch import Stored, busy, overloaded, refused

from unit.functions.syncing import Context, World, number_of


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_a_batch_that_is_done_answers_with_no_failure(world: World) -> None:
    assert world.handle(put("a", 1, 1), remove("b", 2), record("c", 3)) == []
    assert world.opensearch.sources() == {"a": {"pk": "a", "n": 1}}


def test_an_empty_batch_is_done(world: World) -> None:
    assert world.handle() == []


def test_the_first_record_of_the_first_unfinished_document_is_answered(world: World) -> None:
    records = [put("a", 1, 1), put("b", 2, 2), put("c", 3, 3), put("b", 4, 4), put("c", 5, 5)]
    world.opensearch.item_faults = lambda key: overloaded() if key in "bc" else None

    assert world.handle(*records) == [number_of(records[1])]


def test_a_cluster_that_stays_down_leaves_the_whole_batch(world: World) -> None:
    world.opensearch.faults = [busy()] * 1000

    first = put("a", 1, 1)
    assert world.handle(first, put("b", 2, 2)) == [number_of(first)]
    assert world.mailbox.letters == []


def test_a_refused_document_becomes_a_dead_letter_with_keys_and_reason(world: World) -> None:
    world.opensearch.item_faults = lambda key: refused() if key == "b" else None
    poison = put("b", 2, 2)

    assert world.handle(put("a", 1, 1), poison, put("c", 3, 3)) == []

    [letter] = world.mailbox.letters
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", letter.pop("at"))
    assert letter == {
        "kind": "document",
        "table": "products",
        "keys": {"pk": {"S": "b"}},
        "index": "products",
        "id": "b",
        "action": "index",
        "version": START * 10**9 + 2000,
        "sequenceNumber": number_of(poison),
        "reason": {"type": "mapper_parsing_exception", "message": "failed to parse field [n] of type [long]"},
    }


def test_an_undecodable_record_becomes_a_dead_letter_with_what_is_known(world: World) -> None:
    broken = put("b", 2, 2)
    del broken["dynamodb"]["ApproximateCreationDateTime"]

    assert world.handle(put("a", 1, 1), broken) == []

    [letter] = world.mailbox.letters
    assert (letter["kind"], letter["keys"], letter["sequenceNumber"]) == (
        "record",
        {"pk": {"S": "b"}},
        number_of(broken),
    )
    assert letter["id"] is letter["version"] is letter["action"] is None


def test_an_undelivered_dead_letter_counts_as_not_done_and_the_log_says_why(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.opensearch.item_faults = lambda key: refused() if key in "bc" else None
    world.mailbox.lost = {1}
    records = [put("a", 1, 1), put("b", 2, 2), put("c", 3, 3)]

    assert world.handle(*records) == [number_of(records[2])]
    assert '"delivery":"AccessDenied"' in capsys.readouterr().out


def test_letters_from_the_first_unfinished_record_on_wait_for_its_retry(world: World) -> None:
    """It comes again, and they with it: else each retry would deliver each of them once more."""
    faults = {"b": refused(), "c": overloaded(), "d": refused(), "e": refused()}
    world.opensearch.item_faults = faults.get
    odd = put("f", 8, 8) | {"eventName": "TRUNCATE"}
    records = [put("b", 1, 1), put("d", 2, 2), put("c", 3, 3), put("d", 4, 4), put("e", 5, 5), odd]

    assert world.handle(*records) == [number_of(records[2])]
    for _ in range(3):
        assert world.handle(*records[2:]) == [number_of(records[2])]
    assert [letter["id"] for letter in world.mailbox.letters] == ["b"]

    del faults["c"]
    assert world.handle(*records[2:]) == []
    assert [letter["keys"]["pk"]["S"] for letter in world.mailbox.letters] == ["b", "d", "e", "f"]


def test_an_undelivered_record_without_sequence_number_fails_the_whole_batch(world: World) -> None:
    world.mailbox.lost = {0}

    assert world.handle(put("a", 1, 1), {"eventName": "INSERT"}) == [None]


def test_without_a_destination_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, DEAD_LETTER_ARN="")
    world.opensearch.item_faults = lambda _: refused()
    poison = put("a", 1, 1)

    assert world.handle(poison) == [number_of(poison)]


def test_a_configuration_error_fails_the_batch_with_one_clear_line(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.opensearch.faults = [Answer(401, "Unauthorized")]

    with pytest.raises(ConfigurationError, match="OPENSEARCH_AUTH"):
        world.handle(put("a", 1, 1))

    log, metrics = map(json.loads, capsys.readouterr().out.splitlines())
    assert log["level"] == "ERROR"
    assert "OPENSEARCH_AUTH" in log["error"]
    assert log["request_id"] == "request-1"
    assert (metrics["Records"], metrics["Unfinished"], metrics["Writes"]) == ([1], [1], [0])
    assert world.mailbox.letters == []


@pytest.mark.parametrize("event", [{}, None, [], {"Records": "no"}, {"detail": {}}])
def test_an_event_of_another_kind_is_refused(world: World, event: Any, capsys: pytest.CaptureFixture[str]) -> None:
    world.handle(put("a", 1, 1))
    capsys.readouterr()

    with pytest.raises(ConfigurationError, match="DynamoDB stream"):
        world.sync.handle(event, Context())

    log, _metrics = map(json.loads, capsys.readouterr().out.splitlines())
    assert "DynamoDB stream only" in log["error"]
    assert "first_sequence_number" not in log


def of(table: str, *records: dict[str, Any]) -> list[dict[str, Any]]:
    arn = f"arn:aws:dynamodb:eu-west-1:123456789012:{table}/stream/2026-01-01T00:00:00.000"
    return [one | {"eventSourceARN": arn} for one in records]


def without(one: dict[str, Any], *names: str) -> dict[str, Any]:
    data = {name: value for name, value in one["dynamodb"].items() if name not in names}
    return {name: value for name, value in one.items() if name not in names} | {"dynamodb": data}


KINESIS = {
    "kinesis": {"partitionKey": "x", "sequenceNumber": "4964", "data": "e30="},
    "eventSource": "aws:kinesis",
    "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/products",
}
SQS = {"messageId": "m", "body": "{}", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:1:products"}
SNS = {"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": {"Message": "{}"}}
S3 = {"eventSource": "aws:s3", "s3": {"bucket": {"name": "products"}}}
ANOTHERS: dict[str, list[Any]] = {
    "another table": of("table/users", put("a", 3, 3)),
    "another table, whose name begins alike": of("table/products-2", put("a", 3, 3)),
    "an index of the table": of("table/products/index/x", put("a", 3, 3)),
    "another table among ours": [put("b", 1, 1), *of("table/users", remove("a", 3)), put("c", 4, 4)],
    "no ARN": [put("a", 3, 3) | {"eventSourceARN": "eventsourcearn"}],
    "a Kinesis stream": [KINESIS],
    "a Kinesis stream among ours": [put("b", 1, 1), KINESIS],
    "a queue": [SQS],
    "a topic": [SNS],
    "a bucket": [S3],
    "anything": [{"id": "a"}, {"id": "b"}],
    "texts": ["a", None],
    "the console's test": [without(put("a", 3, 3), "ApproximateCreationDateTime")],
    "the console's tests": [without(one, "ApproximateCreationDateTime") for one in (put("a", 3, 3), remove("b", 4))],
    "a table with another key": [
        put("x", 1, 1) | {"dynamodb": put("x", 1, 1)["dynamodb"] | {"Keys": {"id": {"S": "a"}}}}
    ],
}


@pytest.mark.parametrize("kind", ANOTHERS)
def test_what_is_not_this_tables_stream_is_refused_whole_and_changes_nothing(world: World, kind: str) -> None:
    world.handle(put("a", 1, 1))

    with pytest.raises(ConfigurationError):
        world.handle(*ANOTHERS[kind])

    assert world.opensearch.sources() == {"a": {"pk": "a", "n": 1}}
    assert len(world.opensearch.requests) == 1
    assert world.mailbox.letters == []
    assert world.dynamodb.reads == []


def test_another_tables_records_are_told_with_both_names(world: World) -> None:
    with pytest.raises(ConfigurationError, match=r"TABLE_NAME is 'products', .*table/users/stream"):
        world.handle(*of("table/users", put("a", 3, 3)))


@pytest.mark.parametrize("account", ["123456789012", "999999999999"])
def test_a_table_named_by_its_arn_is_also_its_accounts(monkeypatch: pytest.MonkeyPatch, account: str) -> None:
    world = World(monkeypatch, TABLE_NAME=f"arn:aws:dynamodb:eu-west-1:{account}:table/products")
    if account == "123456789012":
        assert world.handle(put("a", 1, 1)) == []
    else:
        with pytest.raises(ConfigurationError, match="another table's"):
            world.handle(put("a", 1, 1))


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws-cn:dynamodb:cn-north-1:1:table/products/stream/2026-01-01T00:00:00.000",
        "arn:aws:dynamodb:us-east-2:2:table/products/stream/x",  # a replica of a global table
        "arn:aws:dynamodb:ddblocal:000000000000:table/products/stream/x",
        "",
    ],
)
def test_the_tables_own_records_are_taken_wherever_they_come_from(world: World, arn: str) -> None:
    assert world.handle(put("a", 1, 1) | {"eventSourceARN": arn}) == []


def test_records_that_do_not_say_whose_they_are_are_taken(world: World) -> None:
    assert world.handle(without(put("a", 1, 1), "eventSource", "eventSourceARN")) == []
    assert world.opensearch.sources() == {"a": {"pk": "a", "n": 1}}


def test_keys_that_lack_one_of_the_tables_are_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, TABLE_KEYS="pk,sk")
    with pytest.raises(ConfigurationError, match="TABLE_KEYS is 'pk,sk', but the stream's records have the keys 'pk'"):
        world.handle(put("a", 1, 1), remove("b", 2))
    assert world.mailbox.letters == []


def test_metrics_count_what_was_done(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.opensearch.item_faults = lambda key: refused() if key == "poison" else None
    world.dynamodb.items["c"] = {"pk": {"S": "c"}}

    world.handle(put("a", 1, 1), put("a", 2, 2), remove("b", 3), record("c", 4), put("poison", 5, 5))

    *_, line, of_index = capsys.readouterr().out.splitlines()
    metrics = json.loads(line)
    assert metrics["Sync"].startswith("sync-")
    counts = {name: value[0] for name, value in metrics.items() if isinstance(value, list) and len(value) == 1}
    expected = {
        "Records": 5,
        "Coalesced": 1,
        "Writes": 2,
        "Deletes": 1,
        "Settled": 1,
        "DeadLetters": 1,
        "Retries": 0,
        "Superseded": 0,
        "Unfinished": 0,
        "BulkRequests": 1,
    }
    assert {name: counts[name] for name in expected} == expected
    assert counts["Lag"] > 0
    assert (json.loads(of_index)["Index"], json.loads(of_index)["DeadLetters"]) == ("products", [1])


def test_versions_from_the_future_are_told_once(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for key in "ab":
        world.opensearch.documents[key] = Stored(4 * 10**18, "{}")
        world.dynamodb.items[key] = {"pk": {"S": key}}

    assert world.handle(put("a", 1, 1), put("b", 2, 2), put("c", 3, 3)) == []

    [warning] = [line for line in capsys.readouterr().out.splitlines() if "from the future" in line]
    assert json.loads(warning)["documents"] == 2
    assert json.loads(warning)["level"] == "WARNING"


def test_no_log_line_and_no_dead_letter_holds_content(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "s3cr3t"
    quoting = f"failed to parse field [n] of type [long] in document with id '1'. Preview of field's value: '{secret}'"
    world.opensearch.item_faults = lambda key: refused(quoting) if key == "a" else None

    world.handle(record("a", 1, {"n": {"S": secret}}), record("b", 2, {"n": {"X": secret}}))

    assert len(world.mailbox.letters) == 2
    assert secret not in json.dumps(world.mailbox.letters)
    assert secret not in capsys.readouterr().out
