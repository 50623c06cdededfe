"""What may be wrong with a document, judged from item and document alone. No I/O, and no decision what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dynamodb_opensearch.core.documents import Document, Place, exact
from dynamodb_opensearch.core.items import Item, as_json, unescape_name
from dynamodb_opensearch.core.kept import WHOLE, Kept
from dynamodb_opensearch.core.versions import is_time


class Kind(StrEnum):
    """What is wrong."""

    MISSING = "missing"
    """The item has no document."""
    GHOST = "ghost"
    """The document has no item."""
    STALE = "stale"
    """The document's content is another than the item's; its version is one of ours, so it is an older content."""
    WRONG_CONTENT = "wrong content"
    """As stale, but with a version that is none of ours: something else wrote it."""
    WRONG_PLACE = "wrong place"
    """Searches find it, but it stands in an index of the alias that isn't written to, or under a custom routing."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One document that isn't as it should be."""

    kind: Kind
    place: Place
    keys: Item | None
    """The item's primary key; None where no item can have this id."""
    version: int | None
    """The document's; None if it is missing."""
    fields: tuple[str, ...] = ()
    """The top-level attributes whose values differ."""

    def to_json(self) -> dict[str, Any]:
        """As a report holds it. Names, keys and versions, never values."""
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
    """What is wrong with a document in its right place, and the attributes that differ; None if all is well.

    Args:
        expected: the item's document as ``encode_document`` makes it; None: there is no item.
        now: epoch second by DynamoDB's clock: a version beyond it is none of ours.
        kept: what the index keeps of a document.
    """
    if expected is None:
        return None if document is None else (Kind.GHOST, ())
    if document is None:
        return Kind.MISSING, ()
    if expected == document.source:
        return None
    kind = Kind.STALE if is_time(document.version, now) else Kind.WRONG_CONTENT
    # Not the same bytes: DynamoDB keeps no order of attributes, and knows more than one spelling of a number.
    try:
        should, stands = kept.of(exact(expected)), kept.of(exact(document.source))
    except (RecursionError, ValueError):  # no document of ours
        return kind, ()
    if should == stands:
        return None
    fields = sorted(
        unescape_name(name) for name in should.keys() | stands.keys() if should.get(name, ...) != stands.get(name, ...)
    )
    return kind, tuple(fields)
