"""The example's catalogue: the same for everyone, worth searching, and with all the types that the sync must carry."""

import hashlib
import json
import re
import struct
import zlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from demo import catalogue

ITEMS = list(catalogue.products())
REPOSITORY = Path(__file__).resolve().parents[2]
MAPPING = json.loads((REPOSITORY / "examples/products/mapping.json").read_text())


def _plain(value: dict[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, default=lambda data: data.hex())


def test_the_same_seed_gives_the_same_bytes_on_every_machine() -> None:
    digest = hashlib.sha256("".join(map(_plain, ITEMS[:200])).encode()).hexdigest()
    assert digest == "0e49158c80695000a4f112f242e61e1efa92aa1ee1702ae12e52d3148eb5ca8c"


def test_a_product_does_not_depend_on_how_many_are_made() -> None:
    assert list(catalogue.products(40)) == ITEMS[:40]


def test_another_seed_gives_another_catalogue() -> None:
    assert list(catalogue.products(40, seed="other")) != ITEMS[:40]


def test_there_are_at_least_2000_products_with_distinct_ids_and_names() -> None:
    assert len(ITEMS) >= 2000
    assert len({item["productId"]["S"] for item in ITEMS}) == len(ITEMS)
    assert len({item["name"]["S"] for item in ITEMS}) == len(ITEMS)


def test_every_product_has_every_attribute_that_the_guide_names() -> None:
    named = {"productId", "name", "description", "category", "price", "stock", "tags", "attributes", "updatedAt"}
    assert all(named <= item.keys() for item in ITEMS)


def test_the_types_of_dynamodb_are_all_there_but_number_sets_and_binary_sets() -> None:
    def types(value: dict[str, Any]) -> set[str]:
        ((kind, content),) = value.items()
        children = content.values() if kind == "M" else content if kind == "L" else ()
        return {kind}.union(*(types(child) for child in children))

    assert set().union(*(types({"M": item}) for item in ITEMS)) == {"S", "N", "B", "BOOL", "NULL", "L", "M", "SS"}


def test_prices_are_exact_texts_with_two_decimals() -> None:
    assert all(re.fullmatch(r"[1-9]\d*\.\d\d", item["price"]["N"]) for item in ITEMS)


def test_a_serial_number_needs_all_38_digits() -> None:
    serials = [item["attributes"]["M"]["serial"]["N"] for item in ITEMS]
    assert all(len(serial) == 38 and int(float(serial)) != int(serial) for serial in serials)


def test_a_product_is_in_stock_exactly_when_there_is_stock() -> None:
    assert all(item["inStock"]["BOOL"] == (Decimal(item["stock"]["N"]) > 0) for item in ITEMS)
    assert {item["inStock"]["BOOL"] for item in ITEMS} == {True, False}


def test_an_item_is_small_enough_for_a_batch_of_25() -> None:
    assert max(len(_plain(item)) for item in ITEMS) < 16_000_000 / 25


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"waterproof", "warm", "winter"}, {"Outdoor clothing"}),
        ({"quiet", "espresso"}, {"Coffee and tea"}),
        ({"sourdough"}, {"Kitchen"}),
        ({"pruning", "roses"}, {"Garden"}),
    ],
)
def test_words_lead_to_the_products_that_they_describe(words: set[str], expected: set[str]) -> None:
    def text(item: catalogue.Item) -> set[str]:
        return set(re.findall(r"\w+", " ".join([item["description"]["S"], *item["tags"]["SS"]]).lower()))

    found = [item["category"]["S"] for item in ITEMS if words <= text(item)]
    assert len(found) >= 5
    assert set(found) == expected


def test_a_thumbnail_is_a_png_whose_checksums_and_pixels_are_right() -> None:
    for item in ITEMS[:50]:
        data = item["thumbnail"]["B"]
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        chunks, position = {}, 8
        while position < len(data):
            (length,) = struct.unpack_from(">I", data, position)
            body = data[position + 4 : position + 8 + length]
            assert struct.unpack_from(">I", data, position + 8 + length) == (zlib.crc32(body),)
            chunks[body[:4]] = body[4:]
            position += 12 + length
        assert list(chunks) == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
        assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (8, 8, 1, 3, 0, 0, 0)
        assert len(zlib.decompress(chunks[b"IDAT"])) == 8 * 2


def test_the_mapping_names_every_attribute_of_a_product() -> None:
    properties = MAPPING["mappings"]["properties"]
    assert properties.keys() == ITEMS[0].keys()
    attributes = {name for item in ITEMS for name in item["attributes"]["M"]}
    assert attributes - properties["attributes"]["properties"].keys() == {"parcels"}


def test_the_index_keeps_tombstones_for_longer_than_any_invocation_retries() -> None:
    assert MAPPING["settings"]["index"]["gc_deletes"] == "1h"
