"""An index is created, and an alias switched, on a real OpenSearch."""

from typing import Any

import pytest
from dynamodb_opensearch.core.errors import ConfigurationError, RefusedError
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.opensearch.index import Created, Switched
from dynamodb_opensearch.settings import Service
from engines import OpenSearchNode

from opensearch import api
from opensearch.indices import NUMBERS, admin, name_of, parsed, through


def test_an_index_is_created_with_what_a_sync_needs(sync: Sync) -> None:
    wanted = parsed(mappings=NUMBERS, settings={"index": {"refresh_interval": "5s"}})
    created = admin(sync).create(wanted.with_defaults(table_bytes=61 * 10**9, service=Service.ES))
    [shown] = admin(sync).show()
    settings = {
        name: shown["settings"][f"index.{name}"] for name in ("number_of_shards", "gc_deletes", "refresh_interval")
    }
    assert (created.index, created.alias) == (name_of(sync), None)
    assert settings == {"number_of_shards": "3", "gc_deletes": "1h", "refresh_interval": "5s"}
    assert (shown["mappings"], shown["docs"], shown["written"]) == (NUMBERS, 0, True)


def test_another_name_puts_the_index_behind_an_alias_and_a_switch_moves_it(sync: Sync) -> None:
    alias = name_of(sync)
    assert admin(sync).create(parsed(), f"{alias}-1") == Created(f"{alias}-1", alias)
    assert admin(sync).create(parsed(), f"{alias}-2") == Created(f"{alias}-2", None)
    assert [one["index"] for one in admin(sync).show()] == [f"{alias}-1"]

    assert admin(sync).switch(f"{alias}-2") == Switched(f"{alias}-1", [], 0, 0)

    [shown] = admin(sync).show()
    assert (shown["index"], shown["aliases"]) == (f"{alias}-2", {alias: {"is_write_index": True}})
    assert admin(sync).switch(f"{alias}-2") == Switched(None, [], 0, None)


def test_creating_what_exists_is_refused_with_what_to_do(sync: Sync) -> None:
    name = name_of(sync)
    admin(sync).create(parsed())
    with pytest.raises(ConfigurationError, match=r"exists already: .* or create another, such as"):
        admin(sync).create(parsed())
    with pytest.raises(ConfigurationError, match="is an index, so it can't be an alias"):
        admin(sync).create(parsed(), f"{name}-1")
    with pytest.raises(ConfigurationError, match="is an index, not an alias"):
        admin(sync).switch(f"{name}-1")


def test_a_switch_to_no_index_is_refused(sync: Sync) -> None:
    admin(sync).create(parsed(), f"{name_of(sync)}-1")
    with pytest.raises(ConfigurationError, match="there is no index"):
        admin(sync).switch(f"{name_of(sync)}-2")


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
    alias = name_of(sync)
    admin(sync).create(parsed(aliases={alias: properties}), f"{alias}-1")
    admin(sync).create(parsed(mappings={"properties": {"hidden": {"type": "boolean"}}}), f"{alias}-2")
    for number, hidden in enumerate((True, False, False)):
        where = f"/{alias}-2/_doc/{number}?refresh=true"
        api.call(opensearch_node, "PUT", where, {"hidden": hidden})

    admin(sync).switch(f"{alias}-2")

    [shown] = admin(sync).show()
    assert (shown["index"], shown["aliases"]) == (f"{alias}-2", {alias: {**properties, "is_write_index": True}})
    if set(properties) == {"filter"}:
        assert api.decoded(opensearch_node, "GET", f"/{alias}/_count")["count"] == 2


def test_a_switch_takes_no_index_of_another_sync_out_of_a_shared_alias(
    sync: Sync, opensearch_node: OpenSearchNode
) -> None:
    alias = name_of(sync)
    admin(sync).create(parsed(), f"{alias}-1")
    admin(sync).create(parsed(), f"{alias}-2")
    api.call(opensearch_node, "PUT", f"/{alias}-us", {"aliases": {alias: {"filter": {"term": {"country": "us"}}}}})

    assert admin(sync).switch(f"{alias}-2") == Switched(f"{alias}-1", [f"{alias}-us"], 0, 0)

    found = {one["index"]: one for one in admin(sync).show()}
    assert found.keys() == {f"{alias}-2", f"{alias}-us"}
    assert found[f"{alias}-2"]["written"]
    assert found[f"{alias}-us"]["aliases"] == {alias: {"filter": {"term": {"country": "us"}}}}


def test_a_switch_that_would_have_to_guess_is_refused(sync: Sync, opensearch_node: OpenSearchNode) -> None:
    alias = name_of(sync)
    given: list[dict[str, Any]] = [{}, {}, {"filter": {"match_all": {}}}]
    for number, options in enumerate(given, start=1):
        api.call(opensearch_node, "PUT", f"/{alias}-{number}", {"aliases": {alias: options}})
    with pytest.raises(ConfigurationError, match="it needs a write index; set is_write_index on one of them"):
        admin(sync).switch(f"{alias}-2")
    add = {"add": {"index": f"{alias}-1", "alias": alias, "is_write_index": True}}
    api.call(opensearch_node, "POST", "/_aliases", {"actions": [add]})
    before = admin(sync).show()
    with pytest.raises(ConfigurationError, match=f"one filter or routing for {alias}-1 and another for {alias}-3"):
        admin(sync).switch(f"{alias}-3")
    assert admin(sync).show() == before
    admin(sync).switch(f"{alias}-2")
    assert [(one["index"], one["written"]) for one in admin(sync).show()] == [
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
    alias = name_of(sync)
    admin(sync).create(parsed(), f"{alias}-1")
    api.call(opensearch_node, "PUT", f"/{alias}-2", {"aliases": {f"{alias}-other": {}}})
    api.call(opensearch_node, "PUT", f"/{alias}-3")
    api.call(opensearch_node, "POST", f"/{alias}-3/_close")
    with pytest.raises(ConfigurationError, match=message.replace("ALIAS", alias)):
        admin(sync).switch(name.replace("ALIAS", alias))
    [shown] = admin(sync).show()
    assert shown["index"] == f"{alias}-1"


def test_a_switch_away_from_a_closed_index_is_one(sync: Sync, opensearch_node: OpenSearchNode) -> None:
    alias = name_of(sync)
    admin(sync).create(parsed(), f"{alias}-1")
    admin(sync).create(parsed(), f"{alias}-2")
    api.call(opensearch_node, "POST", f"/{alias}-1/_close")
    assert admin(sync).switch(f"{alias}-2") == Switched(f"{alias}-1", [], 0, None)


def test_a_switch_tells_how_many_documents_each_index_holds(sync: Sync, opensearch_node: OpenSearchNode) -> None:
    alias = name_of(sync)
    admin(sync).create(parsed(), f"{alias}-1")
    admin(sync).create(parsed(), f"{alias}-2")
    api.call(opensearch_node, "PUT", f"/{alias}-1/_doc/1?refresh=true", {})
    assert admin(sync).switch(f"{alias}-2") == Switched(f"{alias}-1", [], 0, 1)


def test_a_switch_from_old_knowledge_does_nothing(sync: Sync, opensearch_node: OpenSearchNode) -> None:
    """Somebody else has switched after it looked."""
    alias = name_of(sync)
    for number in (1, 2, 3):
        admin(sync).create(parsed(), f"{alias}-{number}")
    found = api.decoded(opensearch_node, "GET", f"/{alias}")
    admin(sync).switch(f"{alias}-3")
    added = {"add": {"index": f"{alias}-2", "alias": alias, "is_write_index": True}}
    with pytest.raises(ConfigurationError, match="was changed meanwhile, so nothing was done"):
        admin(sync)._replace(found, f"{alias}-1", added)
    [shown] = admin(sync).show()
    assert shown["index"] == f"{alias}-3"


def test_a_switch_works_before_212_too_and_looks_again_before_it(sync: Sync) -> None:
    """See https://github.com/opensearch-project/OpenSearch/issues/2949."""
    alias = name_of(sync)
    for number in (1, 2, 3):
        admin(sync).create(parsed(), f"{alias}-{number}")
    reason = {"type": "x_content_parse_exception", "reason": "[7:9] [remove] unknown field [must_exist]"}
    refusal = {"error": {"type": "x_content_parse_exception", "reason": "[aliases] failed", "caused_by": reason}}

    def older(method: str, path: str, body: str) -> Exception | None:
        return RefusedError(f"{method} {path}", 400, refusal) if "must_exist" in body else None

    assert admin(through(sync, older)).switch(f"{alias}-2").before == f"{alias}-1"
    [shown] = admin(sync).show()
    assert (shown["index"], shown["aliases"]) == (f"{alias}-2", {alias: {"is_write_index": True}})

    def raced(method: str, path: str, body: str) -> Exception | None:
        error = older(method, path, body)
        if error:
            admin(sync).switch(f"{alias}-3")
        return error

    with pytest.raises(ConfigurationError, match="was changed meanwhile, so nothing was done"):
        admin(through(sync, raced)).switch(f"{alias}-1")
    assert [one["index"] for one in admin(sync).show()] == [f"{alias}-3"]
