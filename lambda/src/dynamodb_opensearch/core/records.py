"""One change of an item, as every source delivers it, and a record that can't be read as one."""

from dataclasses import dataclass
from enum import Enum
from typing import Literal, NamedTuple

from dynamodb_opensearch.core.items import Item


class Unseen(Enum):
    """Where an item should be: the source doesn't show it."""

    UNSEEN = "unseen"


UNSEEN: Literal[Unseen.UNSEEN] = Unseen.UNSEEN

Image = Item | None | Literal[Unseen.UNSEEN]
"""An item at one side of a change; None if there was none."""


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
    new: Image
    """The item after the change. If it is unseen, the item must be read."""
    old: Image = UNSEEN
    """The item before the change."""


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A record that hasn't the form that its source documents, and what is known of it."""

    position: int
    """Its index in the batch."""
    reason: str
    keys: Item | None
    sequence_number: str | None
