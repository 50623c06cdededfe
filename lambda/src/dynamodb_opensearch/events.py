"""Whose records an event holds: this table's, from its stream. Whatever else is refused whole, before it is written.

Another table's items under equal keys would overwrite and delete our documents, and another service's records would be
set aside one by one as if they were odd: no record causes either, so the batch waits until somebody changes something.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dynamodb_opensearch.documents import KeySchema
from dynamodb_opensearch.errors import ConfigurationError

_ONLY = "this function takes events of a DynamoDB stream only"


def records_of(event: Any, table_name: str) -> Sequence[Mapping[str, Any]]:
    """The event's records, oldest first. What says whose it is must say the table's; what doesn't say is taken.

    Args:
        table_name: or its ARN: then account and Region are looked at, too.

    Raises:
        ConfigurationError: it is no event of a stream, or another table's.
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
                "take the stream of the table itself, or set TABLE_NAME"
            )
    return records


def refuse_as_a_whole(records: Sequence[Any], schema: KeySchema) -> None:
    """Of a batch whose records can't be decoded, all of them: raise unless each may have a reason of its own.

    Raises:
        ConfigurationError: they are no stream's, or another table's.
    """
    parts = [record.get("dynamodb") if isinstance(record, Mapping) else None for record in records]
    contents = [part for part in parts if isinstance(part, Mapping)]
    if not contents:
        raise ConfigurationError(f"the event's records aren't a stream's: {_ONLY}")
    if not any("ApproximateCreationDateTime" in content for content in contents):
        raise ConfigurationError(
            "the event's records have no ApproximateCreationDateTime, so they are a sample such as the console's test "
            "event, and no stream's: nothing was written, and nothing was set aside"
        )
    all_keys = [keys for content in contents if isinstance(keys := content.get("Keys"), Mapping) and keys]
    if all_keys and not any(keys.keys() == set(schema.names) for keys in all_keys):
        schema.refuse(all_keys[0])


def _is_stream_of(arn: str, table_name: str) -> bool:
    found = _STREAM(arn)
    return found is not None and table_name in found.groups()


_STREAM = re.compile(r"(arn:[a-z0-9-]+:dynamodb:[a-z0-9-]*:[^:/]*:table/([^:/]+))(?:/stream/.*)?").fullmatch
