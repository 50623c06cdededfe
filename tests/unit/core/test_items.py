import json
from decimal import Decimal
from typing import Any

import pytest
from dynamodb_opensearch.core.documents import encode_document
from dynamodb_opensearch.core.errors import UndecodableError
from dynamodb_opensearch.core.items import canonical_number, escape_name, unescape_name
from hypothesis import example, given
from hypothesis import strategies as st

from unit.strategies import Pair, numbers, texts, values


def read(document: bytes) -> Any:
    """An independent reader: the standard library's, with exact numbers and no tolerance for repeated names."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    return json.loads(
        document, parse_float=Decimal, parse_int=Decimal, parse_constant=pytest.fail, object_pairs_hook=once
    )


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=4), values(), max_size=6))
def test_a_document_reads_back_as_its_item(item: dict[str, Pair]) -> None:
    document = encode_document({name: value for name, (value, _) in item.items()})

    assert read(document) == {name: expected for name, (_, expected) in item.items()}
    assert b"\n" not in document


@pytest.mark.parametrize(
    "number",
    ["0", "-0", "1E-130", "-1E-130", "9.9999999999999999999999999999999999999E+125", "1" + "0" * 40, "1" * 38, "1.50"],
)
def test_a_json_number_is_written_digit_for_digit(number: str) -> None:
    assert encode_document({"n": {"N": number}}) == f'{{"n":{number}}}'.encode()


@pytest.mark.parametrize(
    ("spelling", "written"), [("+5", "5"), (".5", "0.5"), ("5.", "5"), ("007", "7"), ("-.50", "-0.5")]
)
def test_a_number_that_json_spells_otherwise_is_respelled(spelling: str, written: str) -> None:
    assert encode_document({"n": {"N": spelling}}) == f'{{"n":{written}}}'.encode()


def test_thirty_two_levels_are_written() -> None:
    value: dict[str, Any] = {"S": "deep"}
    for level in range(31):
        value = {"L": [value]} if level % 2 else {"M": {"m": value}}

    assert read(encode_document({"top": value}))


def test_empty_values_are_kept() -> None:
    item = {"s": {"S": ""}, "b": {"B": ""}, "l": {"L": []}, "m": {"M": {}}, "ss": {"SS": [""]}, "bs": {"BS": [""]}}

    assert encode_document(item) == b'{"s":"","b":"","l":[],"m":{},"ss":[""],"bs":[""]}'


def test_both_forms_of_binary_make_the_same_document() -> None:
    event = {"b": {"B": "AP8="}, "bs": {"BS": ["/w==", "AA=="]}}
    sdk = {"b": {"B": b"\x00\xff"}, "bs": {"BS": [b"\xff", b"\x00"]}}

    assert encode_document(event) == encode_document(sdk) == b'{"b":"AP8=","bs":["AA==","/w=="]}'


def test_a_set_has_one_order_whatever_dynamodb_sends() -> None:
    one = encode_document({"n": {"NS": ["10", "9", "-1.5"]}, "s": {"SS": ["b", "a"]}})
    other = encode_document({"n": {"NS": ["-1.5", "10", "9"]}, "s": {"SS": ["a", "b"]}})

    assert one == other == b'{"n":[-1.5,9,10],"s":["a","b"]}'


def test_a_lone_surrogate_is_escaped_rather_than_refused() -> None:
    assert encode_document({"s": {"S": "a\ud800b"}}) == b'{"s":"a\\ud800b"}'


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"S": "a", "N": "1"},
        {"X": "a"},
        {"S": 5},
        {"N": "abc"},
        {"N": "NaN"},
        {"N": 5},
        {"NS": ["x"]},
        {"BOOL": "true"},
        {"NULL": False},
        {"L": 5},
        {"M": []},
        {"BS": ["not base64"]},
        "text",
        None,
    ],
)
def test_what_is_not_dynamodb_json_is_undecodable_and_not_quoted(value: Any) -> None:
    with pytest.raises(UndecodableError) as error:
        encode_document({"a": value})
    assert "abc" not in str(error.value)


@given(numbers(), st.integers(0, 3))
def test_equal_numbers_have_one_canonical_spelling(number: str, zeros: int) -> None:
    value = Decimal(number)
    respelled = f"{value:f}" + ("" if "." in f"{value:f}" else ".") + "0" * zeros

    assert canonical_number(number) == canonical_number(respelled)
    assert Decimal(canonical_number(number)) == value


@pytest.mark.parametrize("spelling", ["1", "1.0", "1E0", "+1", "0.1E1", "1.000"])
def test_one_is_one(spelling: str) -> None:
    assert canonical_number(spelling) == "1"


@given(st.one_of(texts(), st.text("~.01 _a", max_size=8)))
@example("")
@example("~")
@example("..")
@example("~0.1")
def test_a_name_can_be_read_back(name: str) -> None:
    assert unescape_name(escape_name(name)) == name


@given(st.text("~.01 a", max_size=6), st.text("~.01 a", max_size=6))
def test_two_names_never_meet(one: str, other: str) -> None:
    assert (escape_name(one) == escape_name(other)) == (one == other)


@pytest.mark.parametrize("name", ["price", "a.b", "*", "_x", "a~", "é", "x" * 600, "%"])
def test_a_name_that_opensearch_takes_stays_itself(name: str) -> None:
    assert escape_name(name) == name


def test_a_plain_spelling_cannot_fill_the_memory() -> None:
    with pytest.raises(UndecodableError, match="range"):
        canonical_number("1E999999999")
