import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ReadTimeoutError, ResponseStreamingError
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError, OutOfTimeError
from dynamodb_opensearch.core.versions import scan_version
from dynamodb_opensearch.dynamodb.s3_file import S3File
from dynamodb_opensearch.jobs import load
from dynamodb_opensearch.jobs.job import Step
from dynamodb_opensearch.jobs.load import Load
from fakes.dynamodb import FakeDynamoDB
from fakes.opensearch import FakeOpenSearch, Stored, refused
from fakes.sync import TABLE_ARN, make_sync
from moto import mock_aws

FOLDER = "exports/AWSDynamoDB/01690000000000-a1b2c3d4"
URL = f"s3://exports/{FOLDER}"
EXPORTED_AT = "2023-11-14T22:13:20.028Z"  # epoch second 1,700,000,000
Lines = list[dict[str, Any]]


@dataclass
class World:
    """A table, an index and a bucket with exports as AWS writes them."""

    table: FakeDynamoDB = field(default_factory=FakeDynamoDB)
    index: FakeOpenSearch = field(default_factory=FakeOpenSearch)

    def __post_init__(self) -> None:
        self.s3 = boto3.client("s3", region_name="us-east-1")
        self.s3.create_bucket(Bucket="exports")

    def export(self, *files: Lines, counts: list[int] | None = None, **summary: Any) -> None:
        """See https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html."""
        manifest = ""
        for number, lines in enumerate(files):
            key = f"{FOLDER}/data/file{number}.json.gz"
            text = "".join(json.dumps(line) + "\n" for line in lines)
            self.put(key, gzip.compress(text.encode()))
            count = counts[number] if counts else len(lines)
            manifest += json.dumps({"itemCount": count, "md5Checksum": "", "etag": "", "dataFileS3Key": key}) + "\n"
        self.put(f"{FOLDER}/manifest-files.json", manifest.encode())
        self.put(
            f"{FOLDER}/manifest-summary.json",
            json.dumps(
                {
                    "version": "2020-06-30",
                    "tableArn": TABLE_ARN,
                    "exportTime": EXPORTED_AT,
                    "s3Bucket": "exports",
                    "manifestFilesS3Key": f"{FOLDER}/manifest-files.json",
                    "itemCount": 1,
                    "outputFormat": "DYNAMODB_JSON",
                    **summary,
                }
            ).encode(),
        )

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket="exports", Key=key, Body=body)

    def load(self, url: str = URL, *, recheck: bool = True) -> list[Step]:
        sync = make_sync(self.table, self.index)
        job = Load((url,), recheck)
        return [step for unit in job.plan(sync) for step in job.run(sync, unit, None)]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield World()


def item(key: str, number: int = 1) -> dict[str, Any]:
    return {"pk": {"S": key}, "n": {"N": str(number)}}


def full(*keys: str) -> Lines:
    return [{"Item": item(key)} for key in keys]


def total(steps: list[Step]) -> dict[str, int]:
    found: dict[str, int] = {}
    for step in steps:
        for name, count in step.counts.items():
            found[name] = found.get(name, 0) + count
    return {name: count for name, count in found.items() if count}


def test_all_files_of_a_full_export_are_written_under_its_moments_version(world: World) -> None:
    world.table.items = {key: item(key) for key in "abc"}
    world.export(full("a", "b"), full("c"), [])
    assert total(world.load()) == {"items": 3, "written": 3}
    assert world.index.sources() == {key: {"pk": key, "n": 1} for key in "abc"}
    assert {one.version for one in world.index.documents.values()} == {scan_version(1_700_000_000, 60)}


def test_an_item_that_was_deleted_since_does_not_come_back(world: World) -> None:
    world.table.items = {"a": item("a")}
    world.export(full("a", "gone"))
    assert total(world.load()) == {"items": 2, "written": 1, "gone": 1}
    assert set(world.index.sources()) == {"a"}


def test_without_the_recheck_the_table_is_not_read_and_an_incremental_export_does_its_work(world: World) -> None:
    world.table.items = {"a": item("a")}
    world.export(full("a", "gone"))
    assert total(world.load(recheck=False)) == {"items": 2, "written": 2}
    assert world.table.reads == []
    deleted = {"Metadata": {"WriteTimestampMicros": {"N": "1"}}, "Keys": {"pk": {"S": "gone"}}}
    world.export([deleted], exportType="INCREMENTAL_EXPORT")
    assert total(world.load(recheck=False)) == {"items": 1, "settled": 1}
    assert set(world.index.sources()) == {"a"}


def test_what_changed_since_keeps_its_newer_document(world: World) -> None:
    world.table.items = {"a": item("a", 2)}
    world.index.documents["a"] = Stored(1_700_000_001_000_000_000, '{"pk":"a","n":2}')
    world.export(full("a"))
    assert total(world.load()) == {"items": 1, "superseded": 1}
    assert world.index.sources() == {"a": {"pk": "a", "n": 2}}


def test_an_incremental_export_settles_its_keys_with_what_the_table_holds_now(world: World) -> None:
    world.table.items = {"a": item("a", 9), "back": item("back", 3)}
    world.index.documents["b"] = Stored(1_600_000_000_000_000_000, '{"pk":"b","n":1}')
    lines = [
        {"Metadata": {"WriteTimestampMicros": {"N": "1"}}, "Keys": {"pk": {"S": "a"}}, "NewImage": item("a", 5)},
        {"Metadata": {"WriteTimestampMicros": {"N": "2"}}, "Keys": {"pk": {"S": "b"}}},
        {"Metadata": {"WriteTimestampMicros": {"N": "3"}}, "Keys": {"pk": {"S": "back"}}},
    ]
    world.export(lines, exportType="INCREMENTAL_EXPORT", exportFromTime=EXPORTED_AT, exportToTime=EXPORTED_AT)
    assert total(world.load()) == {"items": 3, "settled": 3}
    assert world.index.sources() == {"a": {"pk": "a", "n": 9}, "back": {"pk": "back", "n": 3}}


def test_a_refused_item_is_named(world: World) -> None:
    world.table.items = {"a": item("a"), "b": item("b")}
    world.index.item_faults = lambda key: refused() if key == "b" else None
    world.export(full("a", "b"))
    steps = world.load()
    assert total(steps) == {"items": 2, "written": 1, "refused": 1}
    assert [finding["id"] for step in steps for finding in step.findings] == ["b"]


def test_a_load_goes_on_after_the_lines_that_are_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "_LINES", 2)
    world.table.items = {key: item(key) for key in "abcde"}
    world.export(full(*"abcde"))
    assert [step.position for step in world.load()] == [2, 4, None]
    world.index.documents.clear()
    sync = make_sync(world.table, world.index)
    [unit] = Load((URL,)).plan(sync)
    assert [step.position for step in Load((URL,)).run(sync, unit, 4)] == [None]
    assert set(world.index.sources()) == {"e"}


def test_the_list_of_files_is_read_once_and_no_file_needs_it_again(world: World) -> None:
    world.table.items = {key: item(key) for key in "abc"}
    world.export(full("a", "b"), full("c"))
    sync = make_sync(world.table, world.index)
    units = Load((URL,)).plan(sync)
    world.s3.delete_object(Bucket="exports", Key=f"{FOLDER}/manifest-files.json")
    steps = [step for unit in units for step in Load((URL,)).run(sync, unit, None)]
    assert total(steps) == {"items": 3, "written": 3}


@pytest.mark.parametrize("counts", [[3], [1]])
def test_a_file_of_another_length_than_the_manifest_says_is_damaged(world: World, counts: list[int]) -> None:
    world.table.items = {key: item(key) for key in "ab"}
    world.export(full("a", "b"), counts=counts)
    with pytest.raises(ConfigurationError, match=rf"file0.json.gz has 2 lines, and should have {counts[0]}"):
        world.load()


def test_a_file_that_was_cut_off_is_told(world: World) -> None:
    world.export(full("a", "b"))
    key = f"{FOLDER}/data/file0.json.gz"
    body = world.s3.get_object(Bucket="exports", Key=key)["Body"].read()
    world.put(key, body[:-12])
    with pytest.raises(ConfigurationError, match=r"file0.json.gz can't be read after line 1 \("):
        world.load()


def damaged(content: bytes) -> bytes:
    body = bytearray(gzip.compress(content))
    body[len(body) // 2] ^= 0xFF
    return bytes(body)


GOOD = json.dumps({"Item": item("a")}).encode() + b"\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(GOOD + b"{broken\n"), "file0.json.gz line 2 isn't a JSON object: it is damaged"),
        (gzip.compress(GOOD + b"[" * 100_000 + b"\n"), "file0.json.gz line 2 isn't a JSON object"),
        (gzip.compress(GOOD + b"17\n"), "file0.json.gz line 2 isn't a JSON object"),
        (gzip.compress(GOOD + b'{"Keys": {}}\n'), "file0.json.gz line 2 has no Item: it is damaged"),
        (gzip.compress(GOOD + b'{"Item": null}\n'), "file0.json.gz line 2 has no Item: it is damaged"),
        (gzip.compress(GOOD + b'{"Item": {"pk": {"S": 7}}}\n'), "file0.json.gz, lines 1 to 2: a key attribute must be"),
        (gzip.compress(b"\xff\xfe\n"), r"file0.json.gz can't be read after line 0 \("),
        (damaged(GOOD * 1000), r"file0.json.gz can't be read after line \d+ \("),
        (GOOD, r"file0.json.gz can't be read after line 0 \(Not a gzipped file"),
    ],
)
def test_a_damaged_file_is_one_line_that_says_where(world: World, content: bytes, message: str) -> None:
    world.export(full("a", "b"))
    world.put(f"{FOLDER}/data/file0.json.gz", content)
    with pytest.raises(ConfigurationError, match=message) as told:
        world.load()
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("manifest-summary.json", b"<html>", "manifest-summary.json isn't a JSON object: it is damaged"),
        ("manifest-summary.json", b"{}", "manifest-summary.json has no tableArn: it is damaged"),
        ("manifest-summary.json", b"\xff", "manifest-summary.json isn't UTF-8: it is damaged"),
        ("manifest-files.json", b"{}\n", "manifest-files.json line 1 names no data file: it is damaged"),
        ("manifest-files.json", b"{\n", "manifest-files.json line 1 isn't a JSON object: it is damaged"),
    ],
)
def test_a_damaged_manifest_is_one_line(world: World, name: str, content: bytes, message: str) -> None:
    world.export(full("a"))
    world.put(f"{FOLDER}/{name}", content)
    with pytest.raises(ConfigurationError, match=message):
        world.load()


class Torn:
    """A body that breaks off after so many bytes."""

    def __init__(self, body: Any, after: int, fault: Exception | None) -> None:
        self._body, self._left, self._fault = body, after, fault

    def read(self, size: int) -> bytes:
        if self._left <= 0:
            if self._fault:
                raise self._fault
            return b""
        chunk: bytes = self._body.read(min(size, self._left))
        self._left -= len(chunk)
        return chunk


@pytest.fixture
def torn(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Every body of S3's breaks off after so many bytes; the ranges that are asked for."""

    def tear(after: int, fault: Exception | None) -> list[str | None]:
        send, asked = BaseClient._make_api_call, list[str | None]()

        def call(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
            answer = send(client, operation, arguments)
            if operation == "GetObject" and "manifest" not in arguments["Key"]:
                asked.append(arguments.get("Range"))
                answer["Body"] = Torn(answer["Body"], after, fault)
            return answer

        monkeypatch.setattr(BaseClient, "_make_api_call", call)
        return asked

    return tear


@pytest.mark.parametrize("fault", [ResponseStreamingError(error="reset"), ReadTimeoutError(endpoint_url="x"), None])
def test_a_file_is_read_on_where_the_connection_broke(world: World, torn: Any, fault: Exception | None) -> None:
    keys = [f"i-{number}" for number in range(50)]
    world.table.items = {key: item(key) for key in keys}
    world.export(full(*keys))
    asked = torn(50, fault)
    assert total(world.load())["written"] == 50
    assert asked[:3] == [None, "bytes=50-", "bytes=100-"]


def test_a_file_of_which_nothing_more_comes_can_be_repeated(world: World, torn: Any) -> None:
    world.export(full("a"))
    torn(0, ResponseStreamingError(error="reset"))
    sync = make_sync(world.table, world.index, deadline=lambda: Deadline.after(0.5))
    [unit] = Load((URL,)).plan(sync)
    with pytest.raises(OutOfTimeError, match=r"file0.json.gz: GetObject failed until the time was over \(.*reset"):
        list(Load((URL,)).run(sync, unit, None))


def test_a_file_that_changes_while_it_is_read_is_refused(
    world: World, torn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.export(full("a", "b"))
    torn(60, None)
    read = S3File._read

    def change(file: Any, size: int) -> bytes:
        if file._position and file._places[0][1].endswith(".gz"):
            world.put(f"{FOLDER}/data/file0.json.gz", b"another")
        return read(file, size)

    monkeypatch.setattr(S3File, "_read", change)
    with pytest.raises(ConfigurationError, match="GetObject answered PreconditionFailed"):
        world.load()


@pytest.mark.parametrize("to", ["copies/of/the-export", FOLDER])
def test_a_copied_export_is_read_where_it_stands(world: World, to: str) -> None:
    world.table.items = {"a": item("a"), "b": item("b")}
    world.export(full("a"), full("b"))
    world.s3.create_bucket(Bucket="copies")
    for one in world.s3.list_objects_v2(Bucket="exports")["Contents"]:
        source = {"Bucket": "exports", "Key": one["Key"]}
        world.s3.copy_object(Bucket="copies", Key=one["Key"].replace(FOLDER, to), CopySource=source)
        world.s3.delete_object(**source)
    assert total(world.load(f"s3://copies/{to}/")) == {"items": 2, "written": 2}


def test_a_manifest_by_itself_names_where_the_files_are(world: World) -> None:
    world.table.items = {"a": item("a")}
    world.export(full("a"))
    world.s3.create_bucket(Bucket="copies")
    source = {"Bucket": "exports", "Key": f"{FOLDER}/manifest-summary.json"}
    world.s3.copy_object(Bucket="copies", Key="x/manifest-summary.json", CopySource=source)
    assert total(world.load("s3://copies/x")) == {"items": 1, "written": 1}


@pytest.mark.parametrize(
    ("summary", "message"),
    [
        ({"tableArn": TABLE_ARN + "2"}, r"is of another table: .*products2, not .*products$"),
        ({"outputFormat": "ION"}, "is in the format ION: export as DYNAMODB_JSON"),
    ],
)
def test_an_export_that_does_not_fit_is_refused(world: World, summary: dict[str, Any], message: str) -> None:
    world.export(full("a"), **summary)
    with pytest.raises(ConfigurationError, match=message):
        world.load()


@pytest.mark.parametrize("url", ["exports/x", "s3://exports", "https://exports/x"])
def test_a_wrong_url_is_refused(world: World, url: str) -> None:
    with pytest.raises(ConfigurationError, match="must be an S3 URL such as"):
        world.load(url)


def test_a_missing_manifest_is_told(world: World) -> None:
    with pytest.raises(ConfigurationError, match=r"manifest-summary\.json: GetObject answered NoSuchKey"):
        world.load()
