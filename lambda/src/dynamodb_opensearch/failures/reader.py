"""Reads which documents a sync's failure is about, from a dead letter or AWS's failure record. Settles nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dynamodb_opensearch.core.changes import Address
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import KeylessError, UndecodableError, UnusableError
from dynamodb_opensearch.core.items import Item, binary
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.core.projections import Projection
from dynamodb_opensearch.failures.aws_record import keys_of_record
from dynamodb_opensearch.failures.body import read_object
from dynamodb_opensearch.failures.letter import WITHOUT_KEYS, keys_of_letter

_KEY_BYTES = (2048, 1024)  # DynamoDB's limits for a partition key and a sort key


@dataclass(frozen=True, slots=True)
class FailureReader:
    """Reads the failures of one sync. A failure of another table, or of an index not among these, is unusable."""

    table_arn: str
    table_name: str
    """As in the sync's settings: a name or an ARN."""
    projections: Mapping[str, Projection]
    """The indices whose failures are read."""
    is_part: bool
    """Whether the sync has further indices. Then a failure that concerns all of them is unusable."""
    schema: KeySchema
    key_types: Mapping[str, str]
    """Key attribute -> ``S``, ``N`` or ``B``."""
    streams: Any
    """boto3's DynamoDB Streams client."""

    def keys_of(self, body: str | bytes, deadline: Deadline) -> dict[Address, Item]:
        """Index and document id -> primary key, for everything that a failure is about.

        A dead letter of a document is about one index. Any other failure is about all that may hold the item.

        Args:
            body: a message or an object, or a line of an object.

        Raises:
            UnusableError: it isn't a failure of this sync, or holds no keys.
            ConfigurationError: the stream can't be read.
            OutOfTimeError: the stream is throttled or out of reach.
        """
        failure = read_object(body)
        if failure.get("Type") == "Notification" and "Message" in failure:  # SNS's envelope
            failure = read_object(failure["Message"])
        if "reason" in failure and "keys" in failure:
            tables = [self.table_arn, self.table_arn.rpartition("/")[2], self.table_name]
            all_keys = self._by_id([keys_of_letter(failure, tables, self.projections)])
            if index := failure.get("index"):
                return {(index, document_id): keys for document_id, keys in all_keys.items()}
            return self._everywhere(all_keys)
        if "DDBStreamBatchInfo" in failure:
            return self._everywhere(self._by_id(keys_of_record(failure, self.table_arn, self.streams, deadline)))
        raise UnusableError("it is neither a dead letter nor AWS's failure record for a DynamoDB stream")

    def _everywhere(self, all_keys: Mapping[str, Item]) -> dict[Address, Item]:
        if self.is_part:
            raise UnusableError("it concerns all indices of the sync: redrive it without naming one")
        return {
            (index, document_id): keys
            for document_id, keys in all_keys.items()
            for index, projection in self.projections.items()
            if projection.may_hold(keys)
        }

    def _by_id(self, all_keys: Iterable[Any]) -> dict[str, Item]:
        found: dict[str, Item] = {}
        for keys in all_keys:
            try:
                document_id = self.schema.id_of(keys) if self._may_be_key(keys) else None
            except (AttributeError, TypeError, UndecodableError, ValueError):
                document_id = None
            if document_id is None:
                types = ", ".join(f"{name} ({kind})" for name, kind in self.key_types.items())
                raise KeylessError(f"its keys aren't this table's, {types}; {WITHOUT_KEYS}")
            found[document_id] = keys
        return found

    def _may_be_key(self, keys: Any) -> bool:
        """Whether DynamoDB would take the key: for one that it doesn't take, it refuses a whole request."""
        if keys.keys() != self.key_types.keys():
            return False
        for (name, kind), most in zip(self.key_types.items(), _KEY_BYTES, strict=False):
            [(tag, value)] = keys[name].items()
            content = value.encode() if tag in "SN" else binary(value)  # half a character can't be encoded
            if tag != kind or not 0 < len(content) <= most:
                return False
        return True
