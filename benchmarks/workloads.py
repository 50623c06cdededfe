"""Makes the contestants' batches of stream records: equal but separate copies for each contestant.

Each round of a workload has its own documents and newer versions, so that every write takes effect. There are no binary
values: boto3's TypeDeserializer refuses them in the form that Lambda's events have.
"""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]

KEY = "productId"
"""The table's partition key."""

KINDS = ("garden", "kitchen", "travel")
"""The values of the attribute ``kind``: a third of the items each. An item never changes its kind."""

# Times of the changes, in seconds. Documents that are in the index beforehand are older than any batch.
_SEEDED_AT = 1_700_000_000
_CHANGED_AT = 1_750_000_000

_WORDS = [
    "adjustable",
    "aluminium",
    "bamboo",
    "bottle",
    "breathable",
    "ceramic",
    "charger",
    "compact",
    "cordless",
    "cotton",
    "double",
    "durable",
    "ergonomic",
    "everyday",
    "filter",
    "foldable",
    "garden",
    "glass",
    "handle",
    "insulated",
    "kettle",
    "kitchen",
    "lamp",
    "leather",
    "lightweight",
    "linen",
    "magnetic",
    "merino",
    "mounted",
    "oak",
    "organic",
    "outdoor",
    "pocket",
    "portable",
    "quiet",
    "recycled",
    "silent",
    "soft",
    "stainless",
    "steel",
    "strap",
    "travel",
    "waterproof",
    "wireless",
    "wooden",
    "wool",
]


@dataclass(frozen=True, slots=True)
class Round:
    """What the index holds before a batch, and the batch."""

    before: Sequence[Record]
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Workload:
    """A kind of traffic. ``make`` takes the round's number and the number of records in the batch."""

    name: str
    make: Callable[[int, int], Round]


def kind_of(key: str) -> str:
    """Return the kind of an item."""
    return KINDS[int(key[-5:]) % len(KINDS)]


def kind_of_record(record: Record) -> str:
    """Return the kind of a record's item."""
    return kind_of(record["dynamodb"]["Keys"][KEY]["S"])


def insert(number: int, size: int) -> Round:
    """New documents."""
    maker = _Maker(number, size)
    return Round([], maker.delivered([maker.record("INSERT", key) for key in maker.keys]))


def update(number: int, size: int) -> Round:
    """New content for existing documents."""
    maker = _Maker(number, size)
    return Round(maker.seeds(maker.keys), maker.delivered([maker.record("MODIFY", key) for key in maker.keys]))


def recount(number: int, size: int) -> Round:
    """Changes of ``COUNTERS``, and of nothing else, in existing documents."""
    maker = _Maker(number, size)
    seeds = maker.seeds(maker.keys)
    images = [seed["dynamodb"]["NewImage"] for seed in seeds]
    return Round(seeds, maker.delivered([maker.recount(key, old) for key, old in zip(maker.keys, images, strict=True)]))


def delete_heavy(number: int, size: int) -> Round:
    """Seven deletes in ten, the rest updates and inserts."""
    maker = _Maker(number, size)
    kinds = {key: maker.random.choices(("REMOVE", "MODIFY", "INSERT"), (70, 15, 15))[0] for key in maker.keys}
    existing = [key for key, kind in kinds.items() if kind != "INSERT"]
    return Round(maker.seeds(existing), maker.delivered([maker.record(kind, key) for key, kind in kinds.items()]))


def hot_keys(share_of_duplicates: float) -> Callable[[int, int], Round]:
    """Updates of a few documents: this share of the batch's records is outdated by a later record of it."""

    def make(number: int, size: int) -> Round:
        distinct = max(1, round(size * (1 - share_of_duplicates)))
        maker = _Maker(number, distinct)
        keys = maker.keys + maker.random.choices(maker.keys, k=size - distinct)
        maker.random.shuffle(keys)
        return Round(maker.seeds(maker.keys), maker.delivered([maker.record("MODIFY", key) for key in keys]))

    return make


COUNTERS = ("stock", "updatedAt")
"""Attributes that change often, and that a search may not need."""

HOT_SHARE = 0.9
WORKLOADS = (
    Workload("insert", insert),
    Workload("update", update),
    Workload("delete-heavy", delete_heavy),
    Workload("hot keys", hot_keys(HOT_SHARE)),
)


class _Maker:
    """Makes the records of one round."""

    def __init__(self, number: int, documents: int) -> None:
        self.random = random.Random(number)
        self.keys = [f"B{number:05d}{document:05d}" for document in range(documents)]
        self._second = _CHANGED_AT + number
        self._sequence = 0

    def record(self, kind: str, key: str) -> Record:
        """Make a record of a NEW_AND_OLD_IMAGES stream, as Lambda delivers it."""
        images: Record = {}
        if kind != "INSERT":
            images["OldImage"] = self._item(key)
        if kind != "REMOVE":
            images["NewImage"] = self._item(key)
        return self._record(kind, key, self._second, images)

    def recount(self, key: str, old: Record) -> Record:
        """Make the record of a change that leaves everything but the counters as it was."""
        new = {**old, **{name: value for name, value in self._item(key).items() if name in COUNTERS}}
        return self._record("MODIFY", key, self._second, {"OldImage": old, "NewImage": new})

    def seeds(self, keys: Sequence[str]) -> list[Record]:
        """Make the inserts that put documents into the index beforehand."""
        return [self._record("INSERT", key, _SEEDED_AT, {"NewImage": self._item(key)}) for key in keys]

    def delivered(self, records: list[Record]) -> list[Record]:
        """Return the records as parsed from JSON, so that they share no text, as in Lambda."""
        copies: list[Record] = json.loads(json.dumps(records))
        return copies

    def _record(self, kind: str, key: str, second: int, images: Record) -> Record:
        self._sequence += 1
        return {
            "eventID": f"{self.random.getrandbits(128):032x}",
            "eventName": kind,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "eu-west-1",
            "dynamodb": {
                "ApproximateCreationDateTime": float(second),
                "Keys": {KEY: {"S": key}},
                **images,
                "SequenceNumber": str(self._sequence * 10**20 + self.random.getrandbits(40)),
                "SizeBytes": 800 * len(images),
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
            "eventSourceARN": "arn:aws:dynamodb:eu-west-1:111122223333:table/products/stream/2026-01-01T00:00:00.000",
        }

    def _item(self, key: str) -> Record:
        """Make a product whose document has about 0.8 kB."""
        pick = self.random
        return {
            KEY: {"S": key},
            "kind": {"S": kind_of(key)},
            "name": {"S": self._text(4)},
            "description": {"S": self._text(45)},
            "category": {"S": pick.choice(_WORDS)},
            "price": {"N": f"{pick.randrange(100, 99_999) / 100:.2f}"},
            "stock": {"N": str(pick.randrange(1000))},
            "rating": {"N": f"{pick.randrange(10, 50) / 10}"},
            "active": {"BOOL": pick.random() < 0.9},
            "discontinuedAt": {"NULL": True},
            "tags": {"SS": pick.sample(_WORDS, 4)},
            "colours": {"L": [{"S": word} for word in pick.sample(_WORDS, 2)]},
            "attributes": {
                "M": {
                    "material": {"S": pick.choice(_WORDS)},
                    "weightGrams": {"N": str(pick.randrange(20, 9000))},
                    "size": {"M": {side: {"N": str(pick.randrange(1, 200))} for side in ("width", "height", "depth")}},
                }
            },
            "updatedAt": {"S": f"2026-01-{pick.randrange(1, 29):02d}T08:{pick.randrange(60):02d}:00.000Z"},
        }

    def _text(self, words: int) -> str:
        return " ".join(self.random.choices(_WORDS, k=words))
