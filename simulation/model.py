"""Runs random histories of one item through the real ``coalesce`` and ``converge``, without I/O.

Every actor (the table's writer, pollers, settlers, a backfill, the network) is a greenlet that yields wherever the real
actor would wait for I/O, so a seed is one interleaving. Requests may land long after their sender died, answers get
lost, invocations are killed anywhere, batches are split, grown and replayed, clocks disagree. At the end, once every
request has landed, each index must hold what the table's item says.

A world has one index of whole items, or several projections: then the item has few values, so that it often enters and
leaves an index, or changes without any effect there.
"""

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from dynamodb_opensearch.core import changes, converge
from dynamodb_opensearch.core.answers import DONE, Kind, Outcome
from dynamodb_opensearch.core.changes import Reading, Settle, Write
from dynamodb_opensearch.core.items import Item
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.core.projections import Projection, parse_projections
from dynamodb_opensearch.core.reasons import Reason
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.core.versions import scan_version
from dynamodb_opensearch.sources.dynamodb_stream import decode
from greenlet import getcurrent, greenlet

from simulation.worlds import BROAD, CONFLICT_WINDOW, MUST_HOLD, ONE_INDEX, SEVERAL, TRAP, VIEWS, Content, make_item

_START = 1_700_000_000
_SCHEMA = KeySchema(("pk",))
_KEYS = {"pk": {"S": "k"}}
_LOST = Outcome(Kind.LATER, Reason("timeout"))
_NEVER = 10**6
_FOREIGN: Mapping[str, Any] = {"foreign": True}


class Killed(Exception):  # noqa: N818 (not an error: Lambda ends an invocation)
    """The invocation's process was killed."""


@dataclass(slots=True)
class Document:
    """A document or its tombstone in OpenSearch, under ``version_type=external``."""

    content: Content = None
    version: int = -1
    or_equal: bool = False
    """Whether the index compares as ``external_gte`` does, which must not be used."""

    def apply(self, version: int, content: Content) -> Outcome:
        if version > self.version or (self.or_equal and version == self.version):
            self.content, self.version = content, version
            return DONE
        return Outcome(Kind.CONFLICT, stored=self.version)


class History:
    """The world of one seed. ``run`` returns the story of a divergence, or None if all went well.

    Args:
        several: whether there are several projections, and records with both images, instead of one whole index.
    """

    def __init__(self, seed: int, *, or_equal: bool = False, source: str = "read", several: bool = False) -> None:
        self.random = random.Random(seed)
        self.several = several
        self.temper = ONE_INDEX if not several else self.random.choice([BROAD, TRAP])
        skip_unchanged = several and self.random.random() < 0.6
        all_projections = parse_projections(SEVERAL, _SCHEMA, skip_unchanged=skip_unchanged)
        self.projections = {
            projection.index: projection
            for projection in all_projections
            if (several and self.random.random() < 0.7) or projection.index == "whole"
        }
        self.documents = {index: Document(or_equal=or_equal) for index in self.projections}
        self.is_foreign = seed % 20 == 7  # another sync wrote here, whose versions aren't times
        if self.is_foreign:
            whole = self.documents["whole"]  # where every change counts: nothing else would ever look at the document
            whole.content, whole.version = _FOREIGN, 4_102_444_800 * 10**9 + 990 + seed % 10
        self.now = float(_START)
        self.table: Content = None
        self.records: list[dict[str, Any]] = []
        self.in_flight: list[tuple[str, int, Content]] = []
        self.story: list[str] = []
        self.kills = self.random.choice(self.temper.kills)
        self.source = source
        self._actors: list[greenlet] = []
        self._hub = getcurrent()

    def run(self) -> str | None:
        """Run all actors to their end, land what is in flight, and compare."""
        draw, temper = self.random, self.temper
        images = draw.random() < 0.7
        views = draw.choice(VIEWS) if self.several else ["new"] if images else ["keys"]
        changes_left = draw.randint(*temper.changes)
        self._spawn(partial(self._write_table, changes_left, views))
        for number in range(draw.choice(temper.pollers)):
            self._spawn(partial(self._poll, number, changes_left))
        for number in range(draw.choice(temper.settlers)):
            self._spawn(partial(self._repair, number))
        if draw.random() < temper.backfills:
            self._spawn(self._backfill)
        # The known exception needs both. Worlds with one index show it; here it would hide what else goes wrong.
        if draw.random() < temper.damages and not (self.several and self.is_foreign):
            self._spawn(self._damage)
        while self._actors:
            self._actors[draw.randrange(len(self._actors))].switch()
            self._actors = [actor for actor in self._actors if not actor.dead]
            if self.in_flight and draw.random() < temper.haste:
                self._land(draw.randrange(len(self.in_flight)))
        while self.in_flight:
            self._land(draw.randrange(len(self.in_flight)))
        wrong = [
            f"{index} holds {document.content} v{document.version}, not {self._must_hold(index)}"
            for index, document in self.documents.items()
            if document.content != self._must_hold(index)
        ]
        return "\n".join([*self.story, f"the table has {self.table}", *wrong]) if wrong else None

    def _must_hold(self, index: str) -> Content:
        return None if self.table is None else MUST_HOLD[index](self.table)

    # -- actors

    def _write_table(self, count: int, views: Sequence[str]) -> None:
        draw = self.random
        # Two clocks that disagree by less than the window minus a second; DynamoDB's own is between them.
        wide = draw.randint(2, CONFLICT_WINDOW - 2)
        spread = min(draw.choice(self.temper.spreads), wide)
        skews = [-draw.randint(0, spread), 0]
        skews[1] = skews[0] + spread
        counter = draw.choice([1, 999_990, 999_998])
        big = draw.random() < 0.7  # AWS's form of sequence numbers, or DynamoDB Local's
        shuffled = draw.random() < 0.2  # no order within a second at all
        pace = draw.choice(self.temper.paces)
        for number in range(count):
            self.now += draw.uniform(0, pace)
            deleted = number > 0 and draw.random() < 0.25 and not (self.several and self.table is None)
            counter += draw.randint(1, 3)
            low = draw.randrange(10**6) if shuffled else counter
            stamp = int(self.now + draw.choice(skews))
            before, self.table = self.table, None if deleted else make_item(draw, number, several=self.several)
            data: dict[str, Any] = {
                "Keys": _KEYS,
                "ApproximateCreationDateTime": stamp,
                "SequenceNumber": str(low * 10**20 + draw.randrange(10**20) if big else low),
            }
            view = views[0] if len(views) == 1 else draw.choice(views)
            if self.table is not None and view in {"both", "new"}:
                data["NewImage"] = _attributes(self.table)
            if before is not None and view in {"both", "old"}:
                data["OldImage"] = _attributes(before)
            name = "REMOVE" if deleted else "INSERT" if before is None else "MODIFY"
            self.records.append({"eventName": name, "dynamodb": data})
            self._note(f"change {number}: {name} {self.table}, stamp {stamp - _START}, order {low}")
            self._wait()

    def _poll(self, number: int, total: int) -> None:
        draw = self.random
        checkpoint = 0
        while checkpoint < total:
            available = len(self.records)
            if checkpoint >= available:
                self._wait()
                continue
            end = min(available, checkpoint + draw.choice(self.temper.batch_sizes))
            name = f"poller {number} {checkpoint}..{end - 1}"
            batch = changes.coalesce(decode(self.records[checkpoint:end], _SCHEMA), self.projections.values())
            try:
                result = self._converge(name, batch.changes.values())
            except Killed:
                self._note(f"{name}: killed")
                continue
            undone = [batch.first_positions[address] for address in result.unfinished]
            checkpoint = checkpoint + min(undone) if undone else end
            if draw.random() < 0.05:
                checkpoint = draw.randint(0, checkpoint)
                self._note(f"poller {number}: replays from {checkpoint}")

    def _repair(self, number: int) -> None:
        for _ in range(self.random.randint(1, 3)):
            for _ in range(self.random.randint(0, 6)):
                self._wait()
            try:
                self._converge(f"settler {number}", self._settles())
            except Killed:
                self._note(f"settler {number}: killed")

    def _backfill(self) -> None:
        for _ in range(self.random.randint(0, 6)):
            self._wait()
        item, version = self.table, scan_version(int(self.now), CONFLICT_WINDOW)
        self._wait()
        if item is None:  # a scan sees no deleted items
            return
        for index, projection in self.projections.items():
            content = _document(projection, _attributes(item))
            if content is not None:
                outcome = self.documents[index].apply(version, content)
                self._note(f"backfill writes {content} v{version} into {index}: {outcome.kind.value}")

    def _damage(self) -> None:
        """Lose the document with its version, as a manual delete or a restart may; then repair it."""
        for _ in range(self.random.randint(0, 12)):
            self._wait()
        for document in self.documents.values():
            document.content, document.version = None, -1
        self.now += self.random.choice([0, 200])
        self._note("the document is lost")
        newest = scan_version(int(self.now), CONFLICT_WINDOW)
        safe = [(index, version, content) for index, version, content in self.in_flight if version <= newest]
        self.in_flight = safe  # newer ones must have landed: nothing distinguishes them from a future change
        while True:
            try:
                result = self._converge("repair", self._settles())
            except Killed:
                continue
            if not result.unfinished:
                return

    def _settles(self) -> list[Settle]:
        return [Settle(index, "k", _KEYS) for index in self.projections]

    # -- what an invocation sees of OpenSearch and DynamoDB

    def _converge(self, name: str, pending: Iterable[changes.Change]) -> converge.Result:
        patience = _Patience(self.random.choice([0, 1, 3, _NEVER]))
        return converge.converge(
            pending,
            projections=self.projections,
            writer=_Writer(self, name),
            table=_Table(self, name),
            deadline=patience,  # type: ignore[arg-type]
            conflict_window=CONFLICT_WINDOW,
            tally=Tally(),
            now=lambda: self.now,
        )

    def send(self, name: str, write: Write) -> Outcome:
        """Carry a write to OpenSearch, and its answer back. Either may fail."""
        content = None if write.content is None else _encoded(self.projections[write.index], write.content)
        document = self.documents[write.index]
        self._wait()
        fate = self.random.random()
        if fate < 0.7 or self.kills == 0:
            outcome = document.apply(write.version, content)
            what = f"{content} v{write.version} into {write.index}"
            self._note(f"{name}: writes {what}: {outcome.kind.value} (v{document.version})")
            if fate > 0.65 and self.kills:
                self.kills -= 1
                return _LOST  # applied, but the answer is lost
            self._wait()
            return outcome
        self.kills -= 1
        if fate < 0.95:
            self.in_flight.append((write.index, write.version, content))
            self._note(f"{name}: {content} v{write.version} into {write.index} stays in flight")
        if fate < 0.85:
            raise Killed
        return _LOST

    def read(self, name: str) -> tuple[Content, int]:
        """Read consistently: return the item as it is now, and DynamoDB's clock."""
        self._wait()
        content, read_at = self.table, int(self.now)
        self._note(f"{name}: reads {content} at {read_at - _START}")
        if self.kills and self.random.random() < 0.1:
            self.kills -= 1
            raise Killed
        return content, read_at

    def image_of(self, sequence_number: str) -> Content:
        """Return the content that a record's image holds."""
        data = (record["dynamodb"] for record in self.records)
        record = next(fields for fields in data if fields["SequenceNumber"] == sequence_number)
        return {"pk": "k", "n": int(record["NewImage"]["n"]["N"])} if "NewImage" in record else None

    # -- scheduling

    def _spawn(self, actor: Callable[[], None]) -> None:
        self._actors.append(greenlet(actor, self._hub))

    def _wait(self) -> None:
        self.now += self.random.choice([0, 0, 0.01, 0.4, 3.0])
        self._hub.switch()

    def _land(self, position: int) -> None:
        index, version, content = self.in_flight.pop(position)
        outcome = self.documents[index].apply(version, content)
        self._note(f"in flight {content} v{version} lands in {index}: {outcome.kind.value}")

    def _note(self, line: str) -> None:
        self.story.append(f"{self.now - _START:8.2f}  {line}")


@dataclass(slots=True)
class _Patience:
    """A deadline that allows a number of retry rounds."""

    rounds: int

    def remaining_seconds(self) -> float:
        return 1.0

    def back_off(self, attempt: int) -> bool:
        del attempt
        self.rounds -= 1
        return self.rounds >= 0


@dataclass(slots=True)
class _Writer:
    history: History
    name: str

    def write(
        self, writes: Iterable[Write], deadline: Any, tally: Tally, halvings: Mapping[str, int], /
    ) -> Iterator[tuple[Write, Outcome]]:
        del deadline, tally, halvings
        for write in writes:
            yield write, self.history.send(self.name, write)


@dataclass(slots=True)
class _Table:
    history: History
    name: str
    reads: dict[str, tuple[Content, int]] = field(default_factory=dict)

    def read(self, keys: Iterable[Settle], deadline: Any, *, unreadable: Any) -> Iterator[Reading]:
        del deadline, unreadable
        for key in keys:
            content, read_at = self._read(key)
            yield Reading(key.id, None if content is None else _attributes(content), read_at)

    def _read(self, settle: Settle) -> tuple[Content, int]:
        """Read again for every attempt. The other sources must not be used: the first read, or the record's image."""
        content, read_at = self.history.read(self.name)
        match self.history.source:
            case "first read":
                content, read_at = self.reads.setdefault(settle.id, (content, read_at))
            case "image" if settle.sequence_number is not None:
                content = self.history.image_of(settle.sequence_number)
        return content, read_at


def _attributes(item: Mapping[str, Any]) -> Item:
    return {name: {"S" if isinstance(value, str) else "N": str(value)} for name, value in item.items()}


def _document(projection: Projection, item: Item) -> Content:
    content = projection.project(item)
    return None if content is None else _encoded(projection, content)


def _encoded(projection: Projection, content: Any) -> Content:
    document = projection.encode(content)
    assert isinstance(document, bytes), document
    value: Content = json.loads(document)
    return value
