"""The demo's comparator: it must find every difference that is planted, and none in what is equal."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from demo.catalogue import products
from demo.compare import Difference, Document, compare, exact_json

ITEM: dict[str, dict[str, Any]] = {
    "productId": {"S": "P-1"},
    "price": {"N": "19.90"},
    "serial": {"N": "12345678901234567890123456789"},
    "inStock": {"BOOL": True},
    "discontinuedAt": {"NULL": True},
    "thumbnail": {"B": b"\x00\xff"},
    "tags": {"SS": ["warm", "wool"]},
    "sizes": {"NS": ["1.5", "2"]},
    "keys": {"BS": [b"a", b"b"]},
    "attributes": {
        "M": {"parcels": {"L": [{"N": "1"}, {"M": {"box": {"S": "small"}}}, {"BOOL": False}]}, "empty": {"M": {}}}
    },
}
SOURCE = b"""{"productId":"P-1","price":19.9,"serial":12345678901234567890123456789,"inStock":true,
"discontinuedAt":null,"thumbnail":"AP8=","tags":["wool","warm"],"sizes":[1.5,2],"keys":["YQ==","Yg=="],
"attributes":{"parcels":[1,{"box":"small"},false],"empty":{}}}"""


def _differences(source: bytes) -> list[str]:
    found = compare([ITEM], [Document("P-1", exact_json(source))], "productId").differences
    return [str(difference) for difference in found]


def test_equal_content_has_no_difference() -> None:
    assert compare([ITEM], [Document("P-1", exact_json(SOURCE))], "productId").differences == []


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        (b"19.9", b"19.89", "P-1 price: the table has 19.90, the index has 19.89"),
        (b"19.9", b'"19.9"', 'P-1 price: the table has 19.90, the index has "19.9"'),
        (
            b"456789,",
            b"456788,",
            "P-1 serial: the table has 12345678901234567890123456789, the index has 12345678901234567890123456788",
        ),
        (b"456789,", b"456789.0000000000000000001,", None),
        (b"true", b"1", "P-1 inStock: the table has true, the index has 1"),
        (b"[1,{", b"[true,{", "P-1 attributes.parcels.0: the table has 1, the index has true"),
        (b":null", b':""', 'P-1 discontinuedAt: the table has null, the index has ""'),
        (b"AP8=", b"AP8", 'P-1 thumbnail: the table has "AP8=", the index has "AP8"'),
        (b'["wool","warm"]', b'["wool"]', 'P-1 tags: the table has ["warm", "wool"], the index has ["wool"]'),
        (b'["wool","warm"]', b'["wool","warm","warm"]', None),
        (b'["wool","warm"]', b'["wool",["warm"]]', None),
        (b'["wool","warm"]', b'"wool"', None),
        (b"[1.5,2]", b'["1.5","2"]', None),
        (b"[1.5,2]", b"[1.5,true]", None),
        (b'["YQ==","Yg=="]', b'["a","b"]', None),
        (
            b'"box":"small"',
            b'"box":"large"',
            'P-1 attributes.parcels.1.box: the table has "small", the index has "large"',
        ),
        (b",false]", b"]", None),
        (b'"empty":{}', b'"empty":[]', "P-1 attributes.empty: the table has {}, the index has []"),
        (b',"empty":{}', b"", "P-1 attributes.empty: the table has {}, the index has nothing"),
        (b'{"productId"', b'{"extra":1,"productId"', "P-1 extra: the table has nothing, the index has 1"),
        (b'"discontinuedAt":null,', b"", "P-1 discontinuedAt: the table has null, the index has nothing"),
        (b'"discontinuedAt":null,', b'"Price":19.9,', None),
    ],
)
def test_a_planted_difference_is_named(old: bytes, new: bytes, difference: str | None) -> None:
    assert SOURCE.count(old) == 1
    found = _differences(SOURCE.replace(old, new))
    assert found
    if difference:
        assert found == [difference]


def test_an_item_without_a_document_is_named() -> None:
    assert compare([ITEM], [], "productId").differences == [Difference("P-1", "", "an item", "nothing")]


def test_a_document_without_an_item_is_named() -> None:
    assert compare([], [Document("P-1", {})], "productId").differences == [
        Difference("P-1", "", "nothing", "a document")
    ]


def test_a_document_that_comes_twice_is_named() -> None:
    document = Document("P-1", exact_json(SOURCE))
    assert [each.index for each in compare([ITEM], [document, document], "productId").differences] == [
        "the document twice"
    ]


def test_both_sides_are_counted() -> None:
    comparison = compare([ITEM], [Document("P-1", exact_json(SOURCE)), Document("P-2", {})], "productId")
    assert (comparison.items, comparison.documents, len(comparison.differences)) == (1, 2, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"a":1,"a":1}', "has a name twice"),
        (b'{"a":NaN}', "NaN is not JSON"),
        (b'{"a":-Infinity}', "-Infinity is not JSON"),
    ],
)
def test_what_is_not_proper_json_is_an_error(text: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        exact_json(text)


def _flip(text: str) -> str:
    return text[:-1] + ("x" if text[-1] != "x" else "y")


MUTATIONS: dict[str, Callable[[dict[str, Any]], object]] = {
    "price": lambda source: source.update(price=source["price"] + 1),
    "name": lambda source: source.update(name=_flip(source["name"])),
    "attributes.serial": lambda source: source["attributes"].update(serial=source["attributes"]["serial"] + 1),
    "attributes.parcels.1.box": lambda source: source["attributes"]["parcels"][1].update(box="missing"),
    "tags": lambda source: source["tags"].pop(),
    "thumbnail": lambda source: source.update(thumbnail=base64.b64encode(b"other").decode()),
    "updatedAt": lambda source: source.pop("updatedAt"),
}


@pytest.mark.parametrize("path", MUTATIONS)
def test_one_difference_in_a_whole_catalogue_is_found_and_no_other(path: str) -> None:
    items = list(products(300))
    documents = [Document(item["productId"]["S"], _by_hand(item)) for item in items]
    assert compare(items, documents, "productId").differences == []
    MUTATIONS[path](documents[123].source)
    found = compare(items, reversed(documents), "productId").differences
    assert [(each.id, each.path) for each in found] == [("P-00124", path)]


def _by_hand(item: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a catalogue's item, through JSON text, with sets as lists."""

    def text(value: dict[str, Any]) -> str:
        ((kind, content),) = value.items()
        match kind:
            case "N":
                return str(content)
            case "L":
                return "[" + ",".join(map(text, content)) + "]"
            case "M":
                return "{" + ",".join(f"{json.dumps(name)}:{text(each)}" for name, each in content.items()) + "}"
            case "B":
                return json.dumps(base64.b64encode(content).decode())
            case "NULL":
                return "null"
        return json.dumps(content)

    parsed: dict[str, Any] = exact_json(text({"M": item}).encode())
    return parsed
