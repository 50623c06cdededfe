"""A proposed index mapping takes what it must, on a real OpenSearch."""

import json
import random
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

import pytest
from dynamodb_opensearch.core.documents import encode_document
from dynamodb_opensearch.jobs.create_index import _sample, only
from dynamodb_opensearch.opensearch.client import Client
from dynamodb_opensearch.opensearch.definition import Definition
from dynamodb_opensearch.opensearch.mapping import infer
from dynamodb_opensearch.settings import Service
from engines import OpenSearchNode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.strategies import values

from opensearch import api
from opensearch.indices import settings_of
from opensearch.sides import MakeSides
from simulation.items import make_item

_NUMBERS = count(1)
REAL = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
KEPT = {"type": "object", "enabled": False}

# Few names, so that kinds clash often, also through the paths that dots make.
NAMES = st.sampled_from(["a", "b", "a.b", "b.a", "c", "_id", "ü 1", "", "d.e.f", "pk.x"])
ITEMS = st.dictionaries(NAMES, values().map(lambda pair: pair[0]), max_size=6)


class Index:
    """An index with a mapping, and what it says to documents."""

    def __init__(self, node: OpenSearchNode, mappings: Mapping[str, Any]) -> None:
        self._node = node
        self.name = f"mapping-{next(_NUMBERS)}"
        self._client = Client(settings_of(node, self.name))
        defaults = Definition(mappings, {"index.number_of_replicas": 0}, {})
        body = defaults.with_defaults(table_bytes=0, service=Service.ES).to_json()
        api.call(node, "PUT", f"/{self.name}", body)

    def refusals(self, items: Iterable[Mapping[str, Any]]) -> list[str | None]:
        """Why each item was refused, None if it wasn't; the documents are those that the function writes."""
        lines = [b'{"index":{}}\n' + encode_document(item) + b"\n" for item in items]
        if not lines:
            return []
        answer = self._client.post(f"/{self.name}/_bulk", {}, b"".join(lines), 30)
        return [one["index"].get("error", {}).get("type") for one in answer.body["items"]]

    def delete(self) -> None:
        api.call(self._node, "DELETE", f"/{self.name}")


def clashes(document: Any, mapping: Mapping[str, Any]) -> bool:
    """Whether the document has a map where the mapping has a value, or a value where it has a map."""
    return any(_clashes_at(name.split("."), value, mapping) for name, value in document.items())


def _clashes_at(path: list[str], value: Any, mapping: Mapping[str, Any]) -> bool:
    if value is None:  # never looked at further
        return False
    known = mapping.get("properties", {}).get(path[0])
    if known is None:  # OpenSearch's fault: it takes the list of an unknown a.b for one of b
        return len(path) > 1 and isinstance(value, list) and _clashes_at(path[-1:], value, mapping)
    if known == KEPT:
        return False
    is_map = known.get("type", "object") == "object"
    if len(path) > 1:
        return not is_map or _clashes_at(path[1:], value, known)
    if isinstance(value, list):
        return any(_clashes_at(path, one, mapping) for one in value)
    return not is_map or clashes(value, known) if isinstance(value, dict) else is_map


@REAL
@given(st.lists(ITEMS, max_size=5), st.lists(ITEMS, min_size=1, max_size=20))
def test_it_takes_its_whole_sample_and_of_others_all_but_a_map_in_place_of_a_value_and_the_reverse(
    opensearch_node: OpenSearchNode, sampled: list[Any], others: list[Any]
) -> None:
    sampled = [{"pk": {"S": "k"}, **item} for item in sampled]
    proposed = infer(sampled, {"pk": "S"}).mappings
    index = Index(opensearch_node, proposed)

    refused = index.refusals([*sampled, *others])
    index.delete()

    assert refused[: len(sampled)] == [None] * len(sampled)
    documents = [json.loads(encode_document(item)) for item in others]
    expected = ["mapper_parsing_exception" if clashes(one, proposed) else None for one in documents]
    assert refused[len(sampled) :] == expected


@REAL
@given(st.lists(ITEMS, max_size=5))
def test_with_new_attributes_indexed_it_still_takes_its_whole_sample(
    opensearch_node: OpenSearchNode, sampled: list[Any]
) -> None:
    sampled = [{"pk": {"S": "k"}, **item} for item in sampled]
    index = Index(opensearch_node, infer(sampled, {"pk": "S"}, dynamic=True).mappings)
    refused = index.refusals(sampled)
    index.delete()
    assert refused == [None] * len(sampled)


NASTY = [
    {"N": "12345678901234567890123456789012345678"},
    {"N": "9.9999999999999999999999999999999999999E+125"},
    {"N": "1E-130"},
    {"S": "no number"},
    {"S": "long " * 20_000},
    {"S": "x" * 40_000},
    {"S": ""},
    {"S": "\x00"},
    {"BOOL": True},
    {"NULL": True},
    {"B": "not base64 at all"},
    {"NS": ["1", "1E125"]},
    {"L": [{"N": "1"}, {"S": "x"}, {"BOOL": False}, {"NULL": True}, {"L": [{"S": "y"}]}]},
]
FIRST = [{"N": "1"}, {"N": "0.1234567890123456"}, {"S": "x"}, {"S": "2026-11-24"}, {"BOOL": True}, {"B": "AA=="}]


@pytest.mark.parametrize("dynamic", [False, True])
def test_whatever_value_came_first_any_other_value_is_taken(opensearch_node: OpenSearchNode, *, dynamic: bool) -> None:
    """Also when the field came from a template, for an attribute that no sample showed."""
    sampled = [] if dynamic else [{f"a{number}": value for number, value in enumerate(FIRST)}]
    index = Index(opensearch_node, infer(sampled, {"pk": "S"}, dynamic=dynamic).mappings)
    firsts = [{f"a{number}": value for number, value in enumerate(FIRST)}]
    others = [{f"a{number}": value for number in range(len(FIRST))} for value in NASTY]
    assert index.refusals([*firsts, *others]) == [None] * (1 + len(NASTY))
    index.delete()


@pytest.mark.parametrize("dynamic", [False, True])
def test_nesting_as_deep_as_dynamodb_allows_is_taken(opensearch_node: OpenSearchNode, *, dynamic: bool) -> None:
    lists: Any = {"N": "1"}
    maps: Any = {"N": "1"}
    for _ in range(31):
        lists, maps = {"L": [lists]}, {"M": {"m": maps}}
    items = [{"pk": {"S": "x"}, "lists": lists}, {"pk": {"S": "y"}, "maps": maps}]
    for sampled in ([], items):
        index = Index(opensearch_node, infer(sampled, {"pk": "S"}, dynamic=dynamic).mappings)
        assert index.refusals(items) == [None, None]
        index.delete()


def test_the_simulators_items_are_all_taken_by_a_mapping_from_some_of_them(opensearch_node: OpenSearchNode) -> None:
    rng = random.Random(7)
    items = [make_item(rng, {"pk": {"S": f"k{number}"}}, number) for number in range(500)]
    index = Index(opensearch_node, infer(items[:100], {"pk": "S"}).mappings)
    assert index.refusals(items) == [None] * 500
    index.delete()


def test_long_numbers_and_odd_dates_are_found_by_their_exact_subfields(opensearch_node: OpenSearchNode) -> None:
    number = "12345678901234567890123456789012345678"
    sampled = [{"pk": {"S": "1"}, "n": {"N": number}, "on": {"BOOL": True}, "at": {"S": "2026-11-24"}}]
    index = Index(opensearch_node, infer(sampled, {"pk": "S"}).mappings)
    index.refusals([*sampled, {"pk": {"S": "2"}, "n": {"N": number[:-1] + "9"}, "at": {"S": "tomorrow"}}])
    api.call(opensearch_node, "POST", f"/{index.name}/_refresh")

    def found(query: Any) -> list[str]:
        hits = api.decoded(opensearch_node, "POST", f"/{index.name}/_search", {"query": query})["hits"]["hits"]
        return sorted(hit["_source"]["pk"] for hit in hits)

    assert found({"term": {"n.exact": number}}) == ["1"]
    assert found({"range": {"n": {"gte": 1e37, "lt": 2e37}}}) == ["1", "2"]
    assert found({"term": {"on": True}}) == ["1"]
    assert found({"range": {"at": {"gte": "2026-01-01"}}}) == ["1"]
    assert found({"term": {"at.keyword": "tomorrow"}}) == ["2"]
    index.delete()


def test_a_sample_is_taken_from_all_over_the_table(make_sides: MakeSides) -> None:
    sides = make_sides()
    sides.fill(300)
    sync = sides.sync()
    everything = [item["pk"]["S"] for item in _sample(sync, only(sync), 10_000)]
    some = [item["pk"]["S"] for item in _sample(sync, only(sync), 60)]
    assert len(everything) == len(set(everything)) == 300
    assert 20 <= len(set(some)) == len(some) <= 60
