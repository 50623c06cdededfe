"""Dead letters: a refused document or an unreadable record, with its key and the reason, never its content."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dynamodb_opensearch.core.changes import Write
from dynamodb_opensearch.core.errors import KeylessError, UnusableError
from dynamodb_opensearch.core.items import Item, as_json
from dynamodb_opensearch.core.reasons import Reason

_MESSAGE_CHARACTERS = 1000  # a longer reason is cut, the keys never are


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One document that OpenSearch refuses, or one record that can't be decoded, which has no ``id`` and ``index``."""

    table: str
    keys: Item | None
    index: str | None
    id: str | None
    action: str | None
    version: int | None
    sequence_number: str | None
    reason: Reason

    @classmethod
    def of(cls, write: Write, reason: Reason, table: str) -> "DeadLetter":
        """The dead letter for a write that OpenSearch refuses."""
        return cls(
            table=table,
            keys=write.keys,
            index=write.index,
            id=write.id,
            action="delete" if write.content is None else "index",
            version=write.version,
            sequence_number=write.sequence_number,
            reason=reason,
        )

    def to_json(self, at: datetime) -> str:
        """The dead letter in its documented form; ``keys`` are DynamoDB JSON."""
        return json.dumps(
            {
                "kind": "record" if self.id is None else "document",
                "table": self.table,
                "keys": None if self.keys is None else as_json(self.keys),
                "index": self.index,
                "id": self.id,
                "action": self.action,
                "version": self.version,
                "sequenceNumber": self.sequence_number,
                "reason": {"type": self.reason.type, "message": self.reason.message[:_MESSAGE_CHARACTERS]},
                "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            },
            separators=(",", ":"),
        )


WITHOUT_KEYS = "verify names what is missing; after that, redrive --drop-keyless deletes it"


def keys_of_letter(letter: Mapping[str, Any], tables: Collection[str], indices: Collection[str]) -> Any:
    """The primary key that a dead letter holds, unchanged.

    Args:
        tables: the names of the sync's table that a dead letter may have.
        indices: the indices that a dead letter may be about.

    Raises:
        UnusableError: the dead letter is another sync's.
        KeylessError: the keys of its record couldn't be read.
    """
    if letter.get("table") not in tables:
        raise UnusableError(f"it is about another table, {letter.get('table')!r:.200}")
    index = letter.get("index")
    if index is not None and index not in list(indices):  # it may be of any type
        raise UnusableError(f"it is about another index, {letter.get('index')!r:.200}")
    if letter["keys"] is None:
        raise KeylessError(f"the record's keys couldn't be read; {WITHOUT_KEYS}")
    return letter["keys"]
