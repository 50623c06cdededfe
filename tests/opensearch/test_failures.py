"""What OpenSearch refuses, and how an index that takes nothing is told from a document that does not fit."""

import re
from typing import Any

import pytest
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.settings import Compression
from engines import OpenSearchNode
from fakes.dynamodb import START, put, record, remove

from opensearch.function import Function, later, number_of


@pytest.fixture
def function(opensearch_node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch) -> Function:
    return Function(opensearch_node, monkeypatch)


def deep(levels: int, kind: str = "M") -> dict[str, Any]:
    value: dict[str, Any] = {"S": "x"}
    for _ in range(levels):
        value = {"M": {"m": value}} if kind == "M" else {"L": [value]}
    return value


MAPPING = {
    "dynamic": "strict",
    "properties": {
        "pk": {"type": "keyword"},
        "n": {"type": "long"},
        "d": {"type": "date"},
        "k": {"type": "keyword"},
        "o": {"properties": {"a": {"type": "long"}}},
        "list": {"type": "nested"},
        "any": {"type": "object", "dynamic": True},
        "b": {"type": "boolean"},
        "ip": {"type": "ip"},
        "price [EUR]": {"type": "long"},
        "l" * 300: {"type": "long"},
        "alias": {"type": "alias", "path": "k"},
        "c": {"type": "completion"},
        "cc": {"type": "completion", "contexts": [{"name": "x", "type": "category"}]},
    },
}

POISON: dict[str, tuple[dict[str, Any], str]] = {
    "a text into a long": ({"n": {"S": "s3cr3t"}}, "failed to parse field [n] of type [long]"),
    "a map into a long": ({"n": {"M": {"x": {"N": "1"}}}}, "failed to parse field [n] of type [long]"),
    "an integer beyond 64 bits": ({"n": {"N": "9223372036854775808"}}, "failed to parse field [n] of type [long]"),
    "no date": ({"d": {"S": "s3cr3t"}}, "failed to parse field [d] of type [date]"),
    "a value into an object": ({"o": {"N": "1"}}, "object mapping for [o] tried to parse field [o] as object"),
    "an immense term": ({"k": {"S": "s3cr3t" * 6000}}, 'immense term in field="k"'),
    "a path below a number": (
        {"n.x": {"S": "s3cr3t"}},
        "Could not dynamically add mapping for field [n.x]. Existing mapping for [n] must be of type object",
    ),
    "no boolean": ({"b": {"S": "s3cr3t"}}, "failed to parse field [b] of type [boolean]"),
    "no address": ({"ip": {"S": "s3cr3t"}}, "failed to parse field [ip] of type [ip]"),
    "an empty text for a date": ({"d": {"S": ""}}, "failed to parse field [d] of type [date]"),
    "38 digits into a field that nobody mapped": ({"any": {"M": {"x": {"N": "9" * 38}}}}, ""),
    "an exponent beyond float": ({"any": {"M": {"x": {"N": "1E125"}}}}, ""),
    "a list of numbers and maps": ({"any": {"M": {"x": {"L": [{"N": "1"}, {"M": {"y": {"S": "s3cr3t"}}}]}}}}, ""),
    "25 lists in lists": ({"any": {"M": {"x": deep(25, "L")}}}, "exceeded the allowed limit of [20]"),
    "an unmapped field": ({"zzz": {"N": "1"}}, "dynamic introduction of [zzz] within [_doc] is not allowed"),
    "25 levels": ({"any": deep(25)}, "The depth of the field has exceeded the allowed limit of [20]"),
    "a value beside a path below it": (
        {"any": {"M": {"a": {"N": "1"}, "a.b": {"S": "s3cr3t"}}}},
        "mapping [any.a] with",
    ),
    "a name with brackets": ({"price [EUR]": {"S": "s3cr3t"}}, "failed to parse field [price [EUR]] of type [long]"),
    "a name of 300 characters": ({"l" * 300: {"S": "s3cr3t"}}, f"failed to parse field [{'l' * 100}…] of type [long]"),
    "a field alias": ({"alias": {"S": "s3cr3t"}}, "Cannot write to a field alias [alias]"),
    "a number for a completion": ({"c": {"N": "1"}}, "failed to parse [c]: expected text or object"),
    "a map for a completion": ({"c": {"M": {"x": {"S": "s3cr3t"}}}}, "unknown field name [x], must be one of"),
    "a weight for a completion": ({"c": {"M": {"weight": {"S": "s3cr3t"}}}}, "weight must be an integer"),
    "a reserved character": ({"c": {"S": "\x1fs3cr3t"}}, "a completion field's text has a reserved character"),
    "no contexts": ({"cc": {"S": "s3cr3t"}}, "Contexts are mandatory in context enabled completion field [cc]"),
    "a path into a nested object": ({"list.x": {"S": "s3cr3t"}}, "mapped as a nested object"),
    "10,001 nested objects": (
        {"list": {"L": [{"M": {}}] * 10_001}},
        "The number of nested documents has exceeded the allowed limit of [10000]",
    ),
}


@pytest.mark.parametrize("kind", POISON)
def test_a_document_that_is_refused_is_set_aside_and_its_neighbours_are_written(
    function: Function, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    function.create(mappings=MAPPING)
    attributes, message = POISON[kind]

    assert function.handle(put("before", 1, 1), record("poison", 2, attributes), put("after", 3, 3)) == []

    assert function.ids() == {"before", "after"}
    [letter] = function.letters
    assert letter["keys"] == {"pk": {"S": "poison"}}
    assert message in letter["reason"]["message"]
    assert "s3cr3t" not in str(letter) + capsys.readouterr().out


def test_too_many_fields_are_set_aside(function: Function) -> None:
    function.create(settings={"index.mapping.total_fields.limit": 20})

    function.handle(put("a", 1, 1), record("poison", 2, {f"f{n}": {"N": "1"} for n in range(50)}))

    assert function.ids() == {"a"}
    assert function.letters[0]["reason"]["message"] == "Limit of total fields [20] has been exceeded"


def test_a_new_fields_type_that_parallel_requests_fight_over_costs_no_document(
    opensearch_node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        function = Function(opensearch_node, monkeypatch, bulk_actions=5, bulk_connections=8)
        values = ["1" if number % 2 else "2.5" for number in range(200)]
        records = [
            record(f"k{number}", number, {f"f{number % 39}": {"N": value}}) for number, value in enumerate(values)
        ]
        assert function.handle(*records) == []
        assert function.letters == []
        assert len(function.ids()) == 200


def test_a_document_of_two_types_in_one_new_field_is_set_aside(function: Function) -> None:
    both = {"L": [{"N": "1"}, {"N": "2.5"}]}
    assert function.handle(record("a", 1, {"f": both}), put("b", 2, 2)) == []
    assert [letter["id"] for letter in function.letters] == ["a"]
    assert function.letters[0]["reason"]["message"] == "mapper [f] cannot be changed from type [long] to [float]"
    assert function.ids() == {"b"}


def test_deleting_what_is_not_there_is_done_and_leaves_a_tombstone(function: Function) -> None:
    function.create(settings={"index.gc_deletes": "1h"})

    assert function.handle(remove("a", 5)) == []
    assert function.handle(put("a", 2, 1, second=START - 1000)) == []  # far older: superseded by the tombstone

    assert function.ids() == set()
    assert function.table.reads == []


@pytest.mark.parametrize(
    "key", ["a", "version conflict, current version [99] is higher than the one provided [1]", "]: ["]
)
def test_a_close_conflict_is_settled_whatever_the_id_says(function: Function, key: str) -> None:
    function.create()
    function.table.items[key] = {"pk": {"S": key}, "n": {"N": "3"}}
    function.handle(put(key, 5, 5))

    assert function.handle(put(key, 4, 4)) == []

    assert function.table.reads == [[key]]
    assert function.source(key) == f'{{"pk":"{key}","n":3}}'


def test_a_tombstones_conflict_is_settled(function: Function) -> None:
    function.create(settings={"index.gc_deletes": "1h"})
    function.table.items["a"] = {"pk": {"S": "a"}, "n": {"N": "3"}}
    function.handle(remove("a", 5))

    assert function.handle(put("a", 4, 4)) == []

    assert function.source("a") == '{"pk":"a","n":3}'


@pytest.mark.parametrize("block", ["write", "read_only", "read_only_allow_delete"])
def test_a_block_is_waited_for(function: Function, block: str) -> None:
    function.create()
    function.block(block, on=True)
    lifting = later(1, lambda: function.block(block, on=False))

    assert function.handle(put("a", 1, 1), remove("b", 2)) == []

    lifting.join()
    assert function.ids() == {"a"}
    assert function.letters == []


def test_a_block_that_stays_leaves_the_batch_to_lambda(function: Function) -> None:
    function.create()
    function.block("write", on=True)

    first = put("a", 1, 1)
    assert function.handle(first, put("b", 2, 2), seconds=2) == [number_of(first)]
    assert function.letters == []


def test_a_read_only_cluster_is_waited_for(function: Function) -> None:
    def read_only(value: bool | None) -> None:
        function.api("PUT", "/_cluster/settings", {"transient": {"cluster.blocks.read_only": value}})

    function.create()
    read_only(True)
    lifting = later(1, lambda: read_only(None))

    assert function.handle(put("a", 1, 1)) == []
    lifting.join()


def test_a_missing_index_that_may_not_be_made_fails_the_batch(
    opensearch_node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = Function(opensearch_node, monkeypatch, index="forbidden-index")
    setting = "action.auto_create_index"
    function.api("PUT", "/_cluster/settings", {"transient": {setting: "-forbidden-*,+*"}})
    try:
        with pytest.raises(ConfigurationError, match=r"no such index \[forbidden-index\].*create the index"):
            function.handle(put("a", 1, 1), remove("b", 2))
    finally:
        function.api("PUT", "/_cluster/settings", {"transient": {setting: None}})
    assert function.letters == []


def test_a_closed_index_fails_the_batch(function: Function) -> None:
    function.create()
    function.close_index()

    with pytest.raises(ConfigurationError, match="open the index"):
        function.handle(put("a", 1, 1))
    assert function.letters == []


TAKES_NOTHING: dict[str, tuple[dict[str, Any], str]] = {
    "append only": ({"settings": {"index.append_only.enabled": True}}, "index.append_only.enabled"),
    "a default pipeline that isn't there": ({"settings": {"index.default_pipeline": "embed"}}, r"\[embed\].*create"),
    "a final pipeline that isn't there": ({"settings": {"index.final_pipeline": "embed"}}, r"\[embed\].*create"),
    "a routing that is required": ({"mappings": {"_routing": {"required": True}}}, "requires a routing"),
}


@pytest.mark.parametrize("kind", TAKES_NOTHING)
def test_an_index_that_takes_nothing_lets_the_batch_wait(
    function: Function, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    body, change = TAKES_NOTHING[kind]
    function.create(**body)

    with pytest.raises(ConfigurationError, match=change):
        function.handle(put("a", 1, 1), remove("b", 2))

    [log] = [one for one in caplog.records if one.levelname == "ERROR"]
    assert re.search(change, vars(log)["error"])
    assert function.letters == []


def test_a_data_stream_lets_the_batch_wait(opensearch_node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch) -> None:
    function = Function(opensearch_node, monkeypatch, index="ds-logs")
    function.api("PUT", "/_index_template/ds", {"index_patterns": ["ds-*"], "data_stream": {}})
    try:
        for records in ([put("a", 1, 1)], [remove("a", 2)]):
            with pytest.raises(ConfigurationError, match="INDEX is a data stream"):
                function.handle(*records)
    finally:
        function.api("DELETE", "/_data_stream/ds-*")
        function.api("DELETE", "/_index_template/ds")
    assert function.letters == []


def test_a_cluster_with_as_many_shards_as_it_may_have_lets_the_batch_wait(
    opensearch_node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = Function(opensearch_node, monkeypatch, index="one-too-many")

    def limit(shards: int | None) -> None:
        function.api("PUT", "/_cluster/settings", {"transient": {"cluster.max_shards_per_node": shards}})

    limit(1)
    try:
        with pytest.raises(ConfigurationError, match="max_shards_per_node"):
            function.handle(put("a", 1, 1))
    finally:
        limit(None)
    assert function.letters == []
    assert function.handle(put("a", 1, 1)) == []


def test_an_alias_without_a_write_index_fails_the_batch(
    opensearch_node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = Function(opensearch_node, monkeypatch, index="two-indices")
    for name in ("one", "other"):
        function.api("PUT", f"/two-indices-{name}", {"aliases": {"two-indices": {}}})

    with pytest.raises(ConfigurationError, match="is_write_index"):
        function.handle(put("a", 1, 1))

    function.api("POST", "/_aliases", {"actions": [
        {"add": {"index": "two-indices-one", "alias": "two-indices", "is_write_index": True}}
    ]})  # fmt: skip
    assert function.handle(put("a", 1, 1)) == []
    assert function.letters == []


def test_a_shard_that_is_nowhere_is_waited_for(function: Function) -> None:
    nowhere = {"settings": {"index.routing.allocation.include._name": "nowhere"}}
    function.api("PUT", f"/{function.index}?wait_for_active_shards=0", nowhere)

    def allocate() -> None:
        function.api("PUT", f"/{function.index}/_settings", {"index.routing.allocation.include._name": None})

    allocating = later(1, allocate)

    assert function.handle(put("a", 1, 1), remove("b", 2)) == []

    allocating.join()
    assert function.ids() == {"a"}


def test_a_shard_that_stays_nowhere_is_answered_in_time(function: Function, caplog: pytest.LogCaptureFixture) -> None:
    """OpenSearch waits for it longer than we do for OpenSearch, and the whole request would stay unanswered."""
    nowhere = {"settings": {"index.routing.allocation.include._name": "nowhere"}}
    function.api("PUT", f"/{function.index}?wait_for_active_shards=0", nowhere)

    first = put("a", 1, 1)
    assert function.handle(first, seconds=4) == [number_of(first)]

    [log] = [one for one in caplog.records if one.levelname == "WARNING"]
    assert "primary shard is not active" in vars(log)["reason"]


def test_compressed_requests_are_taken(opensearch_node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch) -> None:
    function = Function(opensearch_node, monkeypatch, compression=Compression.GZIP)
    function.create(mappings=MAPPING)

    assert function.handle(put("a", 1, 1), record("poison", 2, {"n": {"S": "x"}}), put("c", 3, 3)) == []

    assert function.ids() == {"a", "c"}
    assert [letter["id"] for letter in function.letters] == ["poison"]
