"""Fills the index from a point-in-time export in S3, which takes nothing of the table's capacity but the last look.

A full export tells what the table held at one moment: its items are written as a backfill's, under that moment's
version. An incremental one tells which items changed: their keys are settled, so what they are *now* is written.
"""

import gzip
import json
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_opensearch.changes import Settle
from dynamodb_opensearch.errors import ConfigurationError
from dynamodb_opensearch.jobs.backfill import fill, finding, finish
from dynamodb_opensearch.jobs.pair import Pair, aws_error
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
        """
        exports = ((url.rstrip("/"), _Export(url, pair)) for url in self.exports)
        return [json.dumps([url, key, count]) for url, export in exports for key, count in export.files()]

    def run(self, pair: Pair, unit: Unit, position: Any) -> Iterator[Step]:
        """A step for each thousand lines; the position counts them. See ``work.Job.run``."""
        url, key, count = json.loads(unit)
        export, done = _Export(url, pair), int(position or 0)
        with closing(export.lines(key)) as lines:
            remaining = islice(lines, done, None)
            while chunk := list(islice(remaining, _LINES)):
                done += len(chunk)
                yield export.load(chunk, done if done < count else None, recheck=self.recheck)
        if done != count:
            raise ConfigurationError(f"{url}: {key} has {done} lines, and should have {count}: the export is damaged")
        if count == 0:
            yield Step(None)


def location_of(dynamodb: Any, export_arn: str) -> str:
    """The S3 URL of an export's folder.

    Raises:
        ConfigurationError: there is no such export, or it isn't complete.
    """
    description = describe_export(dynamodb, export_arn)
    if description["ExportStatus"] != "COMPLETED":
        reason = description.get("FailureMessage", "wait until it is complete")
        raise ConfigurationError(f"the export {export_arn} is {description['ExportStatus']}: {reason}")
    folder = description["ExportManifest"].rsplit("/", 1)[0]
    return f"s3://{description['S3Bucket']}/{folder}"


def describe_export(dynamodb: Any, export_arn: str) -> Mapping[str, Any]:
    """DescribeExport's answer.

    Raises:
        ConfigurationError: there is no such export, or it can't be described.
    """
    try:
        description: Mapping[str, Any] = dynamodb.describe_export(ExportArn=export_arn)["ExportDescription"]
    except (BotoCoreError, ClientError) as error:
        raise aws_error(error, "DescribeExport", f"the export {export_arn!r}") from None
    return description


class _Export:
    """One export: its manifest, and what its lines mean.

    See: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
    """

    def __init__(self, url: str, pair: Pair) -> None:
        scheme, _, rest = url.rstrip("/").partition("://")
        self._url, self._pair = url, pair
        self._bucket, _, self._folder = rest.partition("/")
        if scheme != "s3" or not self._folder:
            raise ConfigurationError(
                f"the export {url!r}: it must be an S3 URL such as s3://bucket/prefix/AWSDynamoDB/01690000000000-a1b2c3d4"
            )
        self._s3 = boto3.client("s3")
        self._summary = self._json(f"{self._folder}/manifest-summary.json")
        if self._summary["tableArn"] != pair.table_arn:
            raise ConfigurationError(
                f"the export {url!r} is of another table: {self._summary['tableArn']}, not {pair.table_arn}"
            )
        if self._summary["outputFormat"] != "DYNAMODB_JSON":
            raise ConfigurationError(
                f"the export {url!r} is in the format {self._summary['outputFormat']}: export as DYNAMODB_JSON"
            )

    def files(self) -> Iterator[tuple[str, int]]:
        """The keys of the data files, and how many lines each has."""
        text = self._read(self._summary["manifestFilesS3Key"]).read().decode()
        for one in map(json.loads, text.splitlines()):
            yield one["dataFileS3Key"], one["itemCount"]

    def lines(self, key: str) -> Generator[dict[str, Any]]:
        """A data file's lines, decoded as they come."""
        try:
            with gzip.open(self._read(key), "rt", encoding="utf-8") as file:
                yield from map(json.loads, file)
        except (EOFError, OSError, ValueError) as error:
            raise ConfigurationError(f"{self._url}: {key} can't be read ({error})") from None

    def load(self, lines: Sequence[Mapping[str, Any]], position: int | None, *, recheck: bool) -> Step:
        """Bring what the lines tell into the index."""
        pair, deadline = self._pair, self._pair.deadline()
        if self._summary.get("exportType", "FULL_EXPORT") == "FULL_EXPORT":
            moment = int(datetime.fromisoformat(self._summary["exportTime"]).timestamp())
            version = scan_version(moment, pair.conflict_window)
            items = [line["Item"] for line in lines]
            return Step(position, *fill(pair, items, version, deadline, look=set if recheck else None))
        schema, tally = pair.settings.key_schema, Tally()
        settles = {(key := schema.id_of(line["Keys"])): Settle(key, line["Keys"]) for line in lines}
        refused = finish(pair, list(settles.values()), deadline, tally)
        counts = Counter(items=len(lines), settled=len(lines) - len(refused), refused=len(refused))
        return Step(position, counts, [finding(refusal) for refusal in refused])

    def _json(self, key: str) -> dict[str, Any]:
        try:
            value: dict[str, Any] = json.loads(self._read(key).read())
        except ValueError:
            raise ConfigurationError(f"{self._url}: {key} isn't JSON") from None
        return value

    def _read(self, key: str) -> Any:
        try:
            return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"]
        except (BotoCoreError, ClientError) as error:
            raise aws_error(error, "GetObject", f"the export's file s3://{self._bucket}/{key}") from None
