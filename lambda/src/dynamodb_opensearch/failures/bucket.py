"""A bucket of failures: dead letters as JSON lines, AWS's failure records one to an object.

Lines are kept as bytes: one that isn't text must neither stop nor change the others.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_opensearch.aws import ASKED_ONCE, ask, briefly, code_of
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import UnusableError

PREFIX = "dead-letters/"
"""Where a bucket has its dead letters."""
RECORDS_PREFIX = "aws/lambda/"
"""Where AWS puts its failure records."""
_OBJECT_BYTES = 64 * 1024**2
"""Most bytes of an object: ours hold some thousand dead letters, AWS's hold one event of 6 MB."""


class Bucket:
    """An S3 bucket. Each call but ``deliver`` is repeated as long as its deadline allows, and raises as ``ask``."""

    def __init__(self, arn: str, client: Any = None) -> None:
        """Take the bucket that an ARN names; sends no request.

        Args:
            client: a boto3 client that retries by itself, for ``deliver``.
        """
        self._name = arn.rpartition(":")[2]
        self._client = client or boto3.client("s3", config=ASKED_ONCE)

    def deliver(self, messages: Sequence[str], name: str) -> dict[int, str]:
        """Put one object of JSON lines; see ``destination.Destination``."""
        body = "".join(f"{message}\n" for message in messages).encode()
        key = f"{PREFIX}{datetime.now(UTC):%Y/%m/%d/%H%M%S}-{name}.jsonl"
        try:
            self._client.put_object(Bucket=self._name, Key=key, Body=body, ContentType="application/x-ndjson")
        except (BotoCoreError, ClientError) as error:
            return dict.fromkeys(range(len(messages)), code_of(error))
        return {}

    def keys(self) -> list[str]:
        """The keys of all objects that hold failures; folders made in the console don't count."""
        found: list[str] = []
        for prefix in (PREFIX, RECORDS_PREFIX):
            request = {"Bucket": self._name, "Prefix": prefix}
            while True:
                listing = partial(self._client.list_objects_v2, **request)
                page = ask(listing, briefly(), "ListObjectsV2", f"the bucket {self._name}")
                found += [entry["Key"] for entry in page.get("Contents", []) if not entry["Key"].endswith("/")]
                if "NextContinuationToken" not in page:
                    break
                request["ContinuationToken"] = page["NextContinuationToken"]
        return found

    def failures(self, key: str, deadline: Deadline) -> list[bytes]:
        """An object's failures; none if the object is gone.

        Raises:
            UnusableError: no function can have made the object, or it can't be read as it is.
        """
        content = ask(partial(self._read, key), deadline, "GetObject", self.place(key))
        if content is None:
            return []
        if not content.strip():
            raise UnusableError("it is empty")
        return [line for line in content.split(b"\n") if line] if key.startswith(PREFIX) else [content]

    def replace(self, key: str, failures: Sequence[bytes], deadline: Deadline) -> None:
        """Replace an object by the failures that are left; delete it if there are none."""
        rest = _rest(key)
        if failures:
            body = b"".join(failure + b"\n" for failure in failures)
            put = partial(self._client.put_object, Bucket=self._name, Key=rest, Body=body)
            ask(put, deadline, "PutObject", self.place(rest))
        if not failures or rest != key:
            delete = partial(self._client.delete_object, Bucket=self._name, Key=key)
            ask(delete, deadline, "DeleteObject", self.place(key))

    def place(self, key: str) -> str:
        """An object's address, for messages."""
        return f"s3://{self._name}/{key}"

    def _read(self, key: str) -> bytes | None:
        try:
            answer = self._client.get_object(Bucket=self._name, Key=key)
        except ClientError as error:
            code = code_of(error)
            if code == "NoSuchKey":
                return None
            # Archived, or encrypted with a key that isn't available: the next object may be readable.
            if code in {"InvalidObjectState", "InvalidRequest"} or code.startswith("KMS."):
                raise UnusableError(f"GetObject answered {code}") from None
            raise
        size = answer["ContentLength"]
        if size > _OBJECT_BYTES:
            raise UnusableError(f"it has {size:,} bytes, and an object of failures has {_OBJECT_BYTES:,} at most")
        content: bytes = answer["Body"].read()
        return content


def _rest(key: str) -> str:
    """The key for what is left of an object: what is left of an AWS failure record goes among the dead letters."""
    return key if key.startswith(PREFIX) else f"{PREFIX}{key.replace('/', '-')}.jsonl"
