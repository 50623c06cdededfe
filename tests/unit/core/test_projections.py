"""What an index holds of an item, and how the JSON of several indices is read."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from dynamodb_opensearch.core.documents import encode_document
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.core.projections import TRANSFORM_ERROR, Faulty, Projection, parse_projections
from dynamodb_opensearch.core.reasons import Reason
from dynamodb_opensearch.core.transforms import Transform
from hypothesis import given
from hypothesis import strategies as st

from unit.core.test_rules import conditions, holds, members
from unit.core.test_shapes import escaped, read, shaped, specs
from unit.strategies import Pair, values

SCHEMA = KeySchema(("pk", "sk"))
ITEM = {"pk": {"S": "a"}, "sk": {"S": "ORDER#1"}, "total": {"N": "9.90"}}


def projections(**indices: Any) -> dict[str, Projection]:
    parsed = parse_projections(json.dumps(indices), SCHEMA)
    return {projection.index: projection for projection in parsed}


def projection(**spec: Any) -> Projection:
    return projections(orders=spec)["orders"]


def transformed(function: Callable[[dict[str, Any]], Any], **changes: Any) -> Projection:
    return Projection("orders", transform=Transform("search:document", function), **changes)


def canonical(document: bytes | Faulty) -> str:
    assert isinstance(document, bytes)
    return json.dumps(read(document), sort_keys=True, default=str)


def unreadable(_: dict[str, Any]) -> Any:
    raise ValueError("secret")


@given(members(), st.lists(conditions(), max_size=2))
def test_an_index_holds_the_items_that_its_rule_holds_for(item: dict[str, Any], when: list[dict[str, Any]]) -> None:
    held = projection(when=when)

    assert held.project(item) == (item if all(holds(item, spec) for spec in when) else None)


@given(st.dictionaries(st.sampled_from("abcd"), values(), max_size=4), specs())
def test_a_rule_looks_at_the_item_and_the_shape_at_what_becomes_of_it(
    item: dict[str, Pair], spec: dict[str, Any]
) -> None:
    raw = {name: value for name, (value, _) in item.items()}
    spec = json.loads(json.dumps(spec, default=float))

    document = projection(when=[{"attribute": "a", "exists": True}], **spec).document(raw)

    if "a" in item:
        assert isinstance(document, bytes)
        expected = shaped({name: value for name, (_, value) in item.items()}, spec)
        assert read(document) == {escaped(name): value for name, value in expected.items()}
    else:
        assert document is None


def test_what_a_shape_leaves_out_or_renames_still_decides() -> None:
    held = projection(when=[{"attribute": "sk", "begins_with": "ORDER#"}], exclude=["sk"], rename={"pk": "sk"})

    assert held.document(ITEM) == b'{"total":9.90,"sk":"a"}'
    assert held.document({**ITEM, "sk": {"S": "x"}}) is None


def test_an_index_of_whole_items_holds_each_as_it_is() -> None:
    assert Projection("orders").document(ITEM) == encode_document(ITEM)
    assert Projection("orders").is_whole


@pytest.mark.parametrize(
    ("spec", "takes_all", "is_whole"),
    [
        ({}, True, True),
        ({"exclude": ["a"]}, True, False),
        ({"include": ["a"]}, True, False),
        ({"rename": {"a": "b"}}, True, False),
        ({"constants": {"a": 1}}, True, False),
        ({"when": [{"attribute": "a", "exists": True}]}, False, False),
        ({"when": [], "standby": False}, True, True),
    ],
    ids=str,
)
def test_without_rule_and_transform_every_change_of_every_item_counts(
    spec: dict[str, Any], takes_all: bool, is_whole: bool
) -> None:
    found = projection(**spec)

    assert (found.takes_all, found.is_whole) == (takes_all, is_whole)


def test_a_transform_and_skipping_need_a_look_at_each_change() -> None:
    skipping = parse_projections('{"orders":{}}', SCHEMA, skip_unchanged=True)[0]

    assert (skipping.takes_all, skipping.is_whole) == (False, True)
    assert (transformed(dict).takes_all, transformed(dict).is_whole) == (False, False)


def test_a_transform_comes_after_the_rule_and_before_the_shape() -> None:
    base = projection(
        when=[{"attribute": "total", "exists": True}],
        include=["x", "y"],
        rename={"x": "z"},
        constants={"kind": "order"},
    )
    held = transformed(lambda item: {"x": item["total"], "y": "é", "w": 1}, rule=base.rule, shape=base.shape)

    assert held.document(ITEM) == '{"y":"é","z":9.90,"kind":"order"}'.encode()
    assert held.document({"pk": {"S": "a"}}) is None


def test_a_transform_may_say_that_there_is_no_document() -> None:
    assert transformed(lambda _: None).project(ITEM) is None
    assert transformed(lambda _: {}).document(ITEM) == b"{}"


def test_a_transform_that_fails_makes_a_fault_with_the_exceptions_type_only() -> None:
    content = transformed(unreadable).project(ITEM)

    assert content == Faulty(Reason(TRANSFORM_ERROR, "ValueError"))
    assert transformed(unreadable).document(ITEM) == content


@pytest.mark.parametrize(
    "spec", [{"when": [{"attribute": "total", "equals": ["1"]}]}, {}, {"include": ["total"]}], ids=str
)
def test_an_item_that_is_not_dynamodb_json_is_a_fault(spec: dict[str, Any]) -> None:
    document = projection(**spec).document({**ITEM, "total": {"S": "secret", "N": "1"}})

    assert isinstance(document, Faulty)
    assert document.reason.type == "undecodable"
    assert "secret" not in document.reason.message


def test_an_item_that_a_transform_cannot_read_is_undecodable_and_not_the_transforms_fault() -> None:
    content = transformed(lambda item: {"x": item["total"]}).project({"total": {"N": "x"}})

    assert isinstance(content, Faulty)
    assert content.reason.type == "undecodable"


# -- keys


@pytest.mark.parametrize(
    ("when", "sk", "expected"),
    [
        ([{"attribute": "sk", "begins_with": "ORDER#"}], {"S": "ORDER#1"}, True),
        ([{"attribute": "sk", "begins_with": "ORDER#"}], {"S": "CUSTOMER#1"}, False),
        ([{"attribute": "sk", "equals": ["7"]}], {"N": "7.00"}, True),
        ([{"attribute": "sk", "not_equals": ["7"]}], {"N": "7.00"}, False),
        ([{"attribute": "sk", "exists": True}], {"S": "x"}, True),
        ([{"attribute": "sk", "exists": False}], {"S": "x"}, False),
        ([{"attribute": "sk", "equals": ["Nw=="]}], {"B": "Nw=="}, False),
        ([{"attribute": "type", "exists": True}], {"S": "x"}, True),
        ([{"attribute": "sk.x", "exists": True}], {"S": "x"}, True),
        ([], {"S": "x"}, True),
    ],
)
def test_conditions_on_the_key_say_what_an_index_may_hold(when: Any, sk: Any, expected: bool) -> None:
    assert projection(when=when).may_hold({"pk": {"S": "a"}, "sk": sk}) == expected


@given(members(), st.lists(conditions(), max_size=3))
def test_an_index_that_may_not_hold_a_key_holds_no_item_with_it(item: dict[str, Any], when: list[Any]) -> None:
    [held] = parse_projections(json.dumps({"orders": {"when": when}}), KeySchema(("a",)))

    if "a" in item and not held.may_hold({"a": item["a"]}):
        assert held.project(item) is None


def test_a_rule_cannot_name_a_key_attribute_with_a_dot_in_its_name() -> None:
    text = json.dumps({"orders": {"when": [{"attribute": "a.b", "exists": True}]}})

    with pytest.raises(ValueError, match=r"the index 'orders': when has the attribute 'a\.b': a dot is a path"):
        parse_projections(text, KeySchema(("a.b",)))
    assert parse_projections(text, KeySchema(("a",)))


# -- equal documents


@pytest.mark.parametrize(
    ("spec", "old", "expected"),
    [
        ({}, ITEM, True),
        ({}, dict(reversed(ITEM.items())), True),
        ({}, {**ITEM, "total": {"N": "9.9"}}, False),
        ({}, {**ITEM, "more": {"NULL": True}}, False),
        ({"exclude": ["more"]}, {**ITEM, "more": {"NULL": True}}, True),
        ({"include": ["pk"]}, {"pk": {"S": "a"}}, True),
        ({"constants": {"more": 1}}, {**ITEM, "more": {"N": "5"}}, True),
        ({"rename": {"total": "more"}}, {**ITEM, "more": {"N": "5"}}, True),
        ({"when": [{"attribute": "total", "exists": True}], "include": ["pk"]}, {"pk": {"S": "a"}}, False),
        ({}, {**ITEM, "total": {"X": 1}}, False),
    ],
    ids=str,
)
def test_a_document_is_the_same_if_its_shape_leaves_the_same(spec: Any, old: Any, expected: bool) -> None:
    held = projection(**spec)
    content = held.project(ITEM)
    assert content is not None

    assert held.is_same(content, old) == expected


@given(st.dictionaries(st.sampled_from("abcd"), values(), max_size=4), st.data(), specs())
def test_what_is_the_same_makes_an_equal_document(item: dict[str, Pair], data: st.DataObject, spec: Any) -> None:
    held = projection(**json.loads(json.dumps(spec, default=float)))
    old = {name: value for name, (value, _) in item.items()}
    new = dict(data.draw(st.permutations(list(old.items()))))
    if data.draw(st.booleans()):
        new |= {data.draw(st.sampled_from("abcd")): data.draw(values())[0]}

    documents = [held.encode(each) for each in (old, new)]

    assert held.is_same(new, old) == (len(set(map(canonical, documents))) == 1)


def test_transformed_documents_are_compared_as_they_are() -> None:
    held = transformed(lambda item: {"total": item["total"]} if "total" in item else None)
    content = held.project(ITEM)
    assert content is not None

    assert held.is_same(content, {"pk": {"S": "b"}, "total": {"N": "9.90"}})
    assert not held.is_same(content, {"total": {"N": "9.9"}})
    assert not held.is_same(content, {})


def test_a_fault_is_never_the_same() -> None:
    content = transformed(unreadable).project(ITEM)
    assert isinstance(content, Faulty)

    assert not transformed(unreadable).is_same(content, ITEM)
    assert not Projection("orders").is_same(ITEM, {"total": {}})


# -- the digest

SPECS: list[dict[str, Any]] = [
    {},
    {"when": [{"attribute": "a", "exists": True}]},
    {"when": [{"attribute": "a", "exists": False}]},
    {"include": ["a"]},
    {"exclude": ["a"]},
    {"rename": {"a": "b"}},
    {"constants": {"a": 1}},
    {"constants": {"a": "1"}},
    {"constants": {"a": 1.5}},
    {"constants": {"a": "1.5"}},
    {"constants": {"a": True}},
    {"constants": {"a": "true"}},
]


def test_what_makes_other_documents_has_another_digest() -> None:
    assert len({projection(**spec).digest for spec in SPECS}) == len(SPECS)


def test_the_digest_is_of_the_documents_and_not_of_how_they_are_written() -> None:
    one, other = projections(
        one={"exclude": ["a"], "constants": {"x": 1, "y": 2}, "when": None, "standby": True},
        other={"constants": {"y": 2, "x": 1}, "exclude": ["a"]},
    ).values()

    assert one.digest == other.digest
    assert one.standby
    assert not other.standby


# -- reading


def test_the_indices_are_read_in_their_order_with_all_that_they_are() -> None:
    text = """{
      "orders": {"when": [{"attribute": "sk", "begins_with": "ORDER#"}], "exclude": ["pk", "sk"],
                 "rename": {"ts": "orderedAt"}, "constants": {"kind": "order", "weight": 1.50}},
      "customers": {"when": [{"attribute": "type", "equals": ["customer"]},
                             {"attribute": "deletedAt", "exists": false}], "standby": true}
    }"""

    orders, customers = parse_projections(text, SCHEMA)

    assert (orders.index, orders.standby, orders.skip_unchanged) == ("orders", False, False)
    assert (customers.index, customers.standby) == ("customers", True)
    assert orders.shape.constants == {"kind": "order", "weight": Decimal("1.50")}
    assert orders.document({**ITEM, "ts": {"N": "5"}}) == (b'{"total":9.90,"orderedAt":5,"kind":"order","weight":1.50}')
    assert customers.document({**ITEM, "type": {"S": "customer"}}) is not None
    assert customers.document({**ITEM, "type": {"S": "customer"}, "deletedAt": {"N": "1"}}) is None


def test_a_missing_member_and_null_are_the_same() -> None:
    names = ["when", "include", "exclude", "rename", "constants", "transform", "standby"]

    assert projection(**dict.fromkeys(names)) == projection()
    assert projection().is_whole


@pytest.mark.parametrize("text", ["", "orders", "[]", "null", "5", "{}", '"orders"', '{"orders":', "[" * 100_000])
def test_what_is_no_object_with_an_index_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(text[:200]))):
        parse_projections(text, SCHEMA)


@pytest.mark.parametrize(
    ("spec", "value", "allowed"),
    [
        (None, "None", "it must be an object"),
        ([], "[]", "it must be an object"),
        ({"whn": []}, "whn", "the members are constants, exclude, include, rename, standby, transform, when"),
        ({"when": {}}, "{}", "a list of conditions"),
        ({"when": [{"attribute": "a", "equals": "x"}]}, "'x'", "a list of one or more texts"),
        ({"include": "a"}, "'a'", "a list of attribute names"),
        ({"rename": {"a": "x", "b": "x"}}, "{'a': 'x', 'b': 'x'}", "one name to two attributes"),
        ({"constants": {"a": None}}, "{'a': None}", "texts, numbers or booleans"),
        ({"standby": "true"}, "'true'", "true or false"),
        ({"standby": 1}, "1", "true or false"),
        ({"transform": 5}, "5", "a text such as module:function"),
    ],
    ids=str,
)
def test_an_index_that_is_wrong_is_named_with_the_value_and_what_is_allowed(
    spec: Any, value: str, allowed: str
) -> None:
    with pytest.raises(ValueError, match=r"^the index 'orders': ") as error:
        projections(fine={}, orders=spec)
    assert value in str(error.value)
    assert allowed in str(error.value)


@pytest.mark.parametrize("name", ["", "search", "no_such_module_here:document"])
def test_a_transform_that_cannot_be_loaded_is_a_configuration_error_that_names_it(name: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(repr(name))):
        projection(transform=name)


def test_a_transform_is_imported_once_the_indices_are_read() -> None:
    assert projection(transform="json:dumps").transform == Transform.load("json:dumps")


def test_one_index_at_least_must_not_be_standby() -> None:
    with pytest.raises(ValueError, match="each index has standby = true"):
        projections(orders={"standby": True}, customers={"standby": True})
