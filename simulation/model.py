"""Runs random histories of one document through the real ``coalesce`` and ``converge``, without I/O.

Every actor (the table's writer, pollers, settlers, a backfill, the network) is a greenlet that yields wherever the real
actor would wait for I/O, so a seed is one interleaving. Requests may land long after their sender died, answers get
lost, invocations are killed anywhere, batches are split, grown and replayed, clocks disagree. At the end, once every
request has landed, the index must hold what the table holds.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from dynamodb_opensearch.core import changes, converge, versions
from dynamodb_opensearch.core.answers import DONE, Kind, Outcome
from dynamodb_opensearch.core.changes import Settle, Write
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.core.reasons import Reason
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.core.versions import scan_version
from dynamodb_opensearch.sources.dynamodb_stream import decode
from greenlet import getcurrent, greenlet

CONFLICT_WINDOW = 60
_START = 1_700_000_000
_SCHEMA = KeySchema(("pk",))
_KEYS = {"pk": {"S": "k"}}
_LOST = Outcome(Kind.LATER, Reason("timeout"))
_NEVER = 10**6
_FOREIGN = -1

Content = int | None
"""The number of the change that the document holds; None if it doesn't exist."""


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
    """The world of one seed. ``run`` returns the story of a divergence, or None if all went well."""

    def __init__(self, seed: int, *, or_equal: bool = False, source: str = "read") -> None:
        self.random = random.Random(seed)
        self.document = Document(or_equal=or_equal)
        if seed % 20 == 7:  # another sync wrote here, whose versions aren't times
            self.document.content, self.document.version = _FOREIGN, 4_102_444_800 * 10**9 + 990 + seed % 10
        self.now = float(_START)
        self.table: Content = None
        self.records: list[dict[str, Any]] = []
        self.in_flight: list[tuple[int, Content]] = []
        self.story: list[str] = []
        self.kills = self.random.choice([0, 1, 3, 6])
        self.source = source
        self._actors: list[greenlet] = []
        self._hub = getcurrent()

    def run(self) -> str | None:
        """Run all actors to their end, land what is in flight, and compare."""
        draw = self.random
        images = draw.random() < 0.7
        changes_left = draw.randint(2, 7)
        self._spawn(partial(self._write_table, changes_left, keys_only=not images))
        for number in range(draw.choice([1, 1, 1, 2])):
            self._spawn(partial(self._poll, number, changes_left))
        for number in range(draw.choice([0, 0, 1, 2])):
            self._spawn(partial(self._repair, number))
        if draw.random() < 0.2:
            self._spawn(self._backfill)
        if draw.random() < 0.2:
            self._spawn(self._damage)
        while self._actors:
            self._actors[draw.randrange(len(self._actors))].switch()
            self._actors = [actor for actor in self._actors if not actor.dead]
            if self.in_flight and draw.random() < 0.1:
                self._land(draw.randrange(len(self.in_flight)))
        while self.in_flight:
            self._land(draw.randrange(len(self.in_flight)))
        if self.document.content == self.table:
            return None
        return "\n".join([*self.story, f"table {self.table}, index {self.document.content} v{self.document.version}"])

    # -- actors

    def _write_table(self, count: int, *, keys_only: bool) -> None:
        draw = self.random
        # Two clocks that disagree by less than the window minus a second; DynamoDB's own is between them.
        spread = draw.choice([0, 1, draw.randint(2, CONFLICT_WINDOW - 2)])
        skews = [-draw.randint(0, spread), 0]
        skews[1] = skews[0] + spread
        counter = draw.choice([1, 999_990, 999_998])
        big = draw.random() < 0.7  # AWS's form of sequence numbers, or DynamoDB Local's
        shuffled = draw.random() < 0.2  # no order within a second at all
        pace = draw.choice([0.1, 0.5, 2.0, 30.0, 100.0])
        for number in range(count):
            self.now += draw.uniform(0, pace)
            deleted = number > 0 and draw.random() < 0.25
            counter += draw.randint(1, 3)
            low = draw.randrange(10**6) if shuffled else counter
            stamp = int(self.now + draw.choice(skews))
            self.table = None if deleted else number
            data: dict[str, Any] = {
                "Keys": _KEYS,
                "ApproximateCreationDateTime": stamp,
                "SequenceNumber": str(low * 10**20 + draw.randrange(10**20) if big else low),
            }
            if not deleted and not keys_only:
                data["NewImage"] = {"pk": {"S": "k"}, "n": {"N": str(number)}}
            self.records.append({"eventName": "REMOVE" if deleted else "MODIFY", "dynamodb": data})
            self._note(f"change {number}: {'delete' if deleted else 'put'}, stamp {stamp - _START}, order {low}")
            self._wait()

    def _poll(self, number: int, total: int) -> None:
        draw = self.random
        checkpoint = 0
        while checkpoint < total:
            available = len(self.records)
            if checkpoint >= available:
                self._wait()
                continue
            end = min(available, checkpoint + draw.choice([1, 1, 2, 3, 10]))
            name = f"poller {number} {checkpoint}..{end - 1}"
            batch = changes.coalesce(decode(self.records[checkpoint:end], _SCHEMA))
            try:
                result = self._converge(name, batch.changes.values())
            except Killed:
                self._note(f"{name}: killed")
                continue
            undone = [batch.first_positions[key] for key in result.unfinished]
            checkpoint = checkpoint + min(undone) if undone else end
            if draw.random() < 0.05:
                checkpoint = draw.randint(0, checkpoint)
                self._note(f"poller {number}: replays from {checkpoint}")

    def _repair(self, number: int) -> None:
        for _ in range(self.random.randint(1, 3)):
            for _ in range(self.random.randint(0, 6)):
                self._wait()
            try:
                self._converge(f"settler {number}", [Settle("k", _KEYS)])
            except Killed:
                self._note(f"settler {number}: killed")

    def _backfill(self) -> None:
        for _ in range(self.random.randint(0, 6)):
            self._wait()
        content, version = self.table, scan_version(int(self.now), CONFLICT_WINDOW)
        self._wait()
        if content is not None:  # a scan sees no deleted items
            outcome = self.document.apply(version, content)
            self._note(f"backfill writes {content} v{version}: {outcome.kind.value}")

    def _damage(self) -> None:
        """Lose the document with its version, as a manual delete or a restart may; then repair it."""
        for _ in range(self.random.randint(0, 12)):
            self._wait()
        self.document.content, self.document.version = None, -1
        self.now += self.random.choice([0, 200])
        self._note("the document is lost")
        newest = scan_version(int(self.now), CONFLICT_WINDOW)
        safe = [(version, content) for version, content in self.in_flight if version <= newest]
        self.in_flight = safe  # newer ones must have landed: nothing distinguishes them from a future change
        while True:
            try:
                result = self._converge("repair", [Settle("k", _KEYS)])
            except Killed:
                continue
            if not result.unfinished:
                return

    # -- what an invocation sees of OpenSearch and DynamoDB

    def _converge(self, name: str, pending: Iterable[changes.Change]) -> converge.Result:
        patience = _Patience(self.random.choice([0, 1, 3, _NEVER]))
        return converge.converge(
            pending,
            index=_Index(self, name),
            table=_Table(self, name),
            deadline=patience,  # type: ignore[arg-type]
            conflict_window=CONFLICT_WINDOW,
            tally=Tally(),
            now=lambda: self.now,
        )

    def send(self, name: str, write: Write) -> Outcome:
        """Carry a write to OpenSearch, and its answer back. Either may fail."""
        content = None if write.image is None else int(write.image["n"]["N"])
        self._wait()
        fate = self.random.random()
        if fate < 0.7 or self.kills == 0:
            outcome = self.document.apply(write.version, content)
            self._note(f"{name}: writes {content} v{write.version}: {outcome.kind.value} (v{self.document.version})")
            if fate > 0.65 and self.kills:
                self.kills -= 1
                return _LOST  # applied, but the answer is lost
            self._wait()
            return outcome
        self.kills -= 1
        if fate < 0.95:
            self.in_flight.append((write.version, content))
            self._note(f"{name}: {content} v{write.version} stays in flight")
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
        return int(record["NewImage"]["n"]["N"]) if "NewImage" in record else None

    # -- scheduling

    def _spawn(self, actor: Callable[[], None]) -> None:
        self._actors.append(greenlet(actor, self._hub))

    def _wait(self) -> None:
        self.now += self.random.choice([0, 0, 0.01, 0.4, 3.0])
        self._hub.switch()

    def _land(self, position: int) -> None:
        version, content = self.in_flight.pop(position)
        outcome = self.document.apply(version, content)
        self._note(f"in flight {content} v{version} lands: {outcome.kind.value}")

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
class _Index:
    history: History
    name: str

    def write(
        self, writes: Iterable[Write], deadline: Any, tally: Tally, halvings: int = 0
    ) -> Iterator[tuple[Write, Outcome]]:
        del deadline, tally, halvings
        for write in writes:
            yield write, self.history.send(self.name, write)


@dataclass(slots=True)
class _Table:
    history: History
    name: str
    reads: dict[str, tuple[Content, int]] = field(default_factory=dict)

    def settle(self, settles: Iterable[Settle], deadline: Any, unreadable: Any) -> Iterator[Write]:
        del deadline, unreadable
        for settle in settles:
            content, read_at = self._read(settle)
            version = versions.settled_version(
                stored=settle.stored,
                highest_own=settle.highest_own,
                read_at=read_at,
                conflict_window=CONFLICT_WINDOW,
            )
            if version is not None:
                image = None if content is None else {"n": {"N": str(content)}}
                yield Write(settle.id, settle.keys, version, settle.highest_own, None, image)

    def _read(self, settle: Settle) -> tuple[Content, int]:
        """Read again for every attempt. The other sources must not be used: the first read, or the record's image."""
        content, read_at = self.history.read(self.name)
        match self.history.source:
            case "first read":
                content, read_at = self.reads.setdefault(settle.id, (content, read_at))
            case "image" if settle.sequence_number is not None:
                content = self.history.image_of(settle.sequence_number)
        return content, read_at
