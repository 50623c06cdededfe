"""What INDEX names, and what an index keeps: opensearch/layout.py and core/kept.py."""

import json
from typing import Any

import pytest
from dynamodb_opensearch.core.documents import Place
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.kept import Kept
from dynamodb_opensearch.opensearch.layout import Layout, read_layout


def described(
    *, aliases: dict[str, Any] | None = None, mappings: dict[str, Any] | None = None, **settings: Any
) -> dict[str, Any]:
    return {
        "aliases": aliases or {},
        "mappings": mappings or {},
        "settings": {"index": {"uuid": "u", "number_of_shards": "2", **settings}},
    }


def layout(name: str = "products", **indices: dict[str, Any]) -> Layout:
    return read_layout(name, json.dumps({index.replace("_", "-"): one for index, one in indices.items()}))


def test_an_aliases_routing_is_where_documents_belong() -> None:
    found = layout("alias", products_1=described(aliases={"alias": {"index_routing": "x", "search_routing": "x,y"}}))
    assert found.home("a") == Place("products-1", "a", "x")
    assert found.is_home(Place("products-1", "a", "x"))
    assert not found.is_home(Place("products-1", "a"))
    assert not layout(products=described()).is_home(Place("products", "a", "x"))


def test_writes_go_to_the_write_index_and_the_others_are_named() -> None:
    write, read = described(aliases={"alias": {"is_write_index": True}}), described(aliases={"alias": {}})
    found = layout(
        "alias", products_2=write, products_1=read, products_0={**read, **described(verified_before_close="true")}
    )
    assert (found.index, found.others, found.closed_others) == (
        "products-2",
        ("products-0", "products-1"),
        ("products-0",),
    )
    with pytest.raises(ConfigurationError, match="'alias', an alias of products-1, products-2: it needs a write index"):
        layout("alias", products_2=read, products_1=read)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (described(derived_source={"enabled": "true"}), "has index.derived_source.enabled, so OpenSearch makes up"),
        (described(mappings={"_source": {"enabled": False}}), "keeps no _source"),
        (described(verified_before_close="true"), "the index products is closed; open it: POST /products/_open"),
        ({**described(), "data_stream": "products"}, "'products', a data stream"),
        ({"error": "x"}, "what answers isn't OpenSearch"),
    ],
)
def test_an_index_that_nothing_can_be_compared_with_is_refused(index: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        layout(products=index).check_comparable()


def test_another_index_alias_or_routing_has_another_digest() -> None:
    aliased = {"aliases": {"products": {"index_routing": "x"}}}
    found = [
        layout(products_1=described()),
        layout(products_2=described()),
        layout(products_1=described(uuid="v")),
        layout(products_1=described(**aliased)),
    ]
    assert len({one.digest() for one in found}) == len(found)
    assert layout(products_1=described(number_of_shards="9")).digest() == found[0].digest()


def test_another_index_that_left_the_alias_or_was_recreated_has_another_digest() -> None:
    write, read = described(aliases={"alias": {"is_write_index": True}}), described(aliases={"alias": {}})
    recreated = {**read, **described(aliases={"alias": {}}, uuid="v")}
    found = [
        layout("alias", products_1=write, other=read),
        layout("alias", products_1=write, other=recreated),
        layout("alias", products_1=write),
    ]
    assert len({one.digest(["other"]) for one in found}) == len(found)


@pytest.mark.parametrize("text", ["{}", "[]", '"x"', '{"cluster_name":"x"}'])
def test_another_answer_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="what answers isn't OpenSearch; check OPENSEARCH_ENDPOINT"):
        read_layout("products", text)


@pytest.mark.parametrize(
    ("settings", "hits"), [({}, 5000), ({"max_result_window": "1000"}, 1000), ({"max_result_window": "50000"}, 5000)]
)
def test_a_page_is_no_longer_than_a_search_may_be(settings: dict[str, Any], hits: int) -> None:
    assert layout(products=described(**settings)).page_hits("products") == hits


def test_pipelines_are_named() -> None:
    found = layout(products=described(default_pipeline="embed", final_pipeline="_none"))
    assert found.pipelines == ("embed",)


@pytest.mark.parametrize(
    ("mappings", "field", "indexed"),
    [
        ({}, "a", True),
        ({"dynamic": "false"}, "a", False),
        ({"dynamic": False}, "a", False),
        ({"dynamic": False, "properties": {"a": {"type": "long"}}}, "a", True),
        ({"dynamic": False, "properties": {"a": {"type": "long", "index": False}}}, "a", False),
        ({"properties": {"a": {"type": "object", "enabled": False}}}, "a", False),
        ({"properties": {"a": {"type": "object", "enabled": False}}}, "a.b", False),
        ({"dynamic": False, "properties": {"a": {"properties": {"b": {"type": "long"}}}}}, "a.b", True),
        ({"dynamic": False, "properties": {"a": {"properties": {"b": {"type": "long"}}}}}, "a.c", False),
        ({"dynamic": False, "properties": {"a": {"dynamic": True, "properties": {}}}}, "a.c", True),
        ({"enabled": False}, "a", False),
    ],
)
def test_what_a_search_can_find_by(mappings: dict[str, Any], field: str, *, indexed: bool) -> None:
    assert layout(products=described(mappings=mappings)).indexes(field) is indexed


DOCUMENT = {"a": 1, "b": {"c": 2, "d": [{"e": 3, "f": 4}, 5]}, "g": {"h": 6}, "b.c": 7}


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (Kept(), DOCUMENT),
        (Kept(excludes=("a",)), {key: DOCUMENT[key] for key in ("b", "g", "b.c")}),
        (Kept(excludes=("b",)), {"a": 1, "g": {"h": 6}}),
        (Kept(excludes=("b.d.e", "g.*")), {"a": 1, "b": {"c": 2, "d": [{"f": 4}, 5]}, "b.c": 7}),
        (Kept(excludes=("*.e",)), {"a": 1, "b": {"c": 2, "d": [{"f": 4}, 5]}, "g": {"h": 6}, "b.c": 7}),
        (Kept(includes=("a", "b.d.f")), {"a": 1, "b": {"d": [{"f": 4}]}}),
        (Kept(includes=("b",), excludes=("b.d",)), {"b": {"c": 2}, "b.c": 7}),
        (Kept(includes=("g*",)), {"g": {"h": 6}}),
    ],
)
def test_what_an_index_keeps_of_a_document(kept: Kept, expected: Any) -> None:
    assert kept.of(DOCUMENT) == expected
    assert kept.of(kept.of(DOCUMENT)) == expected


def test_an_index_keeps_its_keys_or_says_so() -> None:
    assert layout(products=described()).keeps(["pk", "sk"])
    excluding = described(mappings={"_source": {"excludes": ["s*"]}})
    assert layout(products=excluding).keeps(["pk"])
    assert not layout(products=excluding).keeps(["pk", "sk"])
