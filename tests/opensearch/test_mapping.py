"""What a proposed mapping takes and what it refuses, and how indices are created, changed and switched."""

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any
from urllib.error import HTTPError

import pytest
from convergence.items import make_item
from dynamodb_opensearch.client import Client
from dynamodb_opensearch.documents import encode_document
from dynamodb_opensearch.errors import ConfigurationError
from dynamodb_opensearch.jobs import changes_in_place, definition
from dynamodb_opensearch.jobs.definition import Definition
from dynamodb_opensearch.jobs.mapping import infer, sample
from dynamodb_opensearch.jobs.pair import Pair, catalogue_of
from dynamodb_opensearch.jobs.verified import last_verified, note_verified
from dynamodb_opensearch.settings import Service, Settings, read_settings
from engines import OpenSearchNode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.strategies import values

from opensearch import api
from opensearch.sides import MakeSides

REAL = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
_NUMBERS = count(1)
KEPT = {"type": "object", "enabled": False}

# Few names, so that kinds clash often, also through the paths that dots make.
NAMES = st.sampled_from(["a", "b", "a.b", "b.a", "c", "_id", "ü 1", "", "d.e.f", "pk.x"])
ITEMS = st.dictionaries(NAMES, values().map(lambda pair: pair[0]), max_size=6)


def settings_of(node: OpenSearchNode, index: str) -> Settings:
    environment = {"OPENSEARCH_ENDPOINT": node.url, "OPENSEARCH_AUTH": "none", "TABLE_KEYS": "pk"}
    return read_settings({**environment, "TABLE_NAME": "any", "INDEX": index})


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
    everything = [item["pk"]["S"] for item in sample(sides.pair(), 10_000)]
    some = [item["pk"]["S"] for item in sample(sides.pair(), 60)]
    assert len(everything) == len(set(everything)) == 300
    assert 20 <= len(set(some)) == len(some) <= 60


@pytest.fixture
def pair(opensearch_node: OpenSearchNode) -> Iterator[Pair]:
    """A pair whose index doesn't exist, and whose table nobody asks for."""
    settings = settings_of(opensearch_node, f"definition-{next(_NUMBERS)}")
    table: Any = None
    yield Pair(settings, "", "", None, {}, None, table, Client(settings), table)
    api.call(opensearch_node, "DELETE", f"/{settings.index}*")


def parsed(**parts: Any) -> Definition:
    return Definition.parse(parts, "test.json")


NUMBERS = {"properties": {"n": {"type": "long"}, "t": {"type": "text", "fields": {"keyword": {"type": "keyword"}}}}}


def test_an_index_is_created_with_what_a_sync_needs(pair: Pair) -> None:
    wanted = parsed(mappings=NUMBERS, settings={"index": {"refresh_interval": "5s"}})
    created = definition.create(pair, wanted.with_defaults(table_bytes=61 * 10**9, service=Service.ES))
    [shown] = definition.show(pair)
    settings = {
        name: shown["settings"][f"index.{name}"] for name in ("number_of_shards", "gc_deletes", "refresh_interval")
    }
    assert (created.index, created.alias) == (pair.settings.index, None)
    assert settings == {"number_of_shards": "3", "gc_deletes": "1h", "refresh_interval": "5s"}
    assert (shown["mappings"], shown["docs"], shown["written"]) == (NUMBERS, 0, True)


def test_another_name_puts_the_index_behind_an_alias_and_a_switch_moves_it(pair: Pair) -> None:
    alias = pair.settings.index
    assert definition.create(pair, parsed(), f"{alias}-1") == definition.Created(f"{alias}-1", alias)
    assert definition.create(pair, parsed(), f"{alias}-2") == definition.Created(f"{alias}-2", None)
    assert [one["index"] for one in definition.show(pair)] == [f"{alias}-1"]

    assert definition.switch(pair, f"{alias}-2") == [f"{alias}-1"]

    [shown] = definition.show(pair)
    assert (shown["index"], shown["aliases"]) == (f"{alias}-2", {alias: {"is_write_index": True}})
    assert definition.switch(pair, f"{alias}-2") == []


def test_creating_what_exists_is_refused_with_what_to_do(pair: Pair) -> None:
    name = pair.settings.index
    definition.create(pair, parsed())
    with pytest.raises(ConfigurationError, match=r"exists already: .* or create another, such as"):
        definition.create(pair, parsed())
    with pytest.raises(ConfigurationError, match="is an index, so it can't be an alias"):
        definition.create(pair, parsed(), f"{name}-1")
    with pytest.raises(ConfigurationError, match="is an index and no alias"):
        definition.switch(pair, f"{name}-1")


def test_a_switch_to_no_index_is_refused(pair: Pair) -> None:
    definition.create(pair, parsed(), f"{pair.settings.index}-1")
    with pytest.raises(ConfigurationError, match="there is no index"):
        definition.switch(pair, f"{pair.settings.index}-2")


def test_what_opensearch_refuses_while_creating_is_told(pair: Pair) -> None:
    with pytest.raises(
        ConfigurationError, match=r"400 to PUT .*No handler for type \[no such type\] declared on field \[n\]"
    ):
        definition.create(pair, parsed(mappings={"properties": {"n": {"type": "no such type"}}}))


def test_new_fields_dynamic_settings_and_aliases_are_changed_in_place(pair: Pair) -> None:
    definition.create(pair, parsed(mappings=NUMBERS))
    alias = f"{pair.settings.index}-read"
    wanted = parsed(
        mappings={
            "dynamic": "strict",
            "properties": {
                "new.deep": {"type": "date"},
                "n": {"type": "long", "ignore_malformed": True},
                "t": {"type": "text", "fields": {"words": {"type": "text", "analyzer": "simple"}}},
            },
        },
        settings={"number_of_shards": 1, "refresh_interval": "7s"},
        aliases={alias: {}},
    )

    changes = definition.plan_update(pair, wanted)
    definition.update(pair, changes)

    [shown] = definition.show(pair)
    assert shown["mappings"]["properties"] == {
        "n": {"type": "long", "ignore_malformed": True},
        "new": {"properties": {"deep": {"type": "date"}}},
        "t": {
            "type": "text",
            "fields": {"keyword": {"type": "keyword"}, "words": {"type": "text", "analyzer": "simple"}},
        },
    }
    assert (shown["settings"]["index.refresh_interval"], list(shown["aliases"])) == ("7s", [alias])
    assert changes.told == [
        "dynamic: nothing → strict",
        "new field new: object",
        "ignore_malformed of n: false → true",
        "new field t.words: text",
        "setting index.refresh_interval: 1s → 7s",
        f"alias {alias}",
    ]
    assert definition.plan_update(pair, wanted).told == []


def test_what_was_noted_in_an_index_survives_another_meta(pair: Pair) -> None:
    definition.create(pair, parsed(mappings=NUMBERS))
    index, deadline = pair.settings.index, pair.deadline()
    home = catalogue_of(pair).resolve(deadline)
    note_verified(pair.client, home.index, {"at": "2026-01-01T00:00:00Z"}, deadline)
    wanted = parsed(mappings={"_meta": {"owner": "search"}})
    definition.update(pair, definition.plan_update(pair, wanted))
    assert last_verified(pair.client, index, deadline) == {"at": "2026-01-01T00:00:00Z"}
    [shown] = definition.show(pair)
    assert shown["mappings"]["_meta"]["owner"] == "search"
    assert definition.plan_update(pair, wanted).told == []


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"mappings": {"properties": {"n": {"type": "double"}}}}, "n from long to double: a field's type is fixed"),
        ({"mappings": {"properties": {"n": {"properties": {}}}}}, "n from long to object"),
        ({"mappings": {"properties": {"n": {"type": "long", "index": False}}}}, "index of n from true to false"),
        (
            {"mappings": {"properties": {"t": {"type": "text", "analyzer": "simple"}}}},
            "analyzer of t from default to simple",
        ),
        ({"mappings": {"_source": {"enabled": False}}}, "_source from nothing to"),
        ({"settings": {"number_of_shards": 5}}, "the setting index.number_of_shards from 1 to 5: it is static"),
        (
            {"settings": {"analysis": {"analyzer": {"x": {"type": "simple"}}}}},
            "index.analysis.analyzer.x.type from nothing",
        ),
    ],
)
def test_what_needs_another_index_is_refused_before_anything_is_changed(
    pair: Pair, parts: dict[str, Any], message: str
) -> None:
    definition.create(pair, parsed(mappings=NUMBERS))
    before = definition.show(pair)
    fine: dict[str, Any] = {
        "mappings": {"properties": {"new": {"type": "long"}}},
        "settings": {"refresh_interval": "9s"},
    }
    parts["settings"] = {**fine["settings"], **parts.get("settings", {})}
    with pytest.raises(ConfigurationError, match=r"nothing was: .*switch the alias") as caught:
        definition.plan_update(pair, parsed(**{**fine, **parts}))
    assert message in str(caught.value)
    assert definition.show(pair) == before


def test_settings_are_as_before_if_opensearch_refuses_the_mapping_after_all(pair: Pair) -> None:
    definition.create(pair, parsed(mappings=NUMBERS))
    before = definition.show(pair)
    wanted = parsed(mappings={"properties": {"x": {"type": "no such type"}}}, settings={"refresh_interval": "9s"})
    with pytest.raises(ConfigurationError, match="answered 400 to PUT"):
        definition.update(pair, definition.plan_update(pair, wanted))
    assert definition.show(pair) == before


def test_an_alias_of_another_index_is_not_taken_away(pair: Pair, opensearch_node: OpenSearchNode) -> None:
    definition.create(pair, parsed())
    other = f"{pair.settings.index}-other"
    api.call(opensearch_node, "PUT", f"/{other}")
    with pytest.raises(ConfigurationError, match=f"the alias {other}: it stands for something else"):
        definition.plan_update(pair, parsed(aliases={other: {}}))


def test_a_file_that_is_its_own_index_changes_nothing(pair: Pair) -> None:
    proposed = infer([{"n": {"N": "1"}, "t": {"S": "x"}, "o": {"M": {"b": {"B": "AA=="}}}}], {"pk": "S"}).mappings
    wanted = parsed(mappings=proposed).with_defaults(table_bytes=0, service=Service.ES)
    definition.create(pair, wanted)
    assert definition.plan_update(pair, wanted).told == []


# One value of each parameter that isn't its default, and a type that has it.
PARAMETERS: dict[str, tuple[str, Any]] = {
    "boost": ("keyword", 2.0),
    "coerce": ("long", False),
    "copy_to": ("keyword", "z"),
    "eager_global_ordinals": ("keyword", True),
    "fielddata": ("text", True),
    "fielddata_frequency_filter": ("text", {"min": 0.1, "max": 0.2, "min_segment_size": 10}),
    "ignore_above": ("keyword", 100),
    "ignore_malformed": ("date", True),
    "meta": ("long", {"unit": "g"}),
    "search_analyzer": ("text", "simple"),
    "search_quote_analyzer": ("text", "simple"),
    "split_queries_on_whitespace": ("keyword", True),
}


def test_each_parameter_that_counts_as_changeable_is(pair: Pair) -> None:
    assert PARAMETERS.keys() == changes_in_place.FIELD_PARAMETERS
    plain = {name: {"type": kind} for name, (kind, _) in PARAMETERS.items()}
    definition.create(pair, parsed(mappings={"properties": plain}))
    wanted = parsed(mappings={"properties": {name: {"type": k, name: v} for name, (k, v) in PARAMETERS.items()}})

    changes = definition.plan_update(pair, wanted)
    definition.update(pair, changes)

    assert len(changes.told) == len(PARAMETERS)
    [shown] = definition.show(pair)
    assert all(name in shown["mappings"]["properties"][name] for name in PARAMETERS)


STATIC_EXAMPLES: dict[str, tuple[str, Any]] = {
    "analysis.": ("analysis.analyzer.x.type", "simple"),
    "append_only.": ("append_only.enabled", True),
    "codec": ("codec", "best_compression"),
    "composite_index": ("composite_index", True),
    "data_path": ("data_path", "elsewhere"),
    "format": ("format", 1),
    "load_fixed_bitset_filters_eagerly": ("load_fixed_bitset_filters_eagerly", False),
    "mapping.coerce": ("mapping.coerce", False),
    "mapping.ignore_malformed": ("mapping.ignore_malformed", True),
    "number_of_routing_shards": ("number_of_routing_shards", 4),
    "number_of_shards": ("number_of_shards", 2),
    "queries.cache.enabled": ("queries.cache.enabled", False),
    "replication.type": ("replication.type", "DOCUMENT"),
    "routing_partition_size": ("routing_partition_size", 1),
    "shard.check_on_startup": ("shard.check_on_startup", "true"),
    "similarity.": ("similarity.default.type", "boolean"),
    "soft_deletes.enabled": ("soft_deletes.enabled", True),
    "sort.": ("sort.field", "n"),
    "store.type": ("store.type", "niofs"),
}


def test_each_setting_that_counts_as_static_is(pair: Pair, opensearch_node: OpenSearchNode) -> None:
    definition.create(pair, parsed())
    for name in changes_in_place.STATIC_SETTINGS:
        value = {f"index.{STATIC_EXAMPLES[name][0]}": STATIC_EXAMPLES[name][1]}
        with pytest.raises(HTTPError) as caught:
            api.call(opensearch_node, "PUT", f"/{pair.settings.index}/_settings", value)
        with caught.value as refused:
            assert b"Can't update non dynamic settings" in refused.read(), name


def test_a_pair_of_a_missing_index_says_so(pair: Pair) -> None:
    with pytest.raises(ConfigurationError, match="it doesn't exist"):
        definition.show(pair)
