"""Compares index and table at the end of a schedule, item by item, and names the kind of each difference."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum

from simulation.history import History
from simulation.index import Document
from simulation.items import Item, document_label, is_document_of, is_poison
from simulation.projections import Projection


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
    """Return what differs between the table and an index of whole items after the last write.

    An item that OpenSearch refuses must have a dead letter; its document may then show an earlier content."""
    found: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        found[document_label(document.source, history.key_names)].append(document)
    return _compare(history, found, dead_letters, lambda item: item)


def compare_projected(
    history: History,
    documents: Iterable[Document],
    dead_letters: AbstractSet[str],
    projection: Projection,
    *,
    is_calm: bool,
) -> list[Difference]:
    """Return what differs between what an index must hold and what it holds after the last write.

    An index that is being filled never gets a dead letter. It may have missed anything that failed, but it never holds
    what the item never was; if the schedule `is_calm`, without any failure, it has missed nothing.
    """
    found: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        found[history.ids.get(document.document_id, document.document_id)].append(document)
    differences = _compare(history, found, dead_letters, projection.project)
    if projection.is_standby:
        allowed = {Kind.DROPPED} if is_calm else {Kind.DROPPED, Kind.LOST, Kind.STALE, Kind.GHOST}
        differences = [difference for difference in differences if difference.kind not in allowed]
        differences += [Difference(Kind.VIOLATION, key, "a standby has a dead letter") for key in dead_letters]
    return [replace(each, detail=f"{each.detail} ({projection.name})") for each in differences]


def _compare(
    history: History,
    found: Mapping[str, list[Document]],
    dead_letters: AbstractSet[str],
    project: Callable[[Item | None], Item | None],
) -> list[Difference]:
    differences = []
    for key in sorted({*found, *history.keys}):
        projected = [project(item) for item in history.contents(key)]
        contents = [content for content in projected if content is not None]
        item = history.item(key, float("inf"))
        documents = found.get(key, [])
        kind = _judge(contents, project(item), documents, has_dead_letter=key in dead_letters)
        if kind is not None:
            differences.append(Difference(kind, key, _describe(kind, item, documents)))
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
