"""A DynamoDB stream as an event source: decodes its records, refuses another table's, and answers Lambda.

An event that isn't from this table's stream is refused as a whole, before anything is written. Another table's items
with equal keys would overwrite and delete our documents, and another service's records would be set aside one by one.
No record is at fault in either case, so the batch waits until the configuration is changed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dynamodb_opensearch.core.errors import ConfigurationError, UndecodableError
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.core.records import UNSEEN, Image, Record, Undecodable
from dynamodb_opensearch.core.versions import own_version

_ONLY = "this function takes events of a DynamoDB stream only"


def records_of(event: Any, table_name: str) -> Sequence[Mapping[str, Any]]:
    """The event's records, oldest first. A record that names a table must name this one; any other is taken.

    Args:
        table_name: the table's name, or its ARN, whose account and Region must match as well.

    Raises:
        ConfigurationError: the event isn't a stream's, or it is another table's.
    """
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list):
        raise ConfigurationError(f"the event has no Records: {_ONLY}")
    known = [record for record in records if isinstance(record, Mapping)]
    for source in {str(record.get("eventSource") or record.get("EventSource") or "") for record in known}:  # SNS's
        if source not in {"", "aws:dynamodb"}:
            raise ConfigurationError(f"the event has records of {source[:100]!r}: {_ONLY}")
    for arn in {str(record.get("eventSourceARN") or "") for record in known}:
        if arn and not _is_stream_of(arn, table_name):
            raise ConfigurationError(
                f"TABLE_NAME is {table_name!r}, but the event has records of {arn[:300]!r}, another table's: "
                "use the stream of the table itself, or set TABLE_NAME"
            )
    return records


def decode(records: Sequence[Mapping[str, Any]], schema: KeySchema) -> Iterator[Record | Undecodable]:
    """The changes that the records hold, in their order.

    A record without an image that its event should have (KEYS_ONLY, OLD_IMAGE, NEW_IMAGE) doesn't show that item.

    Raises:
        ConfigurationError: the records are another table's.
    """
    for position, record in enumerate(records):
        try:
            yield _decode(record, schema)
        except UndecodableError as error:
            yield _undecodable(position, record, schema, str(error))


def refuse_as_a_whole(records: Sequence[Any], schema: KeySchema) -> None:
    """Raise for a batch of which no record can be decoded, unless each record may have a reason of its own.

    Raises:
        ConfigurationError: the records aren't a stream's, or they are another table's.
    """
    parts = [record.get("dynamodb") if isinstance(record, Mapping) else None for record in records]
    contents = [part for part in parts if isinstance(part, Mapping)]
    if not contents:
        raise ConfigurationError(f"the event's records aren't a stream's: {_ONLY}")
    if not any("ApproximateCreationDateTime" in content for content in contents):
        raise ConfigurationError(
            "the event's records have no ApproximateCreationDateTime, so they are a sample, such as the console's test "
            "event, and not a stream's: nothing was written, and nothing was set aside"
        )
    all_keys = [keys for content in contents if isinstance(keys := content.get("Keys"), Mapping) and keys]
    if all_keys and not any(keys.keys() == set(schema.names) for keys in all_keys):
        schema.refuse(all_keys[0])


def answer(records: Sequence[Any], undone: Iterable[int]) -> dict[str, Any]:
    """The answer to Lambda, which retries everything from the first record that isn't done.

    Only the first matters, because Lambda takes the lowest as its checkpoint. A null identifier fails the whole batch.

    Args:
        undone: positions of records.

    See: https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
    """
    first = min(undone, default=None)
    return {"batchItemFailures": [] if first is None else [{"itemIdentifier": sequence_number(records[first])}]}


def sequence_number(record: Any) -> str | None:
    """A record's sequence number; None if it has none."""
    try:
        number = record["dynamodb"]["SequenceNumber"]
    except (KeyError, TypeError):
        return None
    return number if isinstance(number, str) else None


def _decode(record: Mapping[str, Any], schema: KeySchema) -> Record:
    try:
        event_name, data = record["eventName"], record["dynamodb"]
        keys, number, created_at = data["Keys"], data["SequenceNumber"], data["ApproximateCreationDateTime"]
        schema.check(keys)
    except (AttributeError, KeyError, TypeError):
        raise UndecodableError(
            "the record lacks eventName, Keys, SequenceNumber or ApproximateCreationDateTime"
        ) from None
    document_id, own = schema.id_of(keys), own_version(created_at, number)
    new, old = _image(data.get("NewImage")), _image(data.get("OldImage"))
    if event_name == "REMOVE":
        return Record(document_id, keys, own, number, int(created_at), None, old)
    if event_name == "INSERT":
        return Record(document_id, keys, own, number, int(created_at), new, None)
    if event_name == "MODIFY":
        return Record(document_id, keys, own, number, int(created_at), new, old)
    raise UndecodableError("eventName must be INSERT, MODIFY or REMOVE")


def _image(value: Any) -> Image:
    if value is None:
        return UNSEEN
    if isinstance(value, dict):  # a check for any mapping takes ten times as long
        return value
    raise UndecodableError("an image isn't an object of attributes")


def _undecodable(position: int, record: Any, schema: KeySchema, reason: str) -> Undecodable:
    """What a dead letter can hold of the record; its keys only if they are complete: a settle needs them all."""
    data = record.get("dynamodb") if isinstance(record, Mapping) else None
    keys = data.get("Keys") if isinstance(data, Mapping) else None
    try:
        schema.id_of(keys or {})
    except UndecodableError:
        keys = None
    return Undecodable(position, reason, keys, sequence_number(record))


def _is_stream_of(arn: str, table_name: str) -> bool:
    found = _STREAM(arn)
    return found is not None and table_name in found.groups()


_STREAM = re.compile(r"(arn:[a-z0-9-]+:dynamodb:[a-z0-9-]*:[^:/]*:table/([^:/]+))(?:/stream/.*)?").fullmatch
