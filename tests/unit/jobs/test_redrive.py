"""Redrives of failures: settled, or kept with a reason."""

import json
from typing import Any

import pytest
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError, OutOfTimeError
from fakes.opensearch import busy, refused
from fakes.sync import TABLE_ARN

from unit.jobs.redriving import INFO, STREAM_ARN, Stream, World, aws_record, letter


def test_letters_are_settled_with_what_the_table_holds_now_and_deleted(world: World) -> None:
    world.put("a", 7)
    world.send(letter("a"))
    world.send(letter("a"))
    world.send(letter("gone"))
    assert world.counts(world.redrive()) == {"failures": 3, "redriven": 3, "kept": 0}
    assert world.index.sources() == {"a": {"pk": "a", "n": 7}}
    assert world.waiting() == []


def test_what_is_still_refused_is_kept_with_its_new_reason(world: World) -> None:
    world.put("a")
    world.put("b")
    world.send(letter("a"))
    world.send(letter("b"))
    world.index.item_faults = lambda key: (
        refused("Limit of total fields [1000] has been exceeded") if key == "a" else None
    )
    steps = world.redrive()
    assert world.counts(steps) == {"failures": 2, "redriven": 1, "kept": 1}
    [left] = map(json.loads, world.waiting())
    assert left["keys"] == {"pk": {"S": "a"}}
    assert left["reason"]["message"] == "Limit of total fields [1000] has been exceeded"
    assert [finding["id"] for step in steps for finding in step.findings] == ["a"]
    world.index.item_faults = lambda _: None
    assert world.counts(world.redrive()) == {"failures": 1, "redriven": 1, "kept": 0}
    assert world.waiting() == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (letter(None), "keys couldn't be read"),
        (letter("a", table="others"), "another table, 'others'"),
        (letter("a", index="others"), "another index, 'others'"),
        (letter("a", keys={"sk": {"S": "x"}}), "its keys aren't this table's, pk"),
        (letter("a", keys=[1]), "its keys aren't this table's, pk"),
        ("not JSON", "isn't a JSON object"),
        ({"Event": "s3:TestEvent"}, "neither a dead letter nor AWS's failure record"),
        (
            aws_record(DDBStreamBatchInfo={**INFO, "streamArn": "arn:aws:dynamodb:…:table/others/stream/1"}),
            "another table",
        ),
        (aws_record(DDBStreamBatchInfo={}), "lacks what AWS documents"),
        (aws_record(payload=json.dumps({"Records": [{}]})), "lacks what AWS documents"),
    ],
)
def test_what_cannot_be_redriven_is_kept_as_it_is_and_said_why(world: World, body: Any, reason: str) -> None:
    world.send(body)
    steps = world.redrive()
    assert world.counts(steps) == {"failures": 1, "redriven": 0, "kept": 1}
    assert [reason in finding["reason"] for step in steps for finding in step.findings] == [True]
    [kept] = world.waiting()
    assert kept == (body if isinstance(body, str) else json.dumps(body))


def test_a_letter_names_its_table_by_name_or_by_arn(world: World) -> None:
    world.put("a")
    world.send(letter("a", table=TABLE_ARN))
    assert world.counts(world.redrive())["redriven"] == 1


def test_a_topics_envelope_is_opened(world: World) -> None:
    world.put("a")
    world.send({"Type": "Notification", "MessageId": "m", "Message": json.dumps(letter("a"))})
    assert world.counts(world.redrive())["redriven"] == 1
    assert set(world.index.sources()) == {"a"}


def test_an_aws_record_is_followed_into_the_stream_up_to_its_last_sequence_number(world: World, stream: Any) -> None:
    shard = stream(Stream(200, 250, 300, 400, 500))
    for key in ("k200", "k300", "k500"):
        world.put(key)
    world.send(aws_record())
    assert world.counts(world.redrive()) == {"failures": 1, "redriven": 1, "kept": 0}
    assert set(world.index.sources()) == {"k200", "k300"}
    assert shard.asked == [
        {
            "StreamArn": STREAM_ARN,
            "ShardId": "shardId-1",
            "ShardIteratorType": "AT_SEQUENCE_NUMBER",
            "SequenceNumber": "200",
        }
    ]
    assert world.waiting() == []


@pytest.mark.parametrize("code", ["TrimmedDataAccessException", "ResourceNotFoundException"])
def test_an_aws_record_whose_stream_records_are_gone_is_kept_until_it_is_dropped(
    world: World, stream: Any, code: str
) -> None:
    stream(Stream(gone=code))
    world.send(aws_record())
    [step, *_] = world.redrive()
    assert step.counts["kept"] == 1
    assert "recover --since 2026-01-01T10:00:00Z, then redrive --drop-expired" in step.findings[0]["reason"]
    assert len(world.waiting()) == 1
    assert world.counts(world.redrive(drop_expired=True)) == {"failures": 1, "redriven": 1, "kept": 0}
    assert world.waiting() == []


def test_an_aws_record_of_which_a_document_is_refused_leaves_a_letter_of_that_one(world: World, stream: Any) -> None:
    stream(Stream(200, 300, 400))
    world.put("k200")
    world.put("k300")
    world.index.item_faults = lambda key: refused() if key == "k300" else None
    world.send(aws_record())
    assert world.counts(world.redrive())["kept"] == 1
    [left] = map(json.loads, world.waiting())
    assert (left["kind"], left["keys"]) == ("document", {"pk": {"S": "k300"}})


def test_while_the_cluster_is_busy_nothing_is_deleted(world: World) -> None:
    world.put("a")
    world.send(letter("a"))
    world.index.faults = [busy()] * 100
    with pytest.raises(OutOfTimeError):
        world.redrive(deadline=lambda: Deadline.after(0.3))
    assert len(world.waiting()) == 1


def test_more_messages_than_one_answer_holds(world: World) -> None:
    for number in range(35):
        world.put(f"i-{number}")
        world.send(letter(f"i-{number}"))
    assert world.counts(world.redrive())["redriven"] == 35
    assert len(world.index.sources()) == 35


def test_a_bucket_gives_letters_and_whole_events(world: World) -> None:
    for key in ("a", "b", "c"):
        world.put(key)
    lines = "".join(json.dumps(letter(key)) + "\n" for key in ("a", "b"))
    world.s3.put_object(Bucket="failures", Key="dead-letters/2026/01/01/1.jsonl", Body=lines)
    event = {"Records": [{"dynamodb": {"Keys": {"pk": {"S": "c"}}}}]}
    record = json.dumps(aws_record(payload=json.dumps(event)))
    world.s3.put_object(Bucket="failures", Key="aws/lambda/uuid/shard/2026/01/01/x", Body=record)
    world.s3.put_object(Bucket="failures", Key="other/file", Body="kept")
    world.index.item_faults = lambda key: refused() if key in {"b", "c"} else None
    steps = world.redrive("arn:aws:s3:::failures")
    assert world.counts(steps) == {"failures": 3, "redriven": 1, "kept": 2}
    left = world.objects()
    assert left.pop("other/file") == "kept"
    assert sorted(json.loads(text)["id"] for text in left.values()) == ["b", "c"]
    assert all(key.startswith("dead-letters/") for key in left)
    world.index.item_faults = lambda _: None
    assert world.counts(world.redrive("arn:aws:s3:::failures"))["redriven"] == 2
    assert world.objects() == {"other/file": "kept"}


def test_an_object_of_which_nothing_can_be_redriven_stays_untouched(world: World) -> None:
    text = json.dumps(letter("a", table="others")) + "\n"
    world.s3.put_object(Bucket="failures", Key="dead-letters/x.jsonl", Body=text)
    before = world.s3.head_object(Bucket="failures", Key="dead-letters/x.jsonl")["LastModified"]
    assert world.counts(world.redrive("arn:aws:s3:::failures"))["kept"] == 1
    assert world.objects() == {"dead-letters/x.jsonl": text}
    assert world.s3.head_object(Bucket="failures", Key="dead-letters/x.jsonl")["LastModified"] == before


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("arn:aws:sns:us-east-1:123456789012:t", "is a topic and keeps nothing: give the ARN of a queue"),
        ("failures", "must be the ARN of an SQS queue or S3 bucket"),
        ("arn:aws:lambda:us-east-1:1:f", "must be the ARN of an SQS queue or S3 bucket"),
        ("arn:aws:s3:::nowhere", "NoSuchBucket"),
        ("arn:aws:sqs:us-east-1:123456789012:nowhere", "NonExistentQueue"),
    ],
)
def test_a_wrong_source_is_refused(world: World, source: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        world.redrive(source)
