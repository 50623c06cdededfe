"""Compares index and table at the end of a schedule, item by item, and names the kind of each difference."""

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from simulation.history import History
from simulation.index import Document
from simulation.items import Item, document_label, is_document_of, is_poison


class Kind(StrEnum):
    LOST = "the table has the item, the index has no document of it"
    STALE = "the document shows an earlier content of the item"
    WRONG = "the document shows what the item never was"
    GHOST = "the index has a document without an item, or a second one of the same item"
    SET_ASIDE = "a dead letter names an item that OpenSearch would always have accepted"
    DROPPED = "OpenSearch refuses the item, and no dead letter names it"
    STUCK = "the function makes no progress although nothing fails any more"
    VIOLATION = "the function did what its contract forbids"


@dataclass(frozen=True, slots=True)
class Difference:
    kind: Kind
    key: str | None
    detail: str

    def __str__(self) -> str:
        return f"{self.kind.name} {self.key or ''}: {self.kind}; {self.detail}"


def compare(history: History, documents: Iterable[Document], dead_letters: AbstractSet[str]) -> list[Difference]:
    """Return what differs after the last write.

    An item that OpenSearch refuses must have a dead letter; its document may then show an earlier content."""
    found: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        found[document_label(document.source, history.key_names)].append(document)
    differences = []
    for key in sorted({*found, *history.keys}):
        contents, item = history.contents(key), history.item(key, float("inf"))
        kind = _judge(contents, item, found[key], has_dead_letter=key in dead_letters)
        if kind is not None:
            differences.append(Difference(kind, key, _describe(kind, item, found[key])))
    return differences


def _judge(contents: list[Item], item: Item | None, found: list[Document], *, has_dead_letter: bool) -> Kind | None:
    kind = None
    if has_dead_letter and not any(map(is_poison, contents)):
        kind = Kind.SET_ASIDE
    elif item is None:
        kind = Kind.GHOST if found else None
    elif len(found) > 1:
        kind = Kind.GHOST
    elif is_poison(item):
        kind = None if has_dead_letter else Kind.DROPPED
    elif not found:
        kind = Kind.LOST
    elif not is_document_of(item, found[0].source):
        kind = Kind.STALE if any(is_document_of(c, found[0].source) for c in contents) else Kind.WRONG
    return kind


def _describe(kind: Kind, item: Item | None, found: list[Document]) -> str:
    wanted = "no item" if item is None else f"serial {item['serial']['N']}"
    shown = ", ".join(f"{d.document_id} version {d.version} serial {_serial(d)}" for d in found) or "no document"
    whole = f"; item {item}, document {found[0].source}" if kind is Kind.WRONG else ""
    return f"{wanted} in the table, {shown} in the index{whole}"


def _serial(document: Document) -> object:
    return document.source.get("serial") if isinstance(document.source, dict) else None
