"""Makes a table's history over simulated time, and the stream records that describe it."""

import base64
import random
import zlib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from simulation.items import AttributeValue, Item, document_id, key_label, make_item, make_moving_item, make_poison

VIEW_TYPES = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
REGION = "us-east-1"
TABLE_NAME = "products"
TABLE_ARN = f"arn:aws:dynamodb:{REGION}:123456789012:table/{TABLE_NAME}"
WRAP = 10**6  # versions keep a sequence number's order within a second modulo this


@dataclass(frozen=True, slots=True)
class Change:
    """One write to one item, at its true time, which no clock in the system shows exactly."""

    at: float
    key: str
    keys: Item
    item: Item | None
    old: Item | None
    stamp: int
    by_ttl: bool


@dataclass(frozen=True, slots=True)
class Record:
    """One stream record as Lambda delivers it, readable from the moment of its change."""

    at: float
    key: str
    sequence_number: str
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shard:
    shard_id: str
    parent: str | None
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Stream:
    arn: str
    view_type: str
    shards: tuple[Shard, ...]


@dataclass(frozen=True)
class History:
    """The table from its first write to its last, and its streams in order: a new view type makes a new stream."""

    key_names: tuple[str, ...]
    changes: tuple[Change, ...]
    streams: tuple[Stream, ...]
    clock_offsets: tuple[float, ...]

    @cached_property
    def times(self) -> list[float]:
        return [change.at for change in self.changes]

    @cached_property
    def keys(self) -> tuple[str, ...]:
        return tuple(sorted({change.key for change in self.changes}))

    @cached_property
    def ids(self) -> Mapping[str, str]:
        """The id that each key's document must have -> the key."""
        return {document_id(change.keys, self.key_names): change.key for change in self.changes}

    def item(self, key: str, now: float) -> Item | None:
        """Return the item as of `now`: what a consistent read finds."""
        for change in reversed(self.changes[: bisect_right(self.times, now)]):
            if change.key == key:
                return change.item
        return None

    def contents(self, key: str) -> list[Item]:
        """Return every content that the item ever had, oldest first."""
        return [change.item for change in self.changes if change.key == key and change.item is not None]


@dataclass(frozen=True, slots=True)
class Shape:
    """How a history is made: number of items, most writes, clocks, and the probability of each event per write."""

    prefix: str
    keys: int
    most_writes: int
    conflict_window_seconds: int
    clocks: int
    leader_moves: float
    pauses: float
    poison: float
    moving: bool = False
    """Whether items have attributes that decide in which of several indices they are."""


def make_history(rng: random.Random, shape: Shape, view_types: tuple[str, ...], switch_seconds: int) -> History:
    """Make a history of a few items whose partition keys begin with the shape's prefix.

    Each view type has its own stream, which begins `switch_seconds` after the previous one. The clocks that stamp
    records disagree by less than `conflict_window_seconds` - 1: the sync promises nothing beyond that."""
    spread = shape.conflict_window_seconds - 1.01
    offsets = (0.0, spread, *(rng.uniform(0, spread) for _ in range(shape.clocks - 2)))
    key_names, keys = _make_keys(rng, shape)
    changes = _make_changes(rng, shape, key_names, keys, offsets)
    parts = [changes]
    if len(view_types) > 1 and len(changes) > 1:
        cut = rng.randint(1, len(changes) - 1)
        later = [replace(c, at=c.at + switch_seconds, stamp=c.stamp + switch_seconds) for c in changes[cut:]]
        parts = [changes[:cut], later]
    streams = tuple(_make_stream(rng, i, *pair) for i, pair in enumerate(zip(view_types, parts, strict=False)))
    return History(key_names, tuple(change for part in parts for change in part), streams, offsets)


def _make_keys(rng: random.Random, shape: Shape) -> tuple[tuple[str, ...], list[Item]]:
    count = shape.keys
    partition_keys: list[AttributeValue] = [{"S": f"{shape.prefix}-{letter}"} for letter in "abcdef"[:count]]
    match rng.choice(("lone", "lone", "S", "N", "B")):
        case "lone":
            return ("pk",), [{"pk": pk} for pk in partition_keys]
        case "S":
            sort_keys: list[AttributeValue] = [{"S": s} for s in ("x", "y z", "ü/1", "2024-01-01#7", "q?&=", "'")]
        case "N":
            sort_keys = [
                {"N": n} for n in ("1", "-2.5", "0", "1000", "0.001", "12345678901234567890123456789012345678")
            ]
        case _:
            sort_keys = [{"B": base64.b64encode(bytes([255 - i, i, 62]) * (i + 1)).decode()} for i in range(6)]
    pairs = [(rng.choice(partition_keys), sort_key) for sort_key in sort_keys[:count]]
    return ("pk", "sk"), [{"pk": pk, "sk": sk} for pk, sk in pairs]


def _make_changes(
    rng: random.Random, shape: Shape, key_names: tuple[str, ...], keys: list[Item], offsets: tuple[float, ...]
) -> list[Change]:
    at = 1_750_000_000 + rng.uniform(0, 10**7)
    heat = [rng.choice((1, 1, 3, 10)) for _ in keys]
    leader = {key_label(k, key_names): rng.choice(offsets) for k in keys}
    current: dict[str, Item] = {}
    past: dict[str, list[Item]] = {}
    changes: list[Change] = []
    for serial in range(rng.randint(max(2, shape.most_writes // 4), shape.most_writes)):
        at += _make_gap(rng, shape)
        (attributes,) = rng.choices(keys, heat)
        key = key_label(attributes, key_names)
        if rng.random() < shape.leader_moves:  # the partition's leader moves to a node whose clock differs
            leader[key] = rng.choice([offset for offset in offsets if offset != leader[key]] or offsets)
        old = current.get(key)
        item: Item | None = None
        if old is None or rng.random() < 0.75:
            if shape.moving:
                item = make_moving_item(rng, attributes, serial, old, poison=shape.poison)
            else:
                make = make_poison if rng.random() < shape.poison else make_item
                item = make(rng, attributes, serial)
            if past.get(key) and rng.random() < 0.08:  # return to an earlier content: a stale document may look right
                item = rng.choice(past[key])
            if item == old:
                continue  # DynamoDB writes no record for a write that changes nothing
        stamp = int(at + leader[key])
        changes.append(Change(at, key, attributes, item, old, stamp, by_ttl=item is None and rng.random() < 0.2))
        if item is None:
            del current[key]
        else:
            current[key] = item
            past.setdefault(key, []).append(item)
    return changes


def _make_gap(rng: random.Random, shape: Shape) -> float:
    """Seconds until the next write: bursts within a second, steps within the conflict window, pauses beyond it."""
    window = shape.conflict_window_seconds
    if rng.random() < shape.pauses:
        return rng.choice((rng.uniform(0, 1) * window, rng.uniform(1, 3) * window, 3600.0 * rng.randint(1, 30)))
    return rng.choice((rng.uniform(0, 0.3), rng.uniform(0, 0.3), rng.uniform(0, 2), rng.uniform(0, window / 4)))


def _make_stream(rng: random.Random, number: int, view_type: str, changes: list[Change]) -> Stream:
    """Make the records of these changes, in one shard or in a shard that splits in two on the way."""
    arn = f"{TABLE_ARN}/stream/2025-06-15T0{number}:00:00.000"
    split = rng.randint(1, len(changes)) if rng.random() < 0.2 else len(changes)
    halves = {change.key: rng.randrange(2) for change in changes}
    parts: list[tuple[str, str | None, list[Change]]] = [("parent", None, changes[:split])]
    if split < len(changes):
        parts += [(f"child-{h}", "parent", [c for c in changes[split:] if halves[c.key] == h]) for h in (0, 1)]
    as_float = rng.random() < 0.5
    local = rng.random() < 0.3
    shards = []
    for name, parent, part in parts:
        numbers = _sequence_numbers(rng, len(part), local=local)
        records = (_record(c, n, view_type, arn, as_float=as_float) for c, n in zip(part, numbers, strict=True))
        shards.append(Shard(f"shardId-{number}-{name}", parent and f"shardId-{number}-{parent}", tuple(records)))
    return Stream(arn, view_type, tuple(shards))


def _sequence_numbers(rng: random.Random, count: int, *, local: bool) -> list[str]:
    """Ascending numbers, often near a wrap, in AWS's form (a counter above 20 digits) or DynamoDB Local's (padded)."""
    near_wrap = WRAP * rng.randint(1, 300) - rng.randint(0, count + 1)
    first = rng.choice((rng.randint(1, 9), rng.randint(1, 10**9), near_wrap))
    if local:
        return [f"{first + i:021d}" for i in range(count)]
    low = rng.randint(0, 10**8)
    return [str((first + i) * 10**20 + low + i) for i in range(count)]


def _record(change: Change, sequence_number: str, view_type: str, arn: str, *, as_float: bool) -> Record:
    name = "REMOVE" if change.item is None else "INSERT" if change.old is None else "MODIFY"
    data: dict[str, Any] = {
        "ApproximateCreationDateTime": float(change.stamp) if as_float else change.stamp,
        "Keys": change.keys,
        "SequenceNumber": sequence_number,
        "SizeBytes": 64,
        "StreamViewType": view_type,
    }
    if change.item is not None and view_type in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
        data["NewImage"] = change.item
    if change.old is not None and view_type in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES"):
        data["OldImage"] = change.old
    event: dict[str, Any] = {
        "eventID": f"{zlib.crc32((arn + sequence_number).encode()):032x}",
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": data,
        "eventSourceARN": arn,
    }
    if change.by_ttl:
        event["userIdentity"] = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    return Record(change.at, change.key, sequence_number, event)
