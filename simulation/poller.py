"""Models an event source mapping as AWS documents it: batches, checkpoints, partial failures, bisection. No I/O.

See https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html and
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html"""

import random
import zlib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulation.history import Record, Shard, Stream
from simulation.schedule import Consumer

Batch = tuple[Record, ...]


def first_to_retry(batch: Batch, response: Any) -> int:
    """Return the position in the batch from which Lambda retries; the batch's length if all of it counts as done.

    Nothing, null and empty lists mean success. A key of another name and an empty or null identifier fail the whole
    batch. AWS doesn't document an identifier that isn't in the batch: here it fails the whole batch too."""
    failures = response.get("batchItemFailures") if isinstance(response, Mapping) else None
    if not failures:
        return len(batch)
    numbers = [record.sequence_number for record in batch]
    positions = []
    for failure in failures:
        identifier = failure.get("itemIdentifier") if isinstance(failure, Mapping) else None
        if identifier not in numbers:
            return 0
        positions.append(numbers.index(identifier))
    return min(positions)


@dataclass(eq=False, slots=True)
class Lane:
    """Records of a shard, delivered batch by batch; with a parallelization factor, only those of some items."""

    records: Sequence[Record]
    position: int = 0
    retries: deque[Batch] = field(default_factory=deque)
    in_flight: Batch | None = None

    @property
    def checkpoint(self) -> int:
        """Position of the first record that isn't known to be done."""
        waiting = self.in_flight or (self.retries[0] if self.retries else None)
        return self.records.index(waiting[0]) if waiting else self.position

    @property
    def is_drained(self) -> bool:
        return self.checkpoint == len(self.records)

    def has_batch(self, now: float) -> bool:
        if self.in_flight is not None:
            return False
        return bool(self.retries) or (self.position < len(self.records) and self.records[self.position].at <= now)

    def take_batch(self, now: float, size: int, *, regroup: bool) -> Batch:
        """Return the next batch to deliver.

        `regroup` reads again from the checkpoint: the retried batch then has other bounds, and may have grown."""
        if regroup:
            self.position = self.checkpoint
            self.retries.clear()
        if self.retries:
            batch = self.retries.popleft()
        else:
            readable = [r for r in self.records[self.position : self.position + size] if r.at <= now]
            batch = tuple(readable)
            self.position += len(batch)
        self.in_flight = batch
        return batch

    def succeed(self, response: Any) -> None:
        """Note that the function returned: what it didn't report as failed is done, the rest is retried."""
        batch = self._landed()
        rest = batch[first_to_retry(batch, response) :]
        if rest:
            self.retries.appendleft(rest)

    def fail(self, *, bisect: bool) -> None:
        """Note that the function raised, timed out or died: the batch is retried, in two halves if bisected."""
        batch = self._landed()
        middle = len(batch) // 2
        halves = (batch[:middle], batch[middle:]) if bisect and middle else (batch,)
        self.retries.extendleft(reversed(halves))

    def _landed(self) -> Batch:
        if self.in_flight is None:
            raise RuntimeError("no invocation of this lane is under way")
        batch, self.in_flight = self.in_flight, None
        return batch


class EventSourceMapping:
    """A consumer of a stream, from its oldest record on (TRIM_HORIZON), which retries without limit."""

    def __init__(self, consumer: Consumer, stream: Stream) -> None:
        self.consumer = consumer
        self.stream = stream
        self.factor = consumer.parallelization_factor
        self._lanes: dict[str, list[Lane]] = {shard.shard_id: self._divide(shard, 0) for shard in stream.shards}

    @property
    def lanes(self) -> list[Lane]:
        return [lane for lanes in self._lanes.values() for lane in lanes]

    @property
    def is_drained(self) -> bool:
        return all(lane.is_drained for lane in self.lanes)

    def ready_lanes(self, now: float) -> list[Lane]:
        """Return the lanes that have a batch to deliver. A shard's children wait until the whole parent is done."""
        return [
            lane
            for shard in self.stream.shards
            if shard.parent is None or all(parent.is_drained for parent in self._lanes[shard.parent])
            for lane in self._lanes[shard.shard_id]
            if lane.has_batch(now)
        ]

    def take_batch(self, lane: Lane, now: float, rng: random.Random) -> Batch:
        size = rng.randint(1, self.consumer.batch_size) if rng.random() < 0.5 else self.consumer.batch_size
        return lane.take_batch(now, size, regroup=rng.random() < self.consumer.regroups)

    def restart(self, rng: random.Random) -> None:
        """Restart the poller with older checkpoints, and perhaps with another number of lanes.

        Invocations under way continue, but their results no longer count."""
        self.factor = rng.randint(1, 3)
        for shard in self.stream.shards:
            done = {r.sequence_number for lane in self._lanes[shard.shard_id] for r in lane.records[: lane.checkpoint]}
            first_undone = next(
                (i for i, r in enumerate(shard.records) if r.sequence_number not in done), len(shard.records)
            )
            self._lanes[shard.shard_id] = self._divide(shard, first_undone - rng.randint(0, min(first_undone, 8)))

    def _divide(self, shard: Shard, first: int) -> list[Lane]:
        shares: list[list[Record]] = [[] for _ in range(self.factor)]
        for record in shard.records[first:]:
            shares[zlib.crc32(record.key.encode()) % self.factor].append(record)
        return [Lane(tuple(share)) for share in shares]
