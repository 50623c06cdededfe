"""Documents: their places, their content as JSON, and an exact reading of a ``_source``. Pure."""

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple

from dynamodb_opensearch.core.items import Item, encode_item, escape_name, force_escape, quote


def encode_document(item: Item) -> bytes:
    """An item's document: the bytes of a JSON object with every attribute of the item.

    Raises:
        UndecodableError: a value isn't DynamoDB JSON.
    """
    return encode_item(item, member)


@lru_cache(maxsize=4096)
def member(name: str) -> str:
    """A top-level attribute's ``"name":`` text. A leading ``_`` is escaped, because OpenSearch reserves such names.

    It refuses some (``_id``, ``_id.x``), and takes others that break it: after one document with ``__soft_deletes`` or
    ``_tombstone``, Lucene refuses every later update and delete of the shard. No list of them would stay complete.
    """
    return quote(force_escape(name) if name[:1] == "_" else escape_name(name)) + ":"


class Document(NamedTuple):
    """A document as it is in the index."""

    version: int
    source: str
    """The JSON text as it was written; empty if it wasn't asked for."""
    routing: str | None = None
    """The routing under which it was written."""
    ignored: tuple[str, ...] = ()
    """Fields whose values are kept but not indexed, because they are malformed or too long."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document is."""

    index: str
    id: str
    routing: str | None = None

    def to_json(self) -> dict[str, str | None]:
        """The place as a report holds it."""
        return {"index": self.index, "id": self.id, "routing": self.routing}


def exact(source: str) -> Any:
    """A ``_source`` as Python objects. A number becomes a tuple of one Decimal, so that ``1`` never equals ``true``.

    A number with an exponent beyond a Decimal's becomes a tuple of its text.

    Raises:
        RecursionError, ValueError: it isn't JSON, or is nested too deep for Python.
    """
    return json.loads(source, parse_float=_number, parse_int=_number)


def _number(text: str) -> tuple[Decimal | str]:
    try:
        return (Decimal(text),)
    except InvalidOperation:  # an exponent beyond a Decimal's, and far beyond DynamoDB's
        return (text,)
