"""One change of an item, as every source delivers it, and a record that can't be read as one."""

from dataclasses import dataclass
from typing import NamedTuple

from dynamodb_opensearch.core.items import Item


class Record(NamedTuple):  # a third of a frozen dataclass's time to make
    """A change of one item."""

    id: str
    """The document's id."""
    keys: Item
    own: int
    """The record's own version; see ``versions.own_version``."""
    sequence_number: str | None
    second: int
    """Epoch second of the change."""
    image: Item | None
    """The item after the change; None if it was removed, or if the source doesn't show it."""
    is_known: bool = True
    """Whether the source says what the item is after the change. If not, the item must be read."""


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A record that hasn't the form that its source documents, and what is known of it."""

    position: int
    """Its index in the batch."""
    reason: str
    keys: Item | None
    sequence_number: str | None
