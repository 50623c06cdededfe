"""Reads an object in S3 as a file, and continues where a connection broke."""

import io
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, IncompleteReadError

from dynamodb_opensearch.aws import ask, code_of
from dynamodb_opensearch.core.deadline import Deadline

Place = tuple[str, str]
"""Bucket and key."""
_ELSEWHERE = {"AccessDenied", "NoSuchBucket", "NoSuchKey"}  # without the right to list, S3 denies what isn't there


class S3File(io.RawIOBase):
    """One object, from its first byte to its last.

    Reading raises what ``aws.ask`` does: ConfigurationError for an object that isn't there or has changed meanwhile,
    OutOfTimeError if nothing more came until a deadline.
    """

    def __init__(self, s3: Any, places: Sequence[Place], deadline: Callable[[], Deadline]) -> None:
        """Take the object; the first read opens it.

        Args:
            places: where it may be; the first that has it counts.
            deadline: makes a deadline for each read.
        """
        self._s3, self._places, self._deadline = s3, list(places), deadline
        self._body: Any = None
        self._position, self._size, self._etag = 0, 0, ""

    def readable(self) -> bool:
        """See ``io.RawIOBase``."""
        return True

    def readinto(self, buffer: Any) -> int:
        """See ``io.RawIOBase``."""
        bucket, key = self._places[0]
        subject = f"the export's file s3://{bucket}/{key}"
        chunk = ask(lambda: self._read(len(buffer)), self._deadline(), "GetObject", subject)
        buffer[: len(chunk)] = chunk
        self._position += len(chunk)
        return len(chunk)

    def _read(self, size: int) -> bytes:
        try:
            if self._body is None:
                self._open()
            chunk: bytes = self._body.read(size)
        except (BotoCoreError, ClientError):
            self._body = None
            raise
        if not chunk and self._position < self._size:
            self._body = None
            raise IncompleteReadError(actual_bytes=self._position, expected_bytes=self._size)
        return chunk

    def _open(self) -> None:
        if self._size:
            rest = {"Range": f"bytes={self._position}-", "IfMatch": self._etag}
            bucket, key = self._places[0]
            self._body = self._s3.get_object(Bucket=bucket, Key=key, **rest)["Body"]
            return
        first: ClientError | None = None
        for place in self._places:
            try:
                answer = self._s3.get_object(Bucket=place[0], Key=place[1])
            except ClientError as error:
                if code_of(error) not in _ELSEWHERE:
                    raise
                first = first or error
                continue
            self._places = [place]
            self._body, self._size, self._etag = answer["Body"], answer["ContentLength"], answer["ETag"]
            return
        assert first  # noqa: S101 (there is a place)
        raise first
