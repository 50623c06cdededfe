"""A bucket of failures, as a redrive reads and rewrites it: our letters as JSON lines, AWS's records one to an object.

What an object holds is bytes here: one line that isn't text must neither stop nor change the others.
"""

from collections.abc import Sequence
from functools import partial

import boto3
from botocore.exceptions import ClientError

from dynamodb_opensearch import dead_letters
from dynamodb_opensearch.aws import code_of
from dynamodb_opensearch.deadline import Deadline
from dynamodb_opensearch.jobs.failures import UnusableError
from dynamodb_opensearch.jobs.pair import ASKED_ONCE, ask, briefly

_RECORDS = "aws/lambda/"  # AWS's prefix
_OBJECT_BYTES = 64 * 1024**2
"""Most bytes of an object: ours hold some thousand letters, AWS's one event of 6 MB."""


class Bucket:
    """An S3 bucket. Each call is tried again as long as its deadline allows; see ``pair.ask`` for what it raises."""

    def __init__(self, arn: str) -> None:
        self._name = arn.rpartition(":")[2]
        self._client = boto3.client("s3", config=ASKED_ONCE)

    def keys(self) -> list[str]:
        """All objects that hold failures; a console's folders are none."""
        found: list[str] = []
        for prefix in (dead_letters.PREFIX, _RECORDS):
            request = {"Bucket": self._name, "Prefix": prefix}
            while True:
                listing = partial(self._client.list_objects_v2, **request)
                page = ask(listing, briefly(), "ListObjectsV2", f"the bucket {self._name}")
                found += [one["Key"] for one in page.get("Contents", []) if not one["Key"].endswith("/")]
                if "NextContinuationToken" not in page:
                    break
                request["ContinuationToken"] = page["NextContinuationToken"]
        return found

    def failures(self, key: str, deadline: Deadline) -> list[bytes]:
        """An object's failures; none if the object has gone.

        Raises:
            UnusableError: it is none that a function made, or can't be read as it is.
        """
        content = ask(partial(self._read, key), deadline, "GetObject", self.place(key))
        if content is None:
            return []
        if not content.strip():
            raise UnusableError("it is empty")
        return [line for line in content.split(b"\n") if line] if key.startswith(dead_letters.PREFIX) else [content]

    def replace(self, key: str, failures: Sequence[bytes], deadline: Deadline) -> None:
        """Put what is left under its key; delete it if there is nothing."""
        rest = _rest(key)
        if failures:
            body = b"".join(failure + b"\n" for failure in failures)
            put = partial(self._client.put_object, Bucket=self._name, Key=rest, Body=body)
            ask(put, deadline, "PutObject", self.place(rest))
        if not failures or rest != key:
            delete = partial(self._client.delete_object, Bucket=self._name, Key=key)
            ask(delete, deadline, "DeleteObject", self.place(key))

    def place(self, key: str) -> str:
        """Where an object is, for people."""
        return f"s3://{self._name}/{key}"

    def _read(self, key: str) -> bytes | None:
        try:
            answer = self._client.get_object(Bucket=self._name, Key=key)
        except ClientError as error:
            code = code_of(error)
            if code == "NoSuchKey":
                return None
            # Archived, or encrypted with a key of somebody's that isn't there: the next object may be readable.
            if code in {"InvalidObjectState", "InvalidRequest"} or code.startswith("KMS."):
                raise UnusableError(f"GetObject answered {code}") from None
            raise
        size = answer["ContentLength"]
        if size > _OBJECT_BYTES:
            raise UnusableError(f"it has {size:,} bytes, and an object of failures has {_OBJECT_BYTES:,} at most")
        content: bytes = answer["Body"].read()
        return content


def _rest(key: str) -> str:
    """Letters that are left of one of AWS's records stand among the letters."""
    return key if key.startswith(dead_letters.PREFIX) else f"{dead_letters.PREFIX}{key.replace('/', '-')}.jsonl"
