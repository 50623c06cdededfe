"""One change of an item, as every source delivers it; and what can't be read as one."""

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
    """The item after the change; None: it was removed, or the source doesn't say."""
    is_known: bool = True
    """Whether the source says what the change made of the item. If not, the item must be read."""


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A record that isn't what its source documents, and what is known of it."""

    position: int
    """Its index in the batch."""
    reason: str
    keys: Item | None
    sequence_number: str | None
