"""What a proposed mapping takes and what it refuses, and how indices are created, changed and switched."""

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any
from urllib.error import HTTPError

import pytest
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.documents import encode_document
from dynamodb_opensearch.core.errors import ConfigurationError, OutOfTimeError, RefusedError, UnreachableError
from dynamodb_opensearch.jobs.create_index import sample
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.opensearch import index_changes as changes_in_place
from dynamodb_opensearch.opensearch.client import Client
from dynamodb_opensearch.opensearch.definition import Definition
from dynamodb_opensearch.opensearch.index import Created, Switched
from dynamodb_opensearch.opensearch.mapping import infer
from dynamodb_opensearch.opensearch.note import last_verified, note_verified
from dynamodb_opensearch.settings import Service, Settings, read_settings
from engines import OpenSearchNode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.strategies import values

from opensearch import api
from opensearch.sides import MakeSides
from simulation.items import make_item

REAL = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
_NUMBERS = count(1)
KEPT = {"type": "object", "enabled": False}

# Few names, so that kinds clash often, also through the paths that dots make.
NAMES = st.sampled_from(["a", "b", "a.b", "b.a", "c", "_id", "ü 1", "", "d.e.f", "pk.x"])
ITEMS = st.dictionaries(NAMES, values().map(lambda sync: sync[0]), max_size=6)


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
    everything = [item["pk"]["S"] for item in sample(sides.sync(), 10_000)]
    some = [item["pk"]["S"] for item in sample(sides.sync(), 60)]
    assert len(everything) == len(set(everything)) == 300
    assert 20 <= len(set(some)) == len(some) <= 60


@pytest.fixture
def sync(opensearch_node: OpenSearchNode) -> Iterator[Sync]:
    """A sync whose index doesn't exist, and whose table nobody asks for."""
    settings = settings_of(opensearch_node, f"definition-{next(_NUMBERS)}")
    table: Any = None
    yield Sync(settings, "", "", None, {}, None, table, Client(settings), table)
    api.call(opensearch_node, "DELETE", f"/{settings.index}*")


def parsed(**parts: Any) -> Definition:
    return Definition.parse(parts, "test.json")


NUMBERS = {"properties": {"n": {"type": "long"}, "t": {"type": "text", "fields": {"keyword": {"type": "keyword"}}}}}


def test_an_index_is_created_with_what_a_sync_needs(sync: Sync) -> None:
    wanted = parsed(mappings=NUMBERS, settings={"index": {"refresh_interval": "5s"}})
    created = sync.index_admin.create(wanted.with_defaults(table_bytes=61 * 10**9, service=Service.ES))
    [shown] = sync.index_admin.show()
    settings = {
        name: shown["settings"][f"index.{name}"] for name in ("number_of_shards", "gc_deletes", "refresh_interval")
    }
    assert (created.index, created.alias) == (sync.settings.index, None)
    assert settings == {"number_of_shards": "3", "gc_deletes": "1h", "refresh_interval": "5s"}
    assert (shown["mappings"], shown["docs"], shown["written"]) == (NUMBERS, 0, True)


def test_another_name_puts_the_index_behind_an_alias_and_a_switch_moves_it(sync: Sync) -> None:
    alias = sync.settings.index
    assert sync.index_admin.create(parsed(), f"{alias}-1") == Created(f"{alias}-1", alias)
    assert sync.index_admin.create(parsed(), f"{alias}-2") == Created(f"{alias}-2", None)
    assert [one["index"] for one in sync.index_admin.show()] == [f"{alias}-1"]

    assert sync.index_admin.switch(f"{alias}-2") == Switched(f"{alias}-1", [], 0, 0)

    [shown] = sync.index_admin.show()
    assert (shown["index"], shown["aliases"]) == (f"{alias}-2", {alias: {"is_write_index": True}})
    assert sync.index_admin.switch(f"{alias}-2") == Switched(None, [], 0, None)


def test_creating_what_exists_is_refused_with_what_to_do(sync: Sync) -> None:
    name = sync.settings.index
    sync.index_admin.create(parsed())
    with pytest.raises(ConfigurationError, match=r"exists already: .* or create another, such as"):
        sync.index_admin.create(parsed())
    with pytest.raises(ConfigurationError, match="is an index, so it can't be an alias"):
        sync.index_admin.create(parsed(), f"{name}-1")
    with pytest.raises(ConfigurationError, match="is an index, not an alias"):
        sync.index_admin.switch(f"{name}-1")


def test_a_switch_to_no_index_is_refused(sync: Sync) -> None:
    sync.index_admin.create(parsed(), f"{sync.settings.index}-1")
    with pytest.raises(ConfigurationError, match="there is no index"):
        sync.index_admin.switch(f"{sync.settings.index}-2")


PROPERTIES: dict[str, dict[str, Any]] = {
    "filter": {"filter": {"term": {"hidden": False}}},
    "routing": {"index_routing": "7", "search_routing": "7,8"},
    "hidden": {"is_hidden": True},
    "filter and routing": {"filter": {"term": {"hidden": False}}, "index_routing": "7", "search_routing": "7"},
}


@pytest.mark.parametrize("properties", PROPERTIES.values(), ids=PROPERTIES)
def test_a_switch_keeps_what_the_alias_has(
    sync: Sync, opensearch_node: OpenSearchNode, properties: dict[str, Any]
) -> None:
    """Else searches would show what was hidden."""
    alias = sync.settings.index
    sync.index_admin.create(parsed(aliases={alias: properties}), f"{alias}-1")
    sync.index_admin.create(parsed(mappings={"properties": {"hidden": {"type": "boolean"}}}), f"{alias}-2")
    for number, hidden in enumerate((True, False, False)):
        where = f"/{alias}-2/_doc/{number}?refresh=true"
        api.call(opensearch_node, "PUT", where, {"hidden": hidden})

    sync.index_admin.switch(f"{alias}-2")

    [shown] = sync.index_admin.show()
    assert (shown["index"], shown["aliases"]) == (f"{alias}-2", {alias: {**properties, "is_write_index": True}})
    if set(properties) == {"filter"}:
        assert api.decoded(opensearch_node, "GET", f"/{alias}/_count")["count"] == 2


def test_a_switch_takes_no_index_of_another_sync_out_of_a_shared_alias(
    sync: Sync, opensearch_node: OpenSearchNode
) -> None:
    alias = sync.settings.index
    sync.index_admin.create(parsed(), f"{alias}-1")
    sync.index_admin.create(parsed(), f"{alias}-2")
    api.call(opensearch_node, "PUT", f"/{alias}-us", {"aliases": {alias: {"filter": {"term": {"country": "us"}}}}})

    assert sync.index_admin.switch(f"{alias}-2") == Switched(f"{alias}-1", [f"{alias}-us"], 0, 0)

    found = {one["index"]: one for one in sync.index_admin.show()}
    assert found.keys() == {f"{alias}-2", f"{alias}-us"}
    assert found[f"{alias}-2"]["written"]
    assert found[f"{alias}-us"]["aliases"] == {alias: {"filter": {"term": {"country": "us"}}}}


def test_a_switch_that_would_have_to_guess_is_refused(sync: Sync, opensearch_node: OpenSearchNode) -> None:
    alias = sync.settings.index
    given: list[dict[str, Any]] = [{}, {}, {"filter": {"match_all": {}}}]
    for number, options in enumerate(given, start=1):
        api.call(opensearch_node, "PUT", f"/{alias}-{number}", {"aliases": {alias: options}})
    with pytest.raises(ConfigurationError, match="it needs a write index; set is_write_index on one of them"):
        sync.index_admin.switch(f"{alias}-2")
    add = {"add": {"index": f"{alias}-1", "alias": alias, "is_write_index": True}}
    api.call(opensearch_node, "POST", "/_aliases", {"actions": [add]})
    before = sync.index_admin.show()
    with pytest.raises(ConfigurationError, match=f"one filter or routing for {alias}-1 and another for {alias}-3"):
        sync.index_admin.switch(f"{alias}-3")
    assert sync.index_admin.show() == before
    sync.index_admin.switch(f"{alias}-2")
    assert [(one["index"], one["written"]) for one in sync.index_admin.show()] == [
        (f"{alias}-2", True),
        (f"{alias}-3", False),
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ALIAS", "isn't an index's name; it leads to ALIAS-1: name one"),
        ("ALIAS-other", "isn't an index's name; it leads to ALIAS-2: name one"),
        ("ALIAS-*", "isn't an index's name; it leads to ALIAS-1, ALIAS-2: name one"),
        ("ALIAS-1,ALIAS-2", "isn't an index's name; it leads to"),
        ("none-*", "there is no index"),
        ("ALIAS-3", r"is closed: open it first \(POST /ALIAS-3/_open\)"),
    ],
)
def test_a_switch_to_what_is_no_open_index_is_refused(
    sync: Sync, opensearch_node: OpenSearchNode, name: str, message: str
) -> None:
    alias = sync.settings.index
    sync.index_admin.create(parsed(), f"{alias}-1")
    api.call(opensearch_node, "PUT", f"/{alias}-2", {"aliases": {f"{alias}-other": {}}})
    api.call(opensearch_node, "PUT", f"/{alias}-3")
    api.call(opensearch_node, "POST", f"/{alias}-3/_close")
    with pytest.raises(ConfigurationError, match=message.replace("ALIAS", alias)):
        sync.index_admin.switch(name.replace("ALIAS", alias))
    [shown] = sync.index_admin.show()
    assert shown["index"] == f"{alias}-1"


def test_a_switch_away_from_a_closed_index_is_one(sync: Sync, opensearch_node: OpenSearchNode) -> None:
    alias = sync.settings.index
    sync.index_admin.create(parsed(), f"{alias}-1")
    sync.index_admin.create(parsed(), f"{alias}-2")
    api.call(opensearch_node, "POST", f"/{alias}-1/_close")
    assert sync.index_admin.switch(f"{alias}-2") == Switched(f"{alias}-1", [], 0, None)


def test_a_switch_tells_how_many_documents_each_index_holds(sync: Sync, opensearch_node: OpenSearchNode) -> None:
    alias = sync.settings.index
    sync.index_admin.create(parsed(), f"{alias}-1")
    sync.index_admin.create(parsed(), f"{alias}-2")
    api.call(opensearch_node, "PUT", f"/{alias}-1/_doc/1?refresh=true", {})
    assert sync.index_admin.switch(f"{alias}-2") == Switched(f"{alias}-1", [], 0, 1)


def test_a_switch_from_old_knowledge_does_nothing(sync: Sync, opensearch_node: OpenSearchNode) -> None:
    """Somebody else has switched after it looked."""
    alias = sync.settings.index
    for number in (1, 2, 3):
        sync.index_admin.create(parsed(), f"{alias}-{number}")
    found = api.decoded(opensearch_node, "GET", f"/{alias}")
    sync.index_admin.switch(f"{alias}-3")
    added = {"add": {"index": f"{alias}-2", "alias": alias, "is_write_index": True}}
    with pytest.raises(ConfigurationError, match="was changed meanwhile, so nothing was done"):
        sync.index_admin._replace(found, f"{alias}-1", added)
    [shown] = sync.index_admin.show()
    assert shown["index"] == f"{alias}-3"


class Between:
    """A client between us and OpenSearch: what its function returns instead of None is raised."""

    def __init__(self, client: Client, raised: Callable[[str, str, str], Exception | None]) -> None:
        self._client, self._raised = client, raised

    def fetch(self, method: str, path: str, parameters: Any, body: bytes | None, timeout_seconds: float) -> str:
        if error := self._raised(method, path, (body or b"").decode()):
            raise error
        return self._client.fetch(method, path, parameters, body, timeout_seconds)


def through(sync: Sync, raised: Callable[[str, str, str], Exception | None]) -> Sync:
    client: Any = Between(sync.client, raised)
    return replace(sync, client=client, deadline=lambda: Deadline.after(1))


def test_a_switch_works_before_212_too_and_looks_again_before_it(sync: Sync) -> None:
    """See https://github.com/opensearch-project/OpenSearch/issues/2949."""
    alias = sync.settings.index
    for number in (1, 2, 3):
        sync.index_admin.create(parsed(), f"{alias}-{number}")
    reason = {"type": "x_content_parse_exception", "reason": "[7:9] [remove] unknown field [must_exist]"}
    refusal = {"error": {"type": "x_content_parse_exception", "reason": "[aliases] failed", "caused_by": reason}}

    def older(method: str, path: str, body: str) -> Exception | None:
        return RefusedError(f"{method} {path}", 400, refusal) if "must_exist" in body else None

    assert through(sync, older).index_admin.switch(f"{alias}-2").before == f"{alias}-1"
    [shown] = sync.index_admin.show()
    assert (shown["index"], shown["aliases"]) == (f"{alias}-2", {alias: {"is_write_index": True}})

    def raced(method: str, path: str, body: str) -> Exception | None:
        error = older(method, path, body)
        if error:
            sync.index_admin.switch(f"{alias}-3")
        return error

    with pytest.raises(ConfigurationError, match="was changed meanwhile, so nothing was done"):
        through(sync, raced).index_admin.switch(f"{alias}-1")
    assert [one["index"] for one in sync.index_admin.show()] == [f"{alias}-3"]


def test_an_update_whose_end_isnt_known_says_what_is_done_and_the_next_one_does_the_rest(sync: Sync) -> None:
    sync.index_admin.create(parsed(mappings=NUMBERS))
    wanted = parsed(mappings={"properties": {"x": {"type": "long"}}}, settings={"refresh_interval": "9s"})

    def silent(method: str, path: str, _: str) -> Exception | None:
        return UnreachableError("no answer") if (method, path.rpartition("/")[2]) == ("PUT", "_mapping") else None

    told = r"^no answer; the settings of definition-\d+ are changed already: index update does the rest"
    with pytest.raises(OutOfTimeError, match=told):
        through(sync, silent).index_admin.update(sync.index_admin.plan_update(wanted))
    assert sync.index_admin.plan_update(wanted).descriptions == ["new field x: long"]


def test_an_index_isnt_created_into_an_alias_that_is_written_through(sync: Sync) -> None:
    """The sync's writes would fail: an alias of two indices needs to be told which."""
    alias = sync.settings.index
    sync.index_admin.create(parsed(), f"{alias}-1")
    with pytest.raises(ConfigurationError, match=f"the alias '{alias}' belongs to {alias}-1, .* leave it out"):
        sync.index_admin.create(parsed(aliases={alias: {}}), f"{alias}-2")
    [shown] = sync.index_admin.show()
    assert shown["index"] == f"{alias}-1"


def test_an_update_keeps_what_it_doesnt_say_of_an_alias(sync: Sync) -> None:
    alias = sync.settings.index
    properties = {"filter": {"term": {"hidden": False}}, "index_routing": "7", "search_routing": "7"}
    sync.index_admin.create(parsed(aliases={alias: properties}), f"{alias}-1")

    steps: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"is_write_index": True}, properties),
        ({"routing": "7"}, properties),
        ({"routing": "8"}, {**properties, "index_routing": "8", "search_routing": "8"}),
        ({"filter": None}, {"index_routing": "8", "search_routing": "8"}),
    ]
    for options, expected in steps:
        changes = sync.index_admin.plan_update(parsed(aliases={alias: options}))
        sync.index_admin.update(changes)
        [shown] = sync.index_admin.show()
        assert shown["aliases"] == {alias: {**expected, "is_write_index": True}}
        assert sync.index_admin.plan_update(parsed(aliases={alias: options})).descriptions == []


WITHOUT_USE: dict[str, tuple[dict[str, Any], str]] = {
    "a null_value of another type": (
        {"mappings": {"properties": {"n": {"type": "long", "null_value": "none"}}}},
        'For input string: "none"',
    ),
    "a type as of Elasticsearch 6": (
        {"mappings": {"_doc": {"properties": {"n": {"type": "long"}}}}},
        "The mapping definition cannot be nested under a type",
    ),
    "an unknown tokenizer": (
        {"settings": {"analysis": {"analyzer": {"a": {"type": "custom", "tokenizer": "trigram"}}}}},
        "failed to find tokenizer under name [trigram]",
    ),
    "too many shards": ({"settings": {"number_of_shards": 2000}}, "must be <= 1024"),
    "an alias of the index's own name": ({"aliases": {"INDEX": {}}}, "names need to be unique"),
    "an unknown setting": ({"settings": {"no_such_thing": 1}}, "unknown setting [index.no_such_thing]"),
    "an unknown type": ({"mappings": {"properties": {"n": {"type": "no such type"}}}}, "No handler for type"),
}


@pytest.mark.parametrize(("parts", "reason"), WITHOUT_USE.values(), ids=WITHOUT_USE)
def test_what_opensearch_refuses_while_creating_is_told_in_its_own_words(
    sync: Sync, parts: dict[str, Any], reason: str
) -> None:
    given = json.loads(json.dumps(parts).replace("INDEX", sync.settings.index))
    with pytest.raises(ConfigurationError, match=r"^OpenSearch answered [45]00 to PUT ") as caught:
        sync.index_admin.create(parsed(**given).with_defaults(table_bytes=0, service=Service.ES))
    assert reason in str(caught.value)


def test_new_fields_dynamic_settings_and_aliases_are_changed_in_place(sync: Sync) -> None:
    sync.index_admin.create(parsed(mappings=NUMBERS))
    alias = f"{sync.settings.index}-read"
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

    changes = sync.index_admin.plan_update(wanted)
    sync.index_admin.update(changes)

    [shown] = sync.index_admin.show()
    assert shown["mappings"]["properties"] == {
        "n": {"type": "long", "ignore_malformed": True},
        "new": {"properties": {"deep": {"type": "date"}}},
        "t": {
            "type": "text",
            "fields": {"keyword": {"type": "keyword"}, "words": {"type": "text", "analyzer": "simple"}},
        },
    }
    assert (shown["settings"]["index.refresh_interval"], list(shown["aliases"])) == ("7s", [alias])
    assert changes.descriptions == [
        "dynamic: nothing → strict",
        "new field new: object",
        "ignore_malformed of n: false → true",
        "new field t.words: text",
        "setting index.refresh_interval: 1s → 7s",
        f"alias {alias}",
    ]
    assert sync.index_admin.plan_update(wanted).descriptions == []


def test_what_was_noted_in_an_index_survives_another_meta(sync: Sync) -> None:
    sync.index_admin.create(parsed(mappings=NUMBERS))
    index, deadline = sync.settings.index, sync.deadline()
    home = sync.reader.resolve(deadline)
    note_verified(sync.client, home.index, {"at": "2026-01-01T00:00:00Z"}, deadline)
    wanted = parsed(mappings={"_meta": {"owner": "search"}})
    sync.index_admin.update(sync.index_admin.plan_update(wanted))
    assert last_verified(sync.client, index, deadline) == {"at": "2026-01-01T00:00:00Z"}
    [shown] = sync.index_admin.show()
    assert shown["mappings"]["_meta"]["owner"] == "search"
    assert sync.index_admin.plan_update(wanted).descriptions == []


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
    sync: Sync, parts: dict[str, Any], message: str
) -> None:
    sync.index_admin.create(parsed(mappings=NUMBERS))
    before = sync.index_admin.show()
    fine: dict[str, Any] = {
        "mappings": {"properties": {"new": {"type": "long"}}},
        "settings": {"refresh_interval": "9s"},
    }
    parts["settings"] = {**fine["settings"], **parts.get("settings", {})}
    with pytest.raises(ConfigurationError, match=r"nothing was: .*switch the alias") as caught:
        sync.index_admin.plan_update(parsed(**{**fine, **parts}))
    assert message in str(caught.value)
    assert sync.index_admin.show() == before


def test_settings_are_as_before_if_opensearch_refuses_the_mapping_after_all(sync: Sync) -> None:
    sync.index_admin.create(parsed(mappings=NUMBERS))
    before = sync.index_admin.show()
    wanted = parsed(mappings={"properties": {"x": {"type": "no such type"}}}, settings={"refresh_interval": "9s"})
    with pytest.raises(ConfigurationError, match=r"answered 400 to PUT .*; definition-\d+ is as it was"):
        sync.index_admin.update(sync.index_admin.plan_update(wanted))
    assert sync.index_admin.show() == before


def test_what_was_done_before_an_update_failed_is_named(sync: Sync) -> None:
    sync.index_admin.create(parsed(mappings=NUMBERS))
    alias = f"{sync.settings.index}-a"
    wanted = parsed(
        mappings={"properties": {"x": {"type": "long"}}},
        settings={"refresh_interval": "9s"},
        aliases={alias: {"filter": {"no_such_query": {}}}},
    )
    told = r"no_such_query.*; the settings and the index mapping of definition-\d+ are changed already"
    with pytest.raises(ConfigurationError, match=told):
        sync.index_admin.update(sync.index_admin.plan_update(wanted))
    assert sync.index_admin.plan_update(wanted).descriptions == [f"alias {alias}"]


def test_an_alias_of_another_index_is_not_taken_away(sync: Sync, opensearch_node: OpenSearchNode) -> None:
    sync.index_admin.create(parsed())
    other = f"{sync.settings.index}-other"
    api.call(opensearch_node, "PUT", f"/{other}")
    with pytest.raises(ConfigurationError, match=f"the alias {other}: its name is taken"):
        sync.index_admin.plan_update(parsed(aliases={other: {}}))


def test_a_file_that_is_its_own_index_changes_nothing(sync: Sync) -> None:
    proposed = infer([{"n": {"N": "1"}, "t": {"S": "x"}, "o": {"M": {"b": {"B": "AA=="}}}}], {"pk": "S"}).mappings
    wanted = parsed(mappings=proposed).with_defaults(table_bytes=0, service=Service.ES)
    sync.index_admin.create(wanted)
    assert sync.index_admin.plan_update(wanted).descriptions == []


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


def test_each_parameter_that_counts_as_changeable_is(sync: Sync) -> None:
    assert PARAMETERS.keys() == changes_in_place.FIELD_PARAMETERS
    plain = {name: {"type": kind} for name, (kind, _) in PARAMETERS.items()}
    sync.index_admin.create(parsed(mappings={"properties": plain}))
    wanted = parsed(mappings={"properties": {name: {"type": k, name: v} for name, (k, v) in PARAMETERS.items()}})

    changes = sync.index_admin.plan_update(wanted)
    sync.index_admin.update(changes)

    assert len(changes.descriptions) == len(PARAMETERS)
    [shown] = sync.index_admin.show()
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


def test_each_setting_that_counts_as_static_is(sync: Sync, opensearch_node: OpenSearchNode) -> None:
    sync.index_admin.create(parsed())
    for name in changes_in_place.STATIC_SETTINGS:
        value = {f"index.{STATIC_EXAMPLES[name][0]}": STATIC_EXAMPLES[name][1]}
        with pytest.raises(HTTPError) as caught:
            api.call(opensearch_node, "PUT", f"/{sync.settings.index}/_settings", value)
        with caught.value as refused:
            assert b"Can't update non dynamic settings" in refused.read(), name


def test_a_pair_of_a_missing_index_says_so(sync: Sync) -> None:
    with pytest.raises(ConfigurationError, match="it doesn't exist"):
        sync.index_admin.show()
