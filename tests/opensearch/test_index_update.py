"""An index is changed in place, on a real OpenSearch."""

import json
from typing import Any
from urllib.error import HTTPError

import pytest
from dynamodb_opensearch.core.errors import ConfigurationError, OutOfTimeError, UnreachableError
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.opensearch import index_changes as changes_in_place
from dynamodb_opensearch.opensearch.mapping import infer
from dynamodb_opensearch.opensearch.note import last_verified, note_verified
from dynamodb_opensearch.settings import Service
from engines import OpenSearchNode

from opensearch import api
from opensearch.indices import NUMBERS, admin, name_of, parsed, through


def test_an_update_whose_end_isnt_known_says_what_is_done_and_the_next_one_does_the_rest(sync: Sync) -> None:
    admin(sync).create(parsed(mappings=NUMBERS))
    wanted = parsed(mappings={"properties": {"x": {"type": "long"}}}, settings={"refresh_interval": "9s"})

    def silent(method: str, path: str, _: str) -> Exception | None:
        return UnreachableError("no answer") if (method, path.rpartition("/")[2]) == ("PUT", "_mapping") else None

    told = r"^no answer; the settings of definition-\d+ are changed already: index update does the rest"
    with pytest.raises(OutOfTimeError, match=told):
        admin(through(sync, silent)).update(admin(sync).plan_update(wanted))
    assert admin(sync).plan_update(wanted).descriptions == ["new field x: long"]


def test_an_index_isnt_created_into_an_alias_that_is_written_through(sync: Sync) -> None:
    """The sync's writes would fail: an alias of two indices needs to be told which."""
    alias = name_of(sync)
    admin(sync).create(parsed(), f"{alias}-1")
    with pytest.raises(ConfigurationError, match=f"the alias '{alias}' belongs to {alias}-1, .* leave it out"):
        admin(sync).create(parsed(aliases={alias: {}}), f"{alias}-2")
    [shown] = admin(sync).show()
    assert shown["index"] == f"{alias}-1"


def test_an_update_keeps_what_it_doesnt_say_of_an_alias(sync: Sync) -> None:
    alias = name_of(sync)
    properties = {"filter": {"term": {"hidden": False}}, "index_routing": "7", "search_routing": "7"}
    admin(sync).create(parsed(aliases={alias: properties}), f"{alias}-1")

    steps: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"is_write_index": True}, properties),
        ({"routing": "7"}, properties),
        ({"routing": "8"}, {**properties, "index_routing": "8", "search_routing": "8"}),
        ({"filter": None}, {"index_routing": "8", "search_routing": "8"}),
    ]
    for options, expected in steps:
        changes = admin(sync).plan_update(parsed(aliases={alias: options}))
        admin(sync).update(changes)
        [shown] = admin(sync).show()
        assert shown["aliases"] == {alias: {**expected, "is_write_index": True}}
        assert admin(sync).plan_update(parsed(aliases={alias: options})).descriptions == []


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
    given = json.loads(json.dumps(parts).replace("INDEX", name_of(sync)))
    with pytest.raises(ConfigurationError, match=r"^OpenSearch answered [45]00 to PUT ") as caught:
        admin(sync).create(parsed(**given).with_defaults(table_bytes=0, service=Service.ES))
    assert reason in str(caught.value)


def test_new_fields_dynamic_settings_and_aliases_are_changed_in_place(sync: Sync) -> None:
    admin(sync).create(parsed(mappings=NUMBERS))
    alias = f"{name_of(sync)}-read"
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

    changes = admin(sync).plan_update(wanted)
    admin(sync).update(changes)

    [shown] = admin(sync).show()
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
    assert admin(sync).plan_update(wanted).descriptions == []


def test_what_was_noted_in_an_index_survives_another_meta(sync: Sync) -> None:
    admin(sync).create(parsed(mappings=NUMBERS))
    index, deadline = name_of(sync), sync.deadline()
    home = sync.reader(index).resolve(deadline)
    note_verified(sync.client, home.index, {"at": "2026-01-01T00:00:00Z"}, deadline)
    wanted = parsed(mappings={"_meta": {"owner": "search"}})
    admin(sync).update(admin(sync).plan_update(wanted))
    assert last_verified(sync.client, index, deadline) == {"at": "2026-01-01T00:00:00Z"}
    [shown] = admin(sync).show()
    assert shown["mappings"]["_meta"]["owner"] == "search"
    assert admin(sync).plan_update(wanted).descriptions == []


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
    admin(sync).create(parsed(mappings=NUMBERS))
    before = admin(sync).show()
    fine: dict[str, Any] = {
        "mappings": {"properties": {"new": {"type": "long"}}},
        "settings": {"refresh_interval": "9s"},
    }
    parts["settings"] = {**fine["settings"], **parts.get("settings", {})}
    with pytest.raises(ConfigurationError, match=r"nothing was: .*switch the alias") as caught:
        admin(sync).plan_update(parsed(**{**fine, **parts}))
    assert message in str(caught.value)
    assert admin(sync).show() == before


def test_settings_are_as_before_if_opensearch_refuses_the_mapping_after_all(sync: Sync) -> None:
    admin(sync).create(parsed(mappings=NUMBERS))
    before = admin(sync).show()
    wanted = parsed(mappings={"properties": {"x": {"type": "no such type"}}}, settings={"refresh_interval": "9s"})
    with pytest.raises(ConfigurationError, match=r"answered 400 to PUT .*; definition-\d+ is as it was"):
        admin(sync).update(admin(sync).plan_update(wanted))
    assert admin(sync).show() == before


def test_what_was_done_before_an_update_failed_is_named(sync: Sync) -> None:
    admin(sync).create(parsed(mappings=NUMBERS))
    alias = f"{name_of(sync)}-a"
    wanted = parsed(
        mappings={"properties": {"x": {"type": "long"}}},
        settings={"refresh_interval": "9s"},
        aliases={alias: {"filter": {"no_such_query": {}}}},
    )
    told = r"no_such_query.*; the settings and the index mapping of definition-\d+ are changed already"
    with pytest.raises(ConfigurationError, match=told):
        admin(sync).update(admin(sync).plan_update(wanted))
    assert admin(sync).plan_update(wanted).descriptions == [f"alias {alias}"]


def test_an_alias_of_another_index_is_not_taken_away(sync: Sync, opensearch_node: OpenSearchNode) -> None:
    admin(sync).create(parsed())
    other = f"{name_of(sync)}-other"
    api.call(opensearch_node, "PUT", f"/{other}")
    with pytest.raises(ConfigurationError, match=f"the alias {other}: its name is taken"):
        admin(sync).plan_update(parsed(aliases={other: {}}))


def test_a_file_that_is_its_own_index_changes_nothing(sync: Sync) -> None:
    proposed = infer([{"n": {"N": "1"}, "t": {"S": "x"}, "o": {"M": {"b": {"B": "AA=="}}}}], {"pk": "S"}).mappings
    wanted = parsed(mappings=proposed).with_defaults(table_bytes=0, service=Service.ES)
    admin(sync).create(wanted)
    assert admin(sync).plan_update(wanted).descriptions == []


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
    admin(sync).create(parsed(mappings={"properties": plain}))
    wanted = parsed(mappings={"properties": {name: {"type": k, name: v} for name, (k, v) in PARAMETERS.items()}})

    changes = admin(sync).plan_update(wanted)
    admin(sync).update(changes)

    assert len(changes.descriptions) == len(PARAMETERS)
    [shown] = admin(sync).show()
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
    admin(sync).create(parsed())
    for name in changes_in_place.STATIC_SETTINGS:
        value = {f"index.{STATIC_EXAMPLES[name][0]}": STATIC_EXAMPLES[name][1]}
        with pytest.raises(HTTPError) as caught:
            api.call(opensearch_node, "PUT", f"/{name_of(sync)}/_settings", value)
        with caught.value as refused:
            assert b"Can't update non dynamic settings" in refused.read(), name


def test_a_sync_of_a_missing_index_says_so(sync: Sync) -> None:
    with pytest.raises(ConfigurationError, match="it doesn't exist"):
        admin(sync).show()
