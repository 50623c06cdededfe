"""Compares an item's expected document with the stored one. No I/O, and no decision about what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dynamodb_opensearch.core.documents import Document, Place, exact
from dynamodb_opensearch.core.items import Item, as_json, unescape_name
from dynamodb_opensearch.core.kept import WHOLE, Kept
from dynamodb_opensearch.core.versions import is_time


class Kind(StrEnum):
    """How a document differs from its item."""

    MISSING = "missing"
    """The item has no document."""
    GHOST = "ghost"
    """The document has no item."""
    STALE = "stale"
    """The document's content differs from the item's, and its version is one of ours: the content is older."""
    WRONG_CONTENT = "wrong content"
    """As stale, but the version isn't one of ours: something else wrote it."""
    WRONG_PLACE = "wrong place"
    """Searches find it, but in an index of the alias that isn't written to, or under a custom routing."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One document that isn't as its item says."""

    kind: Kind
    place: Place
    keys: Item | None
    """The item's primary key; None where no item can have this id."""
    version: int | None
    """The document's version; None if it is missing."""
    fields: tuple[str, ...] = ()
    """The top-level attributes whose values differ."""

    def to_json(self) -> dict[str, Any]:
        """The difference as a report holds it: names, keys and versions, never values."""
        return {
            "kind": str(self.kind),
            **self.place.to_json(),
            "keys": None if self.keys is None else as_json(self.keys),
            "version": self.version,
            "fields": list(self.fields),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Difference":
        """The inverse of ``to_json``.

        Raises:
            KeyError, ValueError: the value isn't of that form.
        """
        return cls(
            Kind(value["kind"]),
            Place(value["index"], value["id"], value["routing"]),
            value["keys"],
            value["version"],
            tuple(value["fields"]),
        )


def compare(
    expected: str | None, document: Document | None, now: int, kept: Kept = WHOLE
) -> tuple[Kind, tuple[str, ...]] | None:
    """How a document in its right place differs from its item, and in which attributes; None if it doesn't.

    Args:
        expected: the item's document as ``encode_document`` makes it; None if there is no item.
        now: epoch second by DynamoDB's clock. A version more than an hour ahead of it isn't one of ours.
        kept: which parts of a document the index keeps.
    """
    if expected is None:
        return None if document is None else (Kind.GHOST, ())
    if document is None:
        return Kind.MISSING, ()
    if expected == document.source:
        return None
    kind = Kind.STALE if is_time(document.version, now) else Kind.WRONG_CONTENT
    # Other bytes may still be equal: DynamoDB keeps no order of attributes, and a number has several spellings.
    try:
        wanted, stored = kept.of(exact(expected)), kept.of(exact(document.source))
    except (RecursionError, ValueError):  # not a document that a sync wrote
        return kind, ()
    if wanted == stored:
        return None
    fields = sorted(
        unescape_name(name) for name in wanted.keys() | stored.keys() if wanted.get(name, ...) != stored.get(name, ...)
    )
    return kind, tuple(fields)
