"""Which index mapping a sample leads to, and the reasons that are given."""

from typing import Any

import pytest
from dynamodb_opensearch.opensearch.mapping import WIDE, infer
from hypothesis import given
from hypothesis import strategies as st

from unit import strategies

KEYWORD = {"type": "keyword", "ignore_above": 256}
TEXT = {"type": "text", "fields": {"keyword": KEYWORD}}
NUMBER = {"type": "double", "ignore_malformed": True}
LONG_NUMBER = {**NUMBER, "fields": {"exact": KEYWORD}}
DATE = {"type": "date", "ignore_malformed": True, "fields": {"keyword": KEYWORD}}
KEPT = {"type": "object", "enabled": False}


def properties(*values: Any) -> Any:
    """The properties that are proposed for items of one attribute ``a``, one for each value."""
    proposed = infer([{"pk": {"S": "x"}, "a": value} for value in values], {"pk": "S"}).mappings["properties"]
    assert proposed.pop("pk") == {"type": "keyword", "ignore_above": 2048}
    return proposed


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([{"S": "words"}], TEXT),
        ([{"SS": ["a", "b"]}, {"L": [{"S": "c"}, {"NULL": True}]}], TEXT),
        ([{"N": "1"}, {"N": "-1.50"}, {"NS": ["1E125"]}, {"N": "123456789012345000000"}], NUMBER),
        ([{"N": "1"}, {"N": "1234567890123456"}], LONG_NUMBER),
        ([{"N": "0.1234567890123456"}], LONG_NUMBER),
        ([{"S": "2026-11-24"}, {"S": "2026-11-24T12:00:00.123456Z"}, {"S": "2026-11-24T12:00+01:00"}], DATE),
        ([{"S": "2026-11-24"}, {"S": "2026-02-30"}], TEXT),
        ([{"S": "20261124"}], TEXT),
        ([{"S": "2026-11-24"}, {"N": "5"}], TEXT),
        ([{"BOOL": True}, {"NULL": True}], KEYWORD),
        ([{"BOOL": True}, {"N": "1"}], TEXT),
        ([{"B": "AAEC"}, {"BS": ["AA=="]}], KEPT),
        ([{"B": "AAEC"}, {"S": "text"}], TEXT),
        ([{"M": {}}, {"N": "1"}], KEPT),
        ([{"L": [{"N": "1"}, {"M": {"x": {"S": "y"}}}]}], KEPT),
        ([{"L": [{"L": [{"N": "1"}]}]}], NUMBER),
        ([{"M": {}}], {"type": "object", "dynamic": False}),
        (
            [{"M": {"n": {"N": "1"}}}, {"L": [{"M": {"t": {"S": "x"}}}]}],
            {"type": "object", "dynamic": False, "properties": {"n": NUMBER, "t": TEXT}},
        ),
    ],
)
def test_each_kind_gets_a_type_that_takes_what_else_may_come(values: list[Any], expected: Any) -> None:
    assert properties(*values) == {"a": expected}


@pytest.mark.parametrize("value", [{"NULL": True}, {"L": []}, {"L": [{"NULL": True}]}])
def test_what_shows_no_kind_is_left_out(value: Any) -> None:
    assert properties(value) == {}


def test_a_map_of_many_names_is_taken_for_a_dictionary() -> None:
    names = {f"user-{number}": {"N": "1"} for number in range(WIDE + 1)}
    assert properties({"M": names}) == {"a": KEPT}


def test_maps_beyond_a_depth_are_kept() -> None:
    value: Any = {"N": "1"}
    for _ in range(31):
        value = {"M": {"m": value}}
    [found] = properties(value).values()
    depth = 1
    while "properties" in found:
        found, depth = found["properties"]["m"], depth + 1
    assert (found, depth) == (KEPT, 9)


def test_a_dot_in_a_name_is_a_path_as_opensearch_takes_it() -> None:
    items = [{"pk": {"S": "x"}, "a.b": {"N": "1"}, "c": {"M": {"d.e": {"BOOL": True}}}}]
    proposed = infer(items, {"pk": "S"}).mappings["properties"]
    assert proposed["a"] == {"type": "object", "dynamic": False, "properties": {"b": NUMBER}}
    assert proposed["c"]["properties"]["d"]["properties"] == {"e": KEYWORD}


def test_a_value_beside_a_path_through_it_is_kept() -> None:
    items = [{"pk": {"S": "x"}, "a": {"N": "1"}}, {"pk": {"S": "y"}, "a.b": {"N": "1"}, "pk.x": {"N": "1"}}]
    proposed = infer(items, {"pk": "S"}).mappings["properties"]
    assert (proposed["a"], proposed["pk"]) == (KEPT, KEPT)


@pytest.mark.parametrize("name", ["*", "tab\tbed", "x" * 300])
def test_unusual_names_are_left_out_and_noted(name: str) -> None:
    proposal = infer([{"pk": {"S": "x"}, name: {"N": "1"}}], {"pk": "S"})
    assert list(proposal.mappings["properties"]) == ["pk"]
    assert [note.type for note in proposal.notes] == (
        ["not indexed", "keyword"] if name < "pk" else ["keyword", "not indexed"]
    )


def test_names_are_those_of_the_document() -> None:
    proposal = infer([{"pk": {"S": "x"}, "_id": {"N": "1"}, "": {"N": "1"}}], {"pk": "S"})
    assert sorted(proposal.mappings["properties"]) == ["pk", "~", "~_id"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("S", {"type": "keyword", "ignore_above": 2048}),
        ("N", LONG_NUMBER),
        ("B", {"type": "keyword", "ignore_above": 2732}),
    ],
)
def test_keys_are_indexed_although_no_sample_shows_them(kind: str, expected: Any) -> None:
    proposed = infer([], {"my.key": kind, "sk": kind}).mappings["properties"]
    assert proposed == {"my": {"type": "object", "dynamic": False, "properties": {"key": expected}}, "sk": expected}


def test_each_field_has_a_note_with_its_type_and_how_often_it_was_seen() -> None:
    items: list[Any] = [{"pk": {"S": "x"}, "a": {"M": {"b": {"N": "1"}}}}, {"pk": {"S": "y"}}]
    proposal = infer(items, {"pk": "S"})
    notes = [(note.field, note.type, note.samples) for note in proposal.notes]
    assert (notes, proposal.samples) == ([("a", "object", 1), ("a.b", "double", 1), ("pk", "keyword", 2)], 2)
    assert all(note.why for note in proposal.notes)


def test_new_attributes_are_kept_unless_asked_for() -> None:
    assert infer([], {"pk": "S"}).mappings["dynamic"] is False
    assert infer([], {"pk": "S"}, dynamic=True).mappings["dynamic"] is True


@given(
    st.lists(
        st.dictionaries(st.text(max_size=5), strategies.values().map(lambda sync: sync[0]), max_size=4), max_size=4
    )
)
def test_any_sample_leads_to_a_mapping_that_notes_every_field(items: list[Any]) -> None:
    proposal = infer([{"pk": {"S": "x"}, **item} for item in items], {"pk": "S"})

    def paths(mapping: Any, prefix: str) -> list[str]:
        members = mapping.get("properties", {}).items()
        return [path for name, one in members for path in (prefix + name, *paths(one, f"{prefix}{name}."))]

    assert set(paths(proposal.mappings, "")) <= {note.field for note in proposal.notes}
