"""Redrives of odd failures, by several runs at once, while AWS throttles."""

import json
import re
import time
from collections import Counter
from contextlib import closing
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError
from dynamodb_opensearch.jobs.redrive import Redrive
from dynamodb_opensearch.jobs.unit import Whole
from fakes.opensearch import refused

from unit.jobs.redriving import INFO, QUEUE_ARN, Stream, World, aws_record, letter


def client_error(code: str, operation: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, operation)


ODD: dict[str, tuple[bytes | str | dict[str, Any], str]] = {
    "a number where the key is a string": (letter("a", keys={"pk": {"N": "1"}}), r"this table's, pk \(S\)"),
    "two types": (letter("a", keys={"pk": {"S": "a", "N": "1"}}), "its keys aren't this table's"),
    "an empty key": (letter("a", keys={"pk": {"S": ""}}), "its keys aren't this table's"),
    "a key that is too long": (letter("a", keys={"pk": {"S": "x" * 2049}}), "its keys aren't this table's"),
    "half a character": (letter("a", keys={"pk": {"S": "\ud800"}}), "its keys aren't this table's"),
    "no key's value": (letter("a", keys={"pk": None}), "its keys aren't this table's"),
    "NaN": (
        '{"reason": {}, "table": "products", "index": "products", "keys": {"pk": {"S": NaN}}}',
        "aren't this table's",
    ),
    "no keys": (letter(None), "redrive --drop-keyless deletes it"),
    "a table that is a list": (letter("a", table=["products"]), "about another table"),
    "an index that is an object": (letter("a", index={}), "about another index"),
    "deep nesting": ("[" * 100_000, "isn't a JSON object"),
    "an S3 event": ({"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": "k"}}}]}, "neither a dead letter"),
    "an EventBridge event": ({"version": "0", "detail-type": "x", "detail": {}}, "neither a dead letter"),
    "no sequence number": (aws_record(DDBStreamBatchInfo={**INFO, "endSequenceNumber": "end"}), "lacks what AWS"),
    "a payload without records": (aws_record(payload="[]"), "isn't a JSON object"),
    "a payload of another table's keys": (
        aws_record(payload=json.dumps({"Records": [{"dynamodb": {"Keys": {"sk": {"S": "x"}}}}]})),
        "aren't this table's",
    ),
}
ODD_BYTES = [(b'{"reason": "\xff"}', "it isn't UTF-8"), (b"\x1f\x8b\x08\x00\xff\xff", "it is compressed")]


def as_text(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(body)


@pytest.mark.parametrize("odd", ODD)
def test_one_odd_message_never_stops_the_others(world: World, odd: str) -> None:
    body, reason = ODD[odd]
    for number in range(9):
        world.put(f"i-{number}")
        world.send(letter(f"i-{number}"))
        if number == 4:
            world.send(as_text(body))
    steps = world.redrive()
    assert world.counts(steps) == {"failures": 10, "redriven": 9, "kept": 1}
    assert len(world.index.sources()) == 9
    [finding] = [finding for step in steps for finding in step.findings]
    assert re.search(rf"^message .*: .*{reason}", finding["reason"])
    assert world.waiting() == [as_text(body)]


@pytest.mark.parametrize("is_letters", [True, False])
def test_odd_lines_and_objects_never_stop_the_others(world: World, is_letters: bool) -> None:
    odd = [(one if isinstance(one, bytes) else as_text(one).encode(), why) for one, why in [*ODD.values(), *ODD_BYTES]]
    good = [json.dumps(letter(f"i-{number}")).encode() for number in range(9)]
    for number in range(9):
        world.put(f"i-{number}")
    lines = [*good[:4], *(content for content, _ in odd), *good[4:]]
    objects = {"dead-letters/x.jsonl": b"\n".join(lines)}
    places = [f"s3://failures/dead-letters/x.jsonl, line {5 + number}" for number in range(len(odd))]
    if not is_letters:
        objects = {f"aws/lambda/{number:02}": line for number, line in enumerate(lines)}
        places = [f"s3://failures/aws/lambda/{4 + number:02}, line 1" for number in range(len(odd))]
    for key, content in objects.items():
        world.s3.put_object(Bucket="failures", Key=key, Body=content)
    steps = world.redrive("arn:aws:s3:::failures")
    assert world.counts(steps) == {"failures": 9 + len(odd), "redriven": 9, "kept": len(odd)}
    assert len(world.index.sources()) == 9
    told = [finding["reason"] for step in steps for finding in step.findings]
    assert len(told) == len(odd)
    assert all(
        re.search(rf"^{place}: .*{reason}", text) for text, place, (_, reason) in zip(told, places, odd, strict=True)
    )
    left = [world.s3.get_object(Bucket="failures", Key=key)["Body"].read() for key in world.listed()]
    assert b"\n".join(left).split(b"\n")[: len(odd)] == [content for content, _ in odd]


@pytest.mark.parametrize(
    ("content", "storage", "reason"),
    [(b"", "STANDARD", "it is empty"), (b"{}", "GLACIER", "GetObject answered InvalidObjectState")],
)
def test_an_object_that_cant_be_read_is_left_and_told(world: World, content: bytes, storage: Any, reason: str) -> None:
    world.put("a")
    world.s3.put_object(Bucket="failures", Key="aws/lambda/x", Body=content, StorageClass=storage)
    world.s3.put_object(Bucket="failures", Key="dead-letters/folder/", Body=b"")
    world.s3.put_object(Bucket="failures", Key="dead-letters/y", Body=json.dumps(letter("a")))
    steps = world.redrive("arn:aws:s3:::failures")
    assert world.counts(steps) == {"failures": 2, "redriven": 1, "kept": 1}
    assert [one["reason"] for step in steps for one in step.findings] == [f"s3://failures/aws/lambda/x: {reason}"]


@pytest.mark.parametrize("keys", [None, {"sk": {"S": "x"}}, {"pk": {"N": "1"}}])
def test_letters_that_tell_no_key_leave_when_asked_to(world: World, keys: Any) -> None:
    world.send(letter("a", keys=keys))
    world.send(letter("a", table="others"))
    assert world.counts(world.redrive(drop_keyless=True)) == {"failures": 2, "redriven": 1, "kept": 1}
    assert [json.loads(body)["table"] for body in world.waiting()] == ["others"]


def test_what_is_put_back_keeps_its_attributes_and_says_why(world: World) -> None:
    attributes: Any = {"trace": {"DataType": "String", "StringValue": "x"}}
    world.sqs.send_message(QueueUrl=world.url, MessageBody="odd", MessageAttributes=attributes)
    world.redrive()
    [message] = world.sqs.receive_message(QueueUrl=world.url, MessageAttributeNames=["All"])["Messages"]
    found = {name: one["StringValue"] for name, one in message["MessageAttributes"].items()}
    assert found.keys() == {"trace", "redriveRun", "redriveReason"}
    assert (found["trace"], found["redriveReason"]) == ("x", "it isn't a JSON object")


def test_a_message_without_room_for_a_reason_stays_where_it_is(world: World) -> None:
    world.put("a")
    odd = "x" * 1024 * 1024  # SQS counts attributes, too
    world.send(odd)
    world.send(letter("a"))
    assert world.counts(world.redrive()) == {"failures": 2, "redriven": 1, "kept": 1}
    assert world.waiting() == [odd]


@pytest.mark.parametrize("count", [2, 3])
def test_runs_at_the_same_time_come_to_an_end_and_lose_nothing(world: World, count: int) -> None:
    for number in range(25):
        world.put(f"i-{number}")
        world.send(letter(f"i-{number}"))
        world.send(f"odd {number}")
    world.index.item_faults = lambda _: refused()
    runs = [Redrive(QUEUE_ARN).run(world.sync(), Whole("messages"), None) for _ in range(count)]
    began, steps = time.monotonic(), 0
    while runs:
        for run in list(runs):
            steps += 1
            if next(run).position is None:
                runs.remove(run)
        assert time.monotonic() - began < 60
    assert sorted(as_text(body) for body in world.waiting() if body.startswith("odd")) == sorted(
        f"odd {number}" for number in range(25)
    )
    letters = [json.loads(body)["id"] for body in world.waiting() if not body.startswith("odd")]
    assert sorted(letters) == sorted(f"i-{number}" for number in range(25))


def test_what_an_earlier_run_put_back_is_taken_by_the_next(world: World) -> None:
    world.send("odd")
    assert world.counts(world.redrive())["kept"] == 1
    assert world.counts(world.redrive())["kept"] == 1


def test_a_run_that_goes_on_leaves_what_it_put_back(world: World) -> None:
    for number in range(15):
        world.send(f"odd {number}")
    job, sync = Redrive(QUEUE_ARN), world.sync()
    with closing(job.run(sync, Whole("messages"), None)) as run:  # type: ignore[type-var]
        first = next(run)
    assert first.counts["kept"] == 10
    rest = list(job.run(sync, Whole("messages"), json.loads(json.dumps(first.position))))
    assert world.counts(rest)["kept"] == 5
    assert len({json.dumps(step.position) for step in rest if step.counts["kept"]} | {json.dumps(first.position)}) == 2


def test_a_run_that_is_killed_between_putting_and_deleting_leaves_no_heap_of_letters(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put("a")
    world.index.item_faults = lambda _: refused()
    world.send(letter("a"))
    world.send("odd")
    with monkeypatch.context() as patch:
        patch.setattr("dynamodb_opensearch.failures.queue.Queue.delete", lambda *_: None)
        for _ in range(3):
            world.redrive()
            world.forget_receipts()
    assert len(world.waiting()) > 2
    time.sleep(1.1)  # only what is certainly older than what was put back is given up for it
    world.redrive()
    assert len(world.waiting()) == 2


def test_messages_that_others_may_have_by_now_are_neither_put_back_nor_deleted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put("a")
    world.send(letter("a"))
    world.send("odd")
    is_ours = iter([False])
    monkeypatch.setattr("dynamodb_opensearch.failures.queue.Batch.is_ours", property(lambda _: next(is_ours, True)))
    run = Redrive(QUEUE_ARN).run(world.sync(), Whole("messages"), None)
    assert next(run).counts["failures"] == 0
    world.forget_receipts()
    assert world.counts(list(run)) == {"failures": 2, "redriven": 1, "kept": 1}
    assert world.waiting() == ["odd"]


def test_what_is_left_shows_up_again_and_the_run_ends_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue of so many that those seen first are visible again before the last one was seen."""
    monkeypatch.setattr("dynamodb_opensearch.failures.queue.Queue.put_back", lambda *_: None)
    world.put("a")
    for number in range(30):
        world.send(f"odd {number}")
    world.send(letter("a"))
    found = []
    for step in Redrive(QUEUE_ARN).run(world.sync(), Whole("messages"), None):
        found.append(step)
        world.forget_receipts()
        assert len(found) < 200
    assert world.counts(found) == {"failures": 31, "redriven": 1, "kept": 30}


@pytest.mark.parametrize(
    "fault", [client_error("RequestThrottled"), client_error("SlowDown"), EndpointConnectionError(endpoint_url="x")]
)
@pytest.mark.parametrize("source", [QUEUE_ARN, "arn:aws:s3:::failures"])
def test_throttles_of_queue_and_bucket_are_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch, source: str, fault: Exception
) -> None:
    world.put("a")
    world.send(letter("a"))
    world.s3.put_object(Bucket="failures", Key="dead-letters/x", Body=json.dumps(letter("a")))
    send, calls = BaseClient._make_api_call, Counter[str]()

    def every_other(client: Any, operation: str, arguments: Any) -> Any:
        calls[operation] += 1
        if calls[operation] % 2:
            raise fault
        return send(client, operation, arguments)

    with monkeypatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", every_other)
        assert world.counts(world.redrive(source))["redriven"] == 1
    assert (world.waiting() == []) == (source == QUEUE_ARN)
    assert (world.objects() == {}) == (source != QUEUE_ARN)


def test_a_stream_that_is_throttled_or_whose_iterator_expires_is_read_on(world: World, stream: Any) -> None:
    faults = [client_error("LimitExceededException"), None, client_error("ExpiredIteratorException")]
    shard = stream(Stream(200, 250, 300, 400, 500, faults=faults))
    for key in ("k200", "k300", "k400"):
        world.put(key)
    world.send(aws_record())
    assert world.counts(world.redrive()) == {"failures": 1, "redriven": 1, "kept": 0}
    assert set(world.index.sources()) == {"k200", "k300", "k400"}
    assert [one["SequenceNumber"] for one in shard.asked] == ["200", "250"]


@pytest.mark.parametrize("code", ["ValidationException", None])
def test_a_place_in_the_stream_that_isnt_one_is_kept(world: World, stream: Any, code: str | None) -> None:
    stream(Stream(200, 300, gone=code))  # without a code: its last record never comes, for the shard is still open
    world.send(aws_record())
    steps = world.redrive()
    assert world.counts(steps)["kept"] == 1
    [finding] = [finding for step in steps for finding in step.findings]
    assert re.search("aren't DynamoDB's|its last record, 400, isn't in its shard", finding["reason"])
