"""What the table holds is what ``_source`` holds, read back raw."""

import base64
import json
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from dynamodb_opensearch.documents import RESERVED_NAMES, KeySchema
from dynamodb_opensearch.items import unescape_name
from engines import OpenSearchNode
from fakes.dynamodb import record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.strategies import Pair, values

from opensearch.function import Function

_NUMBERS = count(1)
REAL = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def function(opensearch_node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch) -> Function:
    """Its index maps nothing, so that only what OpenSearch's parser says can refuse."""
    function = Function(opensearch_node, monkeypatch)
    function.create(mappings={"dynamic": False})
    return function


def stored(function: Function, attributes: dict[str, Any]) -> str:
    number = next(_NUMBERS)
    key = f"k{number}"
    assert function.handle(record(key, number, attributes)) == []
    assert function.letters == []
    source = function.source(key)
    assert source is not None
    prefix = f'{{"pk":"{key}",'
    assert source.startswith(prefix)
    return "{" + source.removeprefix(prefix)


@REAL
@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=4), values(), min_size=1, max_size=5))
def test_every_value_reads_back(function: Function, item: dict[str, Pair]) -> None:
    source = stored(function, {name: value for name, (value, _) in item.items()})

    read = json.loads(source, parse_float=Decimal, parse_int=Decimal)
    assert read == {name: expected for name, (_, expected) in item.items()}


@pytest.mark.parametrize(
    "number",
    [
        "-0",
        "1E-130",
        "9.9999999999999999999999999999999999999E+125",
        "1" + "0" * 40,
        "0.1234567890123456789012345678901234567",
    ],
)
def test_a_number_reads_back_digit_for_digit(function: Function, number: str) -> None:
    assert stored(function, {"n": {"N": number}}) == f'{{"n":{number}}}'


def test_thirty_two_levels_read_back(function: Function) -> None:
    value: dict[str, Any] = {"S": "deep"}
    for _ in range(31):
        value = {"M": {"m": value}}

    assert stored(function, {"top": value}).count('"m":') == 31


def test_all_of_unicode_reads_back(function: Function) -> None:
    text = "".join(chr(code) for code in range(0x20000) if not 0xD800 <= code < 0xE000)

    assert json.loads(stored(function, {"s": {"S": text}})) == {"s": text}


NAMES = st.one_of(
    st.text("._~ 0a\x00\t", max_size=6),
    st.sampled_from(sorted(RESERVED_NAMES)),
    st.text(max_size=5),
).filter(lambda name: name != "pk" and "\ud800" not in name)


@pytest.mark.parametrize("dynamic", [True, False])
@REAL
@given(NAMES)
def test_every_name_is_taken_and_can_be_read_back(opensearch_node: OpenSearchNode, dynamic: bool, name: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        function = Function(opensearch_node, patch)
        function.create(mappings={"dynamic": dynamic})

        [(top, inner)] = json.loads(stored(function, {name: {"M": {name: {"S": "x"}}}})).items()
        function.api("DELETE", f"/{function.index}")

    assert unescape_name(top) == name
    assert [unescape_name(one) for one in inner] == [name]


@pytest.mark.parametrize(
    ("schema", "keys", "document_id"),
    [
        (("pk",), {"pk": {"S": "é" * 600}}, None),
        (("pk",), {"pk": {"N": "1.00"}}, "1"),
        (("pk",), {"pk": {"B": base64.b64encode(b"\xfb\xff").decode()}}, "-_8"),
        (("pk", "sk"), {"pk": {"S": "a|b\\"}, "sk": {"S": "/?#"}}, "a\\|b\\\\|/?#"),
        (("pk",), {"pk": {"S": " \t\n"}}, " \t\n"),
        (("pk",), {"pk": {"S": "_all"}}, "_all"),
    ],
)
def test_every_key_becomes_an_id_that_finds_its_document(
    opensearch_node: OpenSearchNode,
    monkeypatch: pytest.MonkeyPatch,
    schema: tuple[str, ...],
    keys: dict[str, Any],
    document_id: str | None,
) -> None:
    function = Function(opensearch_node, monkeypatch, key_schema=KeySchema(schema))
    one = record("replaced", next(_NUMBERS))
    one["dynamodb"] |= {"Keys": keys, "NewImage": {**keys, "n": {"N": "1"}}}

    assert function.handle(one) == []

    [found] = function.ids()
    assert document_id in {None, found}
    assert len(found.encode()) <= 512
    assert function.letters == []


def test_equal_spellings_of_a_number_key_are_one_document(
    opensearch_node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = Function(opensearch_node, monkeypatch)
    for number, spelling in enumerate(["1", "1.0", "1E0"], start=1):
        one = record("replaced", number, {"n": {"N": str(number)}})
        one["dynamodb"]["Keys"] = {"pk": {"N": spelling}}
        function.handle(one)

    assert function.ids() == {"1"}
