"""Makes up a shop's catalogue as DynamoDB items: the same seed gives the same products everywhere, byte for byte."""

import datetime as dt
import random
import struct
import tomllib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

# As boto3's low-level client takes and gives them: {"price": {"N": "19.90"}, "thumbnail": {"B": b"…"}}
AttributeValue: TypeAlias = dict[str, Any]
Item: TypeAlias = dict[str, AttributeValue]
T = TypeVar("T")

CENTS = ("00", "50", "90", "95", "99")
FIRST_UPDATE = dt.datetime(2026, 1, 5, 8, 0, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of product, such as rain jackets, and the words for it; price and grams are (lowest, highest)."""

    category: str
    noun: str
    materials: Sequence[str]
    variants: Sequence[str]
    price: tuple[int, int]
    grams: tuple[int, int]
    purposes: Sequence[str]
    features: Sequence[str]
    tags: Sequence[str]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All words of vocabulary.toml."""

    brands: Sequence[str]
    series: Sequence[str]
    colours: Sequence[str]
    countries: Sequence[str]
    closing: Sequence[str]
    kinds: Sequence[Kind]


class Dice:
    """Choices that depend only on the seed: built on random(), the only method whose numbers Python keeps stable."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def number(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.number(0, len(choices) - 1)]

    def some(self, choices: Sequence[T], count: int) -> list[T]:
        """Return `count` different choices, in their original order."""
        left = list(range(len(choices)))
        chosen = [left.pop(self.number(0, len(left) - 1)) for _ in range(count)]
        return [choices[position] for position in sorted(chosen)]

    def chance(self, percent: int) -> bool:
        return self.number(1, 100) <= percent


def products(count: int = 2400, *, seed: str = "products") -> Iterator[Item]:
    """Yield `count` items. Every productId is unique, and so is every name, up to 13,824 items.

    >>> next(products())["productId"]
    {'S': 'P-00001'}
    """
    words = load_vocabulary()
    for number in range(1, count + 1):
        dice = Dice(f"{seed}/{number}")
        round_, position = divmod(number, len(words.kinds))
        kind = words.kinds[position]
        # 175 shares no factor with brands * series, so a kind meets each pair of them once before any comes again.
        brand, series = divmod(
            (round_ * 175 + position * 37) % (len(words.brands) * len(words.series)), len(words.series)
        )
        yield _product(number, f"{words.brands[brand]} {words.series[series]} {kind.noun}", kind, words, dice)


def load_vocabulary() -> Vocabulary:
    with Path(__file__).with_name("vocabulary.toml").open("rb") as file:
        words = tomllib.load(file)
    kinds = [Kind(**kind) for kind in words.pop("kind")]
    return Vocabulary(kinds=kinds, **words)


def _product(number: int, name: str, kind: Kind, words: Vocabulary, dice: Dice) -> Item:
    material, variant = dice.pick(kind.materials), dice.pick(kind.variants)
    sentences = [
        f"{kind.noun} in {material} {dice.pick(kind.purposes)}.",
        *dice.some(kind.features, 2),
        dice.pick(words.closing),
    ]
    stock = 0 if dice.chance(8) else dice.number(1, 240)
    updated = FIRST_UPDATE + dt.timedelta(seconds=number * 61 + dice.number(0, 59))
    return {
        "productId": {"S": f"P-{number:05}"},
        "name": {"S": f"{name}, {variant}"},
        "description": {"S": " ".join(sentences)},
        "category": {"S": kind.category},
        "price": {"N": _price(kind, dice)},
        "stock": {"N": str(stock)},
        "inStock": {"BOOL": stock > 0},
        "tags": {"SS": dice.some(kind.tags, dice.number(2, len(kind.tags)))},
        "ratings": {"L": [{"N": str(dice.number(2, 5))} for _ in range(dice.number(0, 6))]},
        "attributes": {"M": _attributes(kind, material, variant, words, dice)},
        "thumbnail": {"B": thumbnail(dice)},
        "discontinuedAt": {"S": updated.date().isoformat()} if dice.chance(3) else {"NULL": True},
        "updatedAt": {"S": updated.isoformat().replace("+00:00", "Z")},
    }


def _price(kind: Kind, dice: Dice) -> str:
    low, high = kind.price
    return (
        f"{min(dice.number(low, high), dice.number(low, high))}.{dice.pick(CENTS)}"  # cheap products are more frequent
    )


def _attributes(kind: Kind, material: str, variant: str, words: Vocabulary, dice: Dice) -> Item:
    grams = dice.number(*kind.grams)
    edge = round((5 * grams) ** (1 / 3))  # centimetres, for a parcel of a fifth of water's density
    sides = {side: {"N": f"{edge * dice.number(6, 15) // 10 + 1}.{dice.number(0, 9)}"} for side in ("width", "depth")}
    return {
        "material": {"S": material},
        "variant": {"S": variant},
        "colour": {"S": dice.pick(words.colours)},
        "madeIn": {"S": dice.pick(words.countries)},
        "weightGrams": {"N": str(grams)},
        "dimensionsCm": {"M": sides},
        "giftWrap": {"BOOL": dice.chance(60)},
        "careLabel": {"NULL": True} if dice.chance(50) else {"S": "wipe clean"},
        # All 38 digits that a DynamoDB number can have: a conversion to a float would change it.
        "serial": {"N": "".join(str(dice.number(1, 9)) for _ in range(38))},
        # A list may mix types, which an index with a dynamic index mapping refuses.
        "parcels": {"L": [{"N": "1"}, {"M": {"box": {"S": dice.pick(("small", "large"))}}}, {"BOOL": False}]},
    }


def thumbnail(dice: Dice) -> bytes:
    """Return a PNG of 8 by 8 pixels, a mirrored pattern in one colour on white, of a few hundred bytes."""
    rows = [dice.number(0, 15) for _ in range(8)]
    pixels = b"".join(bytes([0, row << 4 | int(f"{row:04b}"[::-1], 2)]) for row in rows)  # each row: filter 0, 8 bits
    colour = bytes(dice.number(0, 200) for _ in range(3))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 1, 3, 0, 0, 0)),
        (b"PLTE", b"\xff\xff\xff" + colour),
        (b"IDAT", zlib.compress(pixels, level=0)),  # stored: with other levels, the bytes depend on the zlib
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
