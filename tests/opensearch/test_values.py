"""What the table holds is what ``_source`` holds, read back raw."""

import base64
import json
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from dynamodb_opensearch.core.items import unescape_name
from dynamodb_opensearch.core.keys import KeySchema
from engines import OpenSearchNode
from fakes.dynamodb import put, record, remove
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
    function.letters.clear()
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


# What Java, and so OpenSearch, holds for whitespace: a part of a name between dots must not be made of it alone.
JAVA_BLANKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f \u1680\u2000\u2003\u2028\u2029\u205f\u3000"
PARTS = ["", "a", "~", "~0", "~1", "\xa0", "\x00", "\u200b", "*", "\\", '"', "/", "[", "é", "\U0001f600", *JAVA_BLANKS]
# Metadata fields of OpenSearch's, fields of its own inside Lucene, and some of plugins'.
KEPT_NAMES = [
    "_data_stream_timestamp", "_doc_count", "_feature", "_field_names", "_id", "_ignored", "_index", "_nested_path",
    "_primary_term", "_recovery_source", "_root_doc_ord", "_routing", "_seq_no", "__soft_deletes", "_size", "_source",
    "_star_tree", "_tier", "_tombstone", "_type", "_version", "_",
]  # fmt: skip
NAMES = st.one_of(
    st.lists(st.sampled_from(PARTS), max_size=5).map(".".join),
    st.lists(st.sampled_from([*PARTS, "."]), max_size=5).map("".join),
    st.builds(str.__add__, st.sampled_from(KEPT_NAMES), st.sampled_from(["", ".", ".x", ". ", "x"])),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
).filter(lambda name: name != "pk")


@pytest.fixture(params=[True, False], ids=["dynamic", "unmapped"])
def either(
    request: pytest.FixtureRequest, opensearch_node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch
) -> Function:
    function = Function(opensearch_node, monkeypatch)
    limits = {"index.mapping.total_fields.limit": 10_000}
    function.create(mappings={"dynamic": request.param}, settings=limits)
    return function


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES)
def test_every_name_is_taken_and_can_be_read_back(either: Function, name: str) -> None:
    # One index for all names: none is another's path, because whatever has a name is an object, and leaves have none.
    source = stored(either, {name: {"M": {name: {"M": {"leaf": {"S": "x"}}}}}})

    [(top, inner)] = json.loads(source).items()
    assert unescape_name(top) == name
    assert [unescape_name(one) for one in inner] == [name]


def test_every_name_may_hold_a_plain_value(either: Function) -> None:
    shapes = ["{}", "{}.", ".{}", "{}..x", "{}. .x", "{}.\u2003", " {}", "{}\u2028.x", "a*{}", "~{}", "{}~1"]
    names = [shape.format(f"f{number}") for number, shape in enumerate(shapes)]
    names += ["", ".", "..", "~", "~0", *JAVA_BLANKS, *KEPT_NAMES, *(f"{name}.x" for name in KEPT_NAMES)]

    plain = {"N": "1"}
    records = [record(f"k{n}", n, {name: plain, f"o{n}": {"M": {name: plain}}}) for n, name in enumerate(names)]
    assert either.handle(*records) == []

    assert [names[int(letter["id"][1:])] for letter in either.letters] == []
    for number, name in enumerate(names):
        read = json.loads(either.source(f"k{number}") or "")
        _pk, top, inner = read
        assert [unescape_name(one) for one in [top, *read[inner]]] == [name, name]


@pytest.mark.parametrize("value", [{"N": "1"}, {"BOOL": True}], ids=str)
def test_no_name_keeps_its_shard_from_later_updates_and_deletes(
    opensearch_node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch, value: dict[str, Any]
) -> None:
    """Lucene has fields of its own: a document with one of them breaks what it writes for every later change."""
    function = Function(opensearch_node, monkeypatch)
    function.create(settings={"number_of_shards": 1})
    names = [*KEPT_NAMES, "__soft_deletes.x", "_tombstone.x", "_a.b"]
    for number, name in enumerate(names):
        poison = {name: value, f"o{number}": {"M": {name: value}}}
        function.handle(put("a", 10 * number + 1, 1), put("b", 10 * number + 2, 1))
        records = [record("poison", 3, poison), put("a", 4, 2), remove("b", 5), remove("c", 6)]
        for one in records:
            one["dynamodb"]["SequenceNumber"] = str((10 * number + int(one["eventID"], 16)) * 10**20)

        assert function.handle(*records) == []

        assert (name, function.letters) == (name, [])
        assert function.source("b") is None
        assert function.source("a") == '{"pk":"a","n":2}'


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
