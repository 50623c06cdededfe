import copy
import json
import pickle
from collections import ChainMap, Counter, OrderedDict, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any
from uuid import uuid4

import pytest
from dynamodb_opensearch.core.errors import UndecodableError
from dynamodb_opensearch.core.items import encode_value
from dynamodb_opensearch.core.plain import PlainItem, Spellings, UnfitError, encode_fields
from hypothesis import given
from hypothesis import strategies as st

from unit.strategies import Pair, texts, values

RAW: dict[str, Any] = {
    "id": {"S": "a1"},
    "price": {"N": "9.90"},
    "photo": {"B": "AP8="},
    "sold": {"BOOL": False},
    "note": {"NULL": True},
    "size": {"M": {"cm": {"N": "4"}, "words": {"L": [{"S": "small"}]}}},
    "parts": {"L": [{"S": "lid"}, {"M": {"n": {"N": "1"}}}]},
    "tags": {"SS": ["b", "a"]},
    "sizes": {"NS": ["10", "9"]},
    "keys": {"BS": ["/w==", b"\x00"]},
}
PLAIN: dict[str, Any] = {
    "id": "a1",
    "price": Decimal("9.90"),
    "photo": b"\x00\xff",
    "sold": False,
    "note": None,
    "size": {"cm": Decimal(4), "words": ["small"]},
    "parts": ["lid", {"n": Decimal(1)}],
    "tags": {"a", "b"},
    "sizes": {Decimal(9), Decimal(10)},
    "keys": {b"\x00", b"\xff"},
}


def view(raw: dict[str, Any] | None = None) -> PlainItem:
    return PlainItem.of(RAW if raw is None else raw, Spellings())


def encoded(document: dict[Any, Any], spellings: Spellings | None = None) -> dict[str, str]:
    texts: dict[str, str] = {}
    encode_fields(document, texts, spellings or Spellings())
    return texts


def written(value: Any) -> str:
    return encoded({"x": value})["x"]


def _drained(item: dict[str, Any]) -> dict[str, Any]:
    return dict(item.popitem() for _ in range(len(item)))


def _by_pattern(item: dict[str, Any]) -> dict[str, Any]:
    match item:
        case {"id": found, **rest}:
            return {"id": found, **rest}
    return {}


def _updated(item: dict[str, Any]) -> dict[str, Any]:
    target: dict[str, Any] = {}
    target.update(item)
    return target


def _joined(item: dict[str, Any]) -> dict[str, Any]:
    target: dict[str, Any] = {}
    target |= item
    return target


WAYS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "itself": lambda item: item,
    "dict": dict,
    "unpacked": lambda item: {**item},
    "arguments": lambda item: dict(**item),
    "by name": lambda item: {name: item[name] for name in item},
    "get": lambda item: {name: item.get(name) for name in item},
    "keys": lambda item: {name: item[name] for name in item.keys()},  # noqa: SIM118 (what is tested)
    "items": lambda item: dict(item.items()),
    "values": lambda item: dict(zip(item, item.values(), strict=True)),
    "pop": lambda item: {name: item.pop(name) for name in list(item)},
    "popitem": _drained,
    "setdefault": lambda item: {name: item.setdefault(name, "no") for name in item},
    "copy": lambda item: item.copy(),
    "copied": copy.copy,
    "copied deeply": copy.deepcopy,
    "pickled": lambda item: pickle.loads(pickle.dumps(item)),  # noqa: S301 (our own)
    "or": lambda item: item | {},
    "or, on the right": lambda item: {} | item,
    "or, with another": lambda item: item | view(),
    "updated": _updated,
    "joined": _joined,
    "matched": _by_pattern,
    "its own type": lambda item: type(item)(item),
    "its own type, of pairs": lambda item: type(item)((name, value) for name, value in item.items()),
    "fromkeys": lambda item: {**type(item).fromkeys(item), **item},
    "OrderedDict": OrderedDict,
    "defaultdict": lambda item: defaultdict(list, item),
    "ChainMap": lambda item: dict(ChainMap(item)),
    "shown": lambda item: eval(repr(item), {"Decimal": Decimal}),  # noqa: S307 (our own)
    "text": lambda item: eval(f"{item}", {"Decimal": Decimal}),  # noqa: S307 (our own)
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_whatever_reads_a_dict_sees_plain_values(way: Callable[[dict[str, Any]], Any]) -> None:
    seen = way(view())

    assert dict(seen) == PLAIN
    assert seen == PLAIN
    assert PLAIN == seen  # noqa: SIM300 (its own == on the other side)
    assert not seen != PLAIN  # noqa: SIM202 (dict has its own !=)
    assert list(seen) in (list(PLAIN), list(reversed(PLAIN)))


def test_it_is_a_dict() -> None:
    item = view()

    assert isinstance(item, dict)
    assert len(item) == len(RAW)
    assert "id" in item
    assert "none" not in item
    assert item.get("none", 1) == 1
    assert item != {}
    assert item == view()
    assert item.keys() - {"id"} == RAW.keys() - {"id"}
    assert "%(id)s" % item == "{id}".format_map(item) == "a1"  # noqa: UP031 (what is tested)
    with pytest.raises(KeyError):
        item["none"]
    with pytest.raises(KeyError):
        item.pop("none")
    with pytest.raises(KeyError):
        view({}).popitem()
    with pytest.raises(TypeError):
        hash(item)
    with pytest.raises(TypeError):
        item | [("a", 1)]
    assert item.pop("none", None) is None


def test_json_dumps_sees_plain_values() -> None:
    assert json.loads(json.dumps(view({"n": {"N": "1"}, "m": {"M": {"a": {"S": "b"}}}}), default=str)) == {
        "n": "1",
        "m": {"a": "b"},
    }
    assert json.loads(json.dumps(view({"s": {"S": "b"}, "a": {"L": []}}), sort_keys=True, indent=1)) == {
        "s": "b",
        "a": [],
    }


def test_only_what_is_touched_is_converted() -> None:
    item = view({"broken": {"N": "no number"}, "id": {"S": "a"}})

    assert item["id"] == "a"
    assert "broken" in item.copy() | {"x": 1}
    with pytest.raises(UndecodableError) as error:
        item["broken"]
    assert "no number" not in str(error.value)


def test_a_converted_value_is_kept() -> None:
    item = view()
    item["parts"].append("handle")
    item["size"]["words"].append("tiny")
    item["tags"].discard("a")

    assert item["parts"] is item.get("parts") is item.setdefault("parts", []) is dict(item)["parts"]
    texts = encoded(item)
    assert texts["parts"] == '["lid",{"n":1},"handle"]'
    assert texts["size"] == '{"cm":4,"words":["small","tiny"]}'
    assert texts["tags"] == '["b"]'


def test_changes_leave_dynamodb_json_as_it_was() -> None:
    before = copy.deepcopy(RAW)
    item = view()
    item["size"]["words"].clear()
    del item["id"]
    item["price"] = 1
    item.update({"new": 1}, sold=True)
    item |= {"other": 2}
    item.clear()

    assert before == RAW


def test_a_shallow_copy_shares_what_is_in_it_and_a_deep_one_does_not() -> None:
    item = view()
    shallow, deep = item.copy(), copy.deepcopy(item)
    item["parts"].append("handle")
    item["size"]["cm"] = 5
    item["price"] = 1

    assert shallow["parts"][-1] == "handle"
    assert shallow["size"]["cm"] == 5
    assert shallow["price"] == Decimal("9.90")
    assert deep == PLAIN
    assert encoded(shallow) == encoded(
        PLAIN | {"parts": ["lid", {"n": 1}, "handle"], "size": {"cm": 5, "words": ["small"]}}
    )
    copied = shallow.copy()
    shallow["parts"].clear()
    assert encoded(copied)["parts"] == encoded(item)["parts"] == "[]"


def test_a_shallow_copy_of_what_is_not_touched_yet_shares_it_too() -> None:
    item = view()
    first, second = item.copy(), item | {"x": 1}
    item["parts"].append("handle")

    assert encoded(first)["parts"] == encoded(second)["parts"] == encoded(item)["parts"] == '["lid",{"n":1},"handle"]'
    assert first["parts"] is second["parts"] is item["parts"]


def test_a_deep_copy_of_what_contains_itself_ends() -> None:
    item = view({"id": {"S": "a"}})
    item["self"] = item

    copied = copy.deepcopy(item)

    assert copied["self"]["self"] is copied


def test_what_was_removed_and_set_again_is_the_new_value() -> None:
    item = view()
    del item["id"]
    assert "id" not in item
    item["id"] = 1

    assert encoded(item)["id"] == "1"
    assert list(item)[-1] == "id"


def _touched(item: PlainItem) -> Any:
    for value in item.values():
        repr(value)
    return item


KEEPING: list[Callable[[PlainItem], Any]] = [
    lambda item: item,
    lambda item: {**item},
    lambda item: item.copy(),
    lambda item: item | {},
    copy.deepcopy,
    _touched,
]


@given(st.dictionaries(st.text(max_size=4), values(), max_size=6))
def test_an_unchanged_value_has_the_text_of_dynamodb_json(item: dict[str, Pair]) -> None:
    raw = {name: value for name, (value, _) in item.items()}
    expected = {name: encode_value(value) for name, value in raw.items()}
    for way in KEEPING:
        spellings = Spellings()
        assert encoded(way(PlainItem.of(raw, spellings)), spellings) == expected


@given(st.dictionaries(st.text(max_size=4), values(), max_size=4))
def test_an_item_within_a_document_is_written_like_a_map(item: dict[str, Pair]) -> None:
    raw = {name: value for name, (value, _) in item.items()}
    for way in KEEPING:
        spellings = Spellings()
        document = {"item": way(PlainItem.of(raw, spellings))}
        assert encoded(document, spellings) == {"item": encode_value({"M": raw})}


@pytest.mark.parametrize("spelling", ["1.5E+0", "-0.000", "100E2", "+5", ".5", "5.", "007", "1e2", "0E-130"])
def test_a_touched_number_keeps_its_spelling(spelling: str) -> None:
    spellings = Spellings()
    item = PlainItem.of({"n": {"N": spelling}, "l": {"L": [{"NS": [spelling]}]}}, spellings)
    document = {"a": item["n"], "b": [copy.deepcopy(item)["n"]], "c": item["l"]}
    text = encode_value({"N": spelling})

    assert encoded(document, spellings) == {"a": text, "b": f"[{text}]", "c": f"[[{text}]]"}


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\n\ud800é", '"a\\n\ud800é"'),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (10**50, "1" + "0" * 50),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+2"), "1E+2"),
        (Decimal("-0.0"), "-0.0"),
        (0.1, "0.1"),
        (1e-7, "1e-07"),
        (1e300, "1e+300"),
        (b"\x00\xff", '"AP8="'),
        (bytearray(b"\x00\xff"), '"AP8="'),
        ([1, ("a", [None])], '[1,["a",[null]]]'),
        ({"b", "a"}, '["a","b"]'),
        (frozenset({Decimal(10), 9, 9.5}), "[9,9.5,10]"),
        ({b"\xff", b"\x00"}, '["AA==","/w=="]'),
        ({"a", 1, None}, '["a",1,null]'),
        ({(2, 1), (1, 2)}, "[[1,2],[2,1]]"),
        (set(), "[]"),
        ({"a.b": {"": 1, ".c": 2, "~d": 3}}, '{"a.b":{"~":1,"~~1c":2,"~~0d":3}}'),
        (Colour.RED, '"red"'),
        (Level.HIGH, "3"),
        ({Colour.RED, "blue"}, '"red"'),
        (Counter("aab"), '{"a":2,"b":1}'),
    ],
)
def test_python_values_have_one_text(value: Any, text: str) -> None:
    if value == {Colour.RED, "blue"}:
        text = '["blue","red"]'
    assert written(value) == text


@given(
    st.decimals(allow_nan=False, allow_infinity=False)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
)
def test_a_number_reads_back_exactly(number: Decimal | float) -> None:
    text = written(number)

    assert json.loads(text, parse_int=Decimal, parse_float=Decimal) == (
        Decimal(repr(number)) if isinstance(number, float) else number
    )


@given(texts())
def test_a_text_reads_back_exactly(text: str) -> None:
    assert json.loads(written(text)) == text


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), "datetime"),
        (uuid4(), "UUID"),
        (object(), "object"),
        (1j, "complex"),
        (range(3), "range"),
        ((n for n in [1]), "generator"),
        (float("nan"), "isn't finite"),
        (float("-inf"), "isn't finite"),
        (Decimal("NaN"), "isn't finite"),
        (Decimal("Infinity"), "isn't finite"),
        ({1: "a"}, "a name that is int"),
        ({None: "a"}, "a name that is NoneType"),
        ([{"a": {(1,): 2}}], "a name that is tuple"),
        ([10**5000], "so many digits"),
        ({Decimal("NaN")}, "isn't finite"),
    ],
)
def test_a_value_without_a_form_in_json_is_named_by_its_type(value: Any, named: str) -> None:
    with pytest.raises(UnfitError, match=named):
        written(value)


BROKEN: list[Any] = [
    *({}, {"S": "a", "N": "1"}, {"X": "a"}, {"S": 5}, {"N": "NaN"}, {"N": "1E99999999999999999999"}, {"NS": [5]}),
    *({"SS": [5]}, {"BOOL": "true"}, {"NULL": False}, {"L": 5}, {"M": ["a"]}, {"BS": ["not base64"]}, "text", None),
]


@pytest.mark.parametrize("raw", BROKEN)
def test_what_is_not_dynamodb_json_is_undecodable(raw: Any) -> None:
    with pytest.raises(UndecodableError):
        view({"a": raw})["a"]
