"""An export of the table in S3: where it is, which files it has, and what their lines hold.

See: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

import gzip
import io
import json
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import datetime
from typing import Any

import boto3

from dynamodb_opensearch.aws import ASKED_ONCE, ask, briefly
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.dynamodb.s3_file import S3File


def location_of(dynamodb: Any, export_arn: str) -> str:
    """The S3 URL of an export's folder.

    Raises:
        ConfigurationError: there is no such export, or it isn't complete.
    """
    return folder_of(describe_export(dynamodb, export_arn))


def folder_of(description: Mapping[str, Any]) -> str:
    """The S3 URL of an export's folder, from DescribeExport's description.

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


class Export:
    """One export: its manifest, and what its lines mean.

    A manifest names the files by where DynamoDB put them. A copied export has them beside the manifest, and they are
    read from there.
    """

    def __init__(self, url: str, table_arn: str, deadline: Callable[[], Deadline]) -> None:
        """Read what the export says about itself.

        Args:
            deadline: makes a deadline for each request.

        Raises:
            ConfigurationError: it can't be read, isn't DynamoDB JSON, or is another table's.
            OutOfTimeError: S3 was out of reach until the deadline.
        """
        scheme, _, rest = url.rstrip("/").partition("://")
        self._url, self._deadline = url, deadline
        self._summary: Mapping[str, Any] = {}
        self._bucket, _, self._folder = rest.partition("/")
        if scheme != "s3" or not self._folder:
            raise ConfigurationError(
                f"the export {url!r}: it must be an S3 URL such as s3://bucket/prefix/AWSDynamoDB/01690000000000-a1b2c3d4"
            )
        self._s3 = boto3.client("s3", config=ASKED_ONCE)
        summary = f"{self._folder}/manifest-summary.json"
        self._summary = self._object(summary, self._text(summary, summary))
        if self._stated("tableArn") != table_arn:
            raise ConfigurationError(
                f"the export {url!r} is of another table: {self._stated('tableArn')}, not {table_arn}"
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
        """A data file's lines, decoded as they come; each has the member that every line of such an export has."""
        member, number = "Item" if self.is_full else "Keys", 0
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

    @property
    def is_full(self) -> bool:
        """Whether it shows the whole table at one moment, not what changed in a period."""
        return bool(self._summary.get("exportType", "FULL_EXPORT") == "FULL_EXPORT")

    def moment(self) -> int:
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
        """A file in the export's folder, or else where the manifest says it is."""
        places = [(self._bucket, beside), (self._bucket_of_manifest, named)]
        return S3File(self._s3, list(dict.fromkeys(places)), self._deadline)

    @property
    def _bucket_of_manifest(self) -> str:
        return str(self._summary.get("s3Bucket") or self._bucket)
