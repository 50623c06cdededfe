"""Fills the index from a point-in-time export in S3, which takes nothing of the table's capacity but the last look.

A full export tells what the table held at one moment: its items are written as a backfill's, under that moment's
version. An incremental one tells which items changed: their keys are settled, so what they are *now* is written.
"""

import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import boto3

from dynamodb_opensearch.changes import Settle
from dynamodb_opensearch.deadline import Deadline
from dynamodb_opensearch.errors import ConfigurationError, UndecodableError
from dynamodb_opensearch.jobs.backfill import fill, finding, finish
from dynamodb_opensearch.jobs.pair import ASKED_ONCE, Pair, ask, briefly
from dynamodb_opensearch.jobs.s3_file import S3File
from dynamodb_opensearch.jobs.work import Step, Unit
from dynamodb_opensearch.telemetry import Tally
from dynamodb_opensearch.versions import scan_version

_LINES = 1_000  # of one step


@dataclass(frozen=True, slots=True)
class Load:
    """One or more exports of the table, each by the S3 URL of its folder: ``s3://bucket/prefix/AWSDynamoDB/0169…-a1b2``."""

    exports: tuple[str, ...]
    recheck: bool = True
    """Whether to look up what a full export wrote, for what was deleted since. An incremental export from its time on
    finds that as well, and reads only what changed."""

    def plan(self, pair: Pair) -> Sequence[Unit]:
        """One unit for each data file: the export's URL, the file's key and the number of its lines, as JSON.

        Raises:
            ConfigurationError: an export can't be read, isn't DynamoDB JSON, or is of another table.
            OutOfTimeError: S3 was out of reach for some seconds.
        """
        exports = ((url.rstrip("/"), _Export(url, pair, briefly)) for url in self.exports)
        return [json.dumps([url, key, count]) for url, export in exports for key, count in export.files()]

    def run(self, pair: Pair, unit: Unit, position: Any) -> Iterator[Step]:
        """A step for each thousand lines; the position counts them. See ``work.Job.run``."""
        url, key, count = json.loads(unit)
        export, done = _Export(url, pair, pair.deadline), int(position or 0)
        with closing(export.lines(key)) as lines:
            remaining = islice(lines, done, None)
            while chunk := list(islice(remaining, _LINES)):
                first, done = done + 1, done + len(chunk)
                try:
                    yield export.load(chunk, done if done < count else None, recheck=self.recheck)
                except UndecodableError as error:
                    raise ConfigurationError(f"{url}: {key}, lines {first} to {done}: {error}") from None
        if done != count:
            raise ConfigurationError(f"{url}: {key} has {done} lines, and should have {count}: the export is damaged")
        if count == 0:
            yield Step(None)


def location_of(dynamodb: Any, export_arn: str) -> str:
    """The S3 URL of an export's folder.

    Raises:
        ConfigurationError: there is no such export, or it isn't complete.
    """
    return folder_of(describe_export(dynamodb, export_arn))


def folder_of(description: Mapping[str, Any]) -> str:
    """The S3 URL of the folder of an export as DescribeExport tells of it.

    Raises:
        ConfigurationError: it isn't complete.
    """
    if description["ExportStatus"] != "COMPLETED":
        reason = description.get("FailureMessage", "wait until it is complete")
        raise ConfigurationError(
            f"the export {description.get('ExportArn')} is {description['ExportStatus']}: {reason}"
        )
    folder = description["ExportManifest"].rsplit("/", 1)[0]
    return f"s3://{description['S3Bucket']}/{folder}"


def describe_export(dynamodb: Any, export_arn: str) -> Mapping[str, Any]:
    """DescribeExport's answer.

    Raises:
        ConfigurationError: there is no such export, or it can't be described.
        OutOfTimeError: DynamoDB was out of reach for some seconds.
    """
    description: Mapping[str, Any] = ask(
        lambda: dynamodb.describe_export(ExportArn=export_arn),
        briefly(),
        "DescribeExport",
        f"the export {export_arn!r}",
    )["ExportDescription"]
    return description


class _Export:
    """One export: its manifest, and what its lines mean.

    A manifest names the files by where DynamoDB put them. A copy has them beside it, and is read from there.

    See: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
    """

    def __init__(self, url: str, pair: Pair, deadline: Callable[[], Deadline]) -> None:
        scheme, _, rest = url.rstrip("/").partition("://")
        self._url, self._pair, self._deadline = url, pair, deadline
        self._summary: Mapping[str, Any] = {}
        self._bucket, _, self._folder = rest.partition("/")
        if scheme != "s3" or not self._folder:
            raise ConfigurationError(
                f"the export {url!r}: it must be an S3 URL such as s3://bucket/prefix/AWSDynamoDB/01690000000000-a1b2c3d4"
            )
        self._s3 = boto3.client("s3", config=ASKED_ONCE)
        summary = f"{self._folder}/manifest-summary.json"
        self._summary = self._object(summary, self._text(summary, summary))
        if self._stated("tableArn") != pair.table_arn:
            raise ConfigurationError(
                f"the export {url!r} is of another table: {self._stated('tableArn')}, not {pair.table_arn}"
            )
        if self._stated("outputFormat") != "DYNAMODB_JSON":
            raise ConfigurationError(
                f"the export {url!r} is in the format {self._stated('outputFormat')}: export as DYNAMODB_JSON"
            )

    def files(self) -> Iterator[tuple[str, int]]:
        """The keys of the data files, and how many lines each has."""
        key = f"{self._folder}/manifest-files.json"
        for number, text in enumerate(self._text(key, self._stated("manifestFilesS3Key")).splitlines(), start=1):
            file = self._object(f"{key} line {number}", text)
            match file:
                case {"dataFileS3Key": str(data), "itemCount": int(count)}:
                    yield data, count
                case _:
                    raise ConfigurationError(f"{self._url}: {key} line {number} names no data file: it is damaged")

    def lines(self, key: str) -> Generator[dict[str, Any]]:
        """A data file's lines, decoded as they come; each has what lines of its kind of export have."""
        member, number = "Item" if self._is_full else "Keys", 0
        beside = f"{self._folder}/data/{key.rpartition('/')[2]}"
        try:
            with gzip.open(io.BufferedReader(self._file(beside, key)), "rt", encoding="utf-8") as file:
                for number, text in enumerate(file, start=1):
                    line = self._object(f"{key} line {number}", text)
                    if not isinstance(line.get(member), dict):
                        raise ConfigurationError(f"{self._url}: {key} line {number} has no {member}: it is damaged")
                    yield line
        except (EOFError, OSError, UnicodeDecodeError, zlib.error) as error:
            raise ConfigurationError(f"{self._url}: {key} can't be read after line {number} ({error})") from None

    def load(self, lines: Sequence[Mapping[str, Any]], position: int | None, *, recheck: bool) -> Step:
        """Bring what the lines tell into the index."""
        pair, deadline = self._pair, self._deadline()
        if self._is_full:
            version = scan_version(self._moment(), pair.conflict_window)
            items = [line["Item"] for line in lines]
            return Step(position, *fill(pair, items, version, deadline, look=set if recheck else None))
        schema, tally = pair.settings.key_schema, Tally()
        settles = {(key := schema.id_of(line["Keys"])): Settle(key, line["Keys"]) for line in lines}
        refused = finish(pair, list(settles.values()), deadline, tally)
        counts = Counter(items=len(lines), settled=len(lines) - len(refused), refused=len(refused))
        return Step(position, counts, [finding(refusal) for refusal in refused])

    @property
    def _is_full(self) -> bool:
        return bool(self._summary.get("exportType", "FULL_EXPORT") == "FULL_EXPORT")

    def _moment(self) -> int:
        """The epoch second that a full export shows."""
        text = self._stated("exportTime")
        try:
            return int(datetime.fromisoformat(text).timestamp())
        except ValueError:
            raise ConfigurationError(f"{self._url}: the manifest's exportTime is {text!r}: it is damaged") from None

    def _stated(self, name: str) -> str:
        value = self._summary.get(name)
        if not isinstance(value, str):
            raise ConfigurationError(f"{self._url}: manifest-summary.json has no {name}: it is damaged")
        return value

    def _object(self, place: str, text: str) -> dict[str, Any]:
        try:
            value = json.loads(text)
        except (RecursionError, ValueError):
            value = None
        if not isinstance(value, dict):
            raise ConfigurationError(f"{self._url}: {place} isn't a JSON object: it is damaged")
        return value

    def _text(self, beside: str, named: str) -> str:
        try:
            return io.BufferedReader(self._file(beside, named)).read().decode()
        except UnicodeDecodeError:
            raise ConfigurationError(f"{self._url}: {beside} isn't UTF-8: it is damaged") from None

    def _file(self, beside: str, named: str) -> S3File:
        """A file that stands in the export's folder, or where the manifest names it."""
        places = [(self._bucket, beside), (self._bucket_of_manifest, named)]
        return S3File(self._s3, list(dict.fromkeys(places)), self._deadline)

    @property
    def _bucket_of_manifest(self) -> str:
        return str(self._summary.get("s3Bucket") or self._bucket)
