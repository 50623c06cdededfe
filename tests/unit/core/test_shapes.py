"""Shapes, against a second reading of what they mean."""

import json
from decimal import Decimal
from typing import Any

import pytest
from dynamodb_opensearch.core.documents import encode_document
from dynamodb_opensearch.core.errors import UndecodableError
from dynamodb_opensearch.core.shapes import WHOLE, Shape, parse_shape
from hypothesis import given
from hypothesis import strategies as st

from unit.strategies import Pair, values

NAMES = st.sampled_from(["a", "b", "c", "d", "_id", "~a", "", ".", "a.b", "é"])
SHORT = st.sampled_from(["a", "b", "c", "d", "_id", "~a", ".", "a.b", "é"])


def constants() -> st.SearchStrategy[Any]:
    return st.one_of(st.sampled_from(["", "order", 'é"']), st.booleans(), st.integers(), st.just(Decimal("1.50")))


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """The members of a shape as INDICES has them."""
    renamed = draw(st.lists(SHORT, max_size=3, unique=True))
    fields = draw(st.lists(SHORT, min_size=len(renamed), max_size=len(renamed), unique=True))
    spec = {
        "include": draw(st.none() | st.lists(SHORT, min_size=1, max_size=5)),
        "exclude": draw(st.none() | st.lists(SHORT, max_size=2)),
        "rename": draw(st.just(dict(zip(renamed, fields, strict=True))) if renamed else st.sampled_from([None, {}])),
        "constants": draw(st.none() | st.dictionaries(SHORT, constants(), max_size=2)),
    }
    if spec["include"] is not None and not set(spec["include"]) - set(spec["exclude"] or []) and not spec["constants"]:
        spec["include"] = None
    return spec


def shaped(members: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    """Field -> value, step by step as the pages describe it."""
    include, exclude = spec.get("include"), spec.get("exclude") or []
    left = {name: value for name, value in members.items() if include is None or name in include}
    left = {name: value for name, value in left.items() if name not in exclude}
    rename = spec.get("rename") or {}
    kept = {name: value for name, value in left.items() if name not in rename}
    moved = {rename[name]: value for name, value in left.items() if name in rename}
    return kept | moved | (spec.get("constants") or {})


def escaped(name: str) -> str:
    """A field's name as the document spells it."""
    plain = name[:1] not in {"_", "~"} and all(part.strip() for part in name.split("."))
    return name if plain else "~" + name.replace("~", "~0").replace(".", "~1")


def read(document: bytes) -> Any:
    """A document, in which no name may occur twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    return json.loads(document, parse_float=Decimal, object_pairs_hook=once)


def a_document(item: dict[str, Any], **spec: Any) -> Any:
    return read(parse_shape(spec).encode(item))


def text(value: str) -> dict[str, str]:
    return {"S": value}


ITEM = {"pk": text("1"), "a": text("A"), "b": text("B")}


@given(st.dictionaries(NAMES, values(), max_size=6), specs())
def test_a_document_has_what_its_shape_leaves_under_the_names_that_it_gives(
    item: dict[str, Pair], spec: dict[str, Any]
) -> None:
    document = read(parse_shape(spec).encode({name: value for name, (value, _) in item.items()}))

    expected = shaped({name: value for name, (_, value) in item.items()}, spec)
    assert document == {escaped(name): value for name, value in expected.items()}


@given(st.dictionaries(NAMES, values(), max_size=6))
def test_the_whole_shape_is_the_item_byte_for_byte(item: dict[str, Pair]) -> None:
    raw = {name: value for name, (value, _) in item.items()}

    assert WHOLE.is_whole
    assert WHOLE.encode(raw) == parse_shape({}).encode(raw) == encode_document(raw)


@given(st.dictionaries(NAMES, st.integers(), max_size=6), specs())
def test_members_that_are_json_already_get_the_same_shape(members: dict[str, int], spec: dict[str, Any]) -> None:
    shape = parse_shape(spec)

    as_item = shape.encode({name: {"N": str(value)} for name, value in members.items()})

    assert shape.encode_texts({name: str(value) for name, value in members.items()}) == as_item


@given(st.dictionaries(NAMES, st.integers(), max_size=6), specs())
def test_no_item_is_changed_by_its_shape(members: dict[str, int], spec: dict[str, Any]) -> None:
    before = dict(members)

    parse_shape(spec).select(members)

    assert members == before


def test_include_leaves_out_all_others_even_the_key() -> None:
    assert a_document(ITEM, include=["a", "missing"]) == {"a": "A"}


def test_a_document_of_which_nothing_is_left_is_a_document() -> None:
    assert a_document({"pk": text("1")}, include=["a"]) == {}
    assert a_document({"pk": text("1")}, exclude=["pk"]) == {}
    assert a_document({}, constants={"kind": "x"}) == {"kind": "x"}


def test_exclude_comes_after_include() -> None:
    assert a_document(ITEM, include=["a", "b"], exclude=["b", "missing"]) == {"a": "A"}


def test_include_and_exclude_know_the_items_own_names() -> None:
    assert a_document(ITEM, include=["a"], rename={"a": "x"}) == {"x": "A"}
    assert a_document(ITEM, exclude=["x"], rename={"a": "x"}) == {"pk": "1", "x": "A", "b": "B"}


def test_two_names_can_be_swapped() -> None:
    assert a_document(ITEM, rename={"a": "b", "b": "a"}) == {"pk": "1", "a": "B", "b": "A"}


def test_names_move_all_at_once() -> None:
    assert a_document(ITEM, rename={"pk": "a", "a": "b", "b": "c"}) == {"a": "1", "b": "A", "c": "B"}


def test_a_renamed_attribute_wins_over_one_that_has_the_name() -> None:
    assert a_document(ITEM, rename={"a": "b"}) == {"pk": "1", "b": "A"}
    assert a_document(dict(reversed(ITEM.items())), rename={"a": "b"}) == {"pk": "1", "b": "A"}


def test_an_attribute_keeps_its_name_where_the_renamed_one_is_missing_or_left_out() -> None:
    assert a_document({"b": text("B")}, rename={"a": "b"}) == {"b": "B"}
    assert a_document(ITEM, rename={"a": "b"}, exclude=["a"]) == {"pk": "1", "b": "B"}


def test_a_constant_wins_over_an_attribute_and_a_renamed_one() -> None:
    assert a_document(ITEM, constants={"a": "x"}) == {"pk": "1", "a": "x", "b": "B"}
    assert a_document(ITEM, rename={"a": "b"}, constants={"b": 5}) == {"pk": "1", "b": 5}


def test_constants_are_texts_numbers_and_booleans() -> None:
    given_constants = json.loads('{"t":"é\\"","n":1.50,"i":7,"yes":true,"no":false,"e":1E+400}', parse_float=Decimal)

    assert parse_shape({"constants": given_constants}).encode({}) == (
        '{"t":"é\\"","n":1.50,"i":7,"yes":true,"no":false,"e":1E+400}'.encode()
    )


def test_names_that_opensearch_refuses_are_escaped_last() -> None:
    item = {"_id": text("1"), "x": text("2"), "a.b": text("3")}

    assert a_document(item, rename={"x": "_source"}, constants={"_type": "t"}) == {
        "~_id": "1",
        "~_source": "2",
        "a.b": "3",
        "~_type": "t",
    }
    assert a_document(item, exclude=["_id", "a.b"], rename={"x": "_id"}) == {"~_id": "2"}


@given(specs(), SHORT)
def test_an_attribute_is_found_again_by_its_field(spec: dict[str, Any], attribute: str) -> None:
    """Unless a renamed attribute takes the field of this one: then the field is the other's."""
    shape = parse_shape(spec)
    field = shape.field_of(attribute)
    renamed = [old for old, new in shape.rename.items() if shape.field_of(old) == new]

    if field is not None and (attribute in renamed or field not in map(shape.field_of, renamed)):
        assert shape.attribute_of(field) == attribute


@given(specs(), SHORT)
def test_the_field_of_an_attribute_is_where_its_value_is(spec: dict[str, Any], attribute: str) -> None:
    shape = parse_shape(spec)
    fields = {escaped(name) for name in spec["constants"] or {}}

    document = read(shape.encode({attribute: text("value")}))

    found = document.keys() - fields
    assert found == ({escaped(field)} if (field := shape.field_of(attribute)) is not None else set())


def test_the_field_of_an_attribute_that_is_left_out_belongs_to_the_one_that_has_the_name() -> None:
    for spec in ({"exclude": ["a"]}, {"include": ["b"]}):
        shape = parse_shape({"rename": {"a": "b"}, **spec})
        assert shape.field_of("a") is None
        assert shape.attribute_of("b") == "b"


def test_a_constants_field_has_no_attribute_behind_it() -> None:
    shape = parse_shape({"rename": {"a": "b"}, "constants": {"b": 1}})

    assert shape.field_of("a") is shape.field_of("b") is None
    assert shape.attribute_of("b") == "b"


@pytest.mark.parametrize("value", [{"X": 1}, {}, "text"])
def test_only_what_is_in_the_document_must_be_dynamodb_json(value: Any) -> None:
    item = {"a": value, "b": text("B")}

    assert a_document(item, exclude=["a"]) == {"b": "B"}
    with pytest.raises(UndecodableError):
        parse_shape({"include": ["a"]}).encode(item)


def test_a_lone_surrogate_is_escaped_in_names_and_constants() -> None:
    shape = parse_shape({"rename": {"a": "\ud800"}, "constants": {"c": "\udfff"}})

    expected = b'{"\\ud800":"A","c":"\\udfff"}'
    assert shape.encode({"a": text("A")}) == shape.encode_texts({"a": '"A"'}) == expected


def test_a_missing_member_and_null_are_the_same() -> None:
    null = dict.fromkeys(["include", "exclude", "rename", "constants"])

    assert parse_shape(null) == parse_shape({}) == WHOLE == Shape()
    assert parse_shape({"exclude": [], "rename": {}, "constants": {}}).is_whole


NAMES_ALLOWED = "it must be a list of attribute names"
RENAME_ALLOWED = "an object of the item's names with the fields' names"
NO_NAMES: list[Any] = ["a", "", {}, {"a": "b"}, 0, False, [""], ["a", 1], [None], ["a", ["b"]]]
NO_RENAME: list[Any] = ["a", "", [], ["a"], 0, {"a": 1}, {"a": None}, {"a": ""}, {"": "a"}, {"a": {"b": "c"}}]
NO_CONSTANTS: list[Any] = ["a", "", [], 0, False, {"a": None}, {"a": []}, {"a": {}}, {"": 1}, {"a": float("nan")}]
CONSTANTS_ALLOWED = "an object of fields with texts, numbers or booleans"


@pytest.mark.parametrize(
    ("member", "value", "allowed"),
    [
        *[(member, value, NAMES_ALLOWED) for member in ("include", "exclude") for value in NO_NAMES],
        *[("rename", value, RENAME_ALLOWED) for value in NO_RENAME],
        *[("constants", value, CONSTANTS_ALLOWED) for value in NO_CONSTANTS],
        ("include", [], "no attribute is left"),
        ("rename", {"a": "x", "b": "x"}, "one name to two attributes"),
    ],
    ids=str,
)
def test_a_member_of_another_form_is_refused_with_its_value_and_what_is_allowed(
    member: str, value: Any, allowed: str
) -> None:
    with pytest.raises(ValueError, match=member) as error:
        parse_shape({member: value})
    assert repr(value) in str(error.value)
    assert allowed in str(error.value)


def test_an_include_of_which_exclude_leaves_nothing_is_refused_unless_there_are_constants() -> None:
    with pytest.raises(ValueError, match=r"include is \['a'\] and exclude \['a', 'b'\]: no attribute is left"):
        parse_shape({"include": ["a"], "exclude": ["a", "b"]})

    assert a_document(ITEM, include=["a"], exclude=["a"], constants={"kind": "x"}) == {"kind": "x"}
