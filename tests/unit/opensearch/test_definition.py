"""jobs/definition.py and jobs/changes_in_place.py: whatever JSON a file holds, it is compared or refused in words."""

import json
from pathlib import Path
from typing import Any

import pytest
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.opensearch.definition import Definition, read_definition
from dynamodb_opensearch.opensearch.index_changes import compare
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.sampled_from(
    [
        "mappings",
        "settings",
        "aliases",
        "properties",
        "fields",
        "type",
        "_meta",
        "dynamic",
        "routing",
        "a",
        "a.b",
        "",
        ".",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(["", "object", "text"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
PARTS = st.fixed_dictionaries(
    {},
    optional={
        "mappings": JSON | st.fixed_dictionaries({"properties": st.dictionaries(NAMES, JSON, max_size=3)}),
        "settings": JSON,
        "aliases": JSON | st.dictionaries(NAMES, JSON, max_size=3),
    },
)


@given(PARTS | JSON, PARTS)
def test_any_json_is_a_definition_that_can_be_compared_or_is_refused(one: Any, other: Any) -> None:
    try:
        wanted, current = Definition.parse(one, "index.json"), Definition.parse(other, "other.json")
    except ConfigurationError:
        return
    for definition in (wanted, current):
        changes = compare(
            definition.to_json(),
            index="i",
            mappings=current.mappings,
            fields={},
            settings=current.settings,
            default_settings={},
            aliases=current.aliases,
            taken_aliases=(),
        )
        json.dumps(changes.mappings)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"mappings": {"properties": {"n": "long"}}}, "mappings.n must be an object"),
        ({"mappings": {"properties": ["n"]}}, "mappings.properties must be an object"),
        (
            {"mappings": {"properties": {"t": {"type": "text", "fields": {"k": None}}}}},
            "mappings.t.k must be an object",
        ),
        ({"aliases": {"a": None}}, "aliases.a must be an object"),
        ({"aliases": ["a"]}, "aliases must be an object"),
        ({"properties": {}}, "has properties: give an object of mappings, settings and aliases"),
    ],
)
def test_what_must_be_an_object_is_named(tmp_path: Path, value: Any, message: str) -> None:
    path = tmp_path / "index.json"
    path.write_text(json.dumps(value))
    with pytest.raises(ConfigurationError) as caught:
        read_definition(path)
    assert message in str(caught.value)
