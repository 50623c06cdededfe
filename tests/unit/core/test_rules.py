"""Rules, against a second reading of what they mean."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest
from dynamodb_opensearch.core.errors import UndecodableError
from dynamodb_opensearch.core.rules import ALWAYS, Rule, parse_rule
from hypothesis import example, given
from hypothesis import strategies as st

from unit.strategies import numbers, values

Spec = dict[str, Any]
"""A condition as INDICES has it."""

# Few names and few texts, so that paths lead somewhere and values meet.
NAMES = st.sampled_from(["a", "b", "c"])
TEXTS = st.sampled_from(
    ["7", "7.0", "0.7e1", "+7", "-0", "0", "true", "false", "order", "order#1", "#", "é", ".", "1e"]
)


def _leaves() -> st.SearchStrategy[Any]:
    return st.one_of(
        st.one_of(TEXTS, st.just("")).map(lambda text: {"S": text}),
        st.sampled_from(["7", "7.00", "70E-1", "0", "-0", "1"]).map(lambda number: {"N": number}),
        st.booleans().map(lambda value: {"BOOL": value}),
        st.sampled_from(
            [{"NULL": True}, {"SS": ["7"]}, {"NS": ["7"]}, {"B": "Nw=="}, {"B": b"7"}, {"L": [{"S": "7"}]}]
        ),
        values().map(lambda pair: pair[0]),
    )


def members() -> st.SearchStrategy[dict[str, Any]]:
    nested = st.recursive(
        _leaves(), lambda inner: st.dictionaries(NAMES, inner, max_size=3).map(lambda content: {"M": content})
    )
    return st.dictionaries(st.one_of(NAMES, st.just("a.b")), nested, max_size=3)


def attributes() -> st.SearchStrategy[str]:
    return st.lists(NAMES, min_size=1, max_size=3).map(".".join)


def conditions() -> st.SearchStrategy[Spec]:
    some_texts = st.lists(TEXTS, min_size=1, max_size=3)
    asked = st.one_of(
        some_texts.map(lambda texts: {"equals": texts}),
        some_texts.map(lambda texts: {"not_equals": texts}),
        TEXTS.map(lambda text: {"begins_with": text}),
        st.booleans().map(lambda wanted: {"exists": wanted}),
    )
    return st.builds(lambda attribute, operator: {"attribute": attribute, **operator}, attributes(), asked)


def found(item: Spec, attribute: str) -> Any:
    """The attribute value at a path, None if it is missing."""
    value: Any = {"M": item}
    for step in attribute.split("."):
        if "M" not in value or step not in value["M"]:
            return None
        value = value["M"][step]
    return value


def number(text: str) -> Decimal | None:
    try:
        return Decimal(text) if set(text) <= set("0123456789+-.eE") else None
    except InvalidOperation:
        return None


def equals(value: Any, texts: list[str]) -> bool:
    if value is None:
        return False
    [(kind, content)] = value.items()
    if kind == "N":
        return any(number(text) is not None and number(text) == Decimal(content) for text in texts)
    return (kind == "S" and content in texts) or (kind == "BOOL" and str(content).lower() in texts)


def holds(item: Spec, spec: Spec) -> bool:
    value = found(item, spec["attribute"])
    if "equals" in spec:
        return equals(value, spec["equals"])
    if "not_equals" in spec:
        return not equals(value, spec["not_equals"])
    if "begins_with" in spec:
        return value is not None and "S" in value and value["S"][: len(spec["begins_with"])] == spec["begins_with"]
    return (value is not None) is spec["exists"]


@given(members(), st.lists(conditions(), max_size=3))
def test_a_rule_holds_if_all_of_its_conditions_do(item: Spec, specs: list[Spec]) -> None:
    assert parse_rule(specs).holds(item) == all(holds(item, spec) for spec in specs)


@given(members(), attributes(), st.lists(TEXTS, min_size=1, max_size=3))
def test_not_equals_is_exactly_the_negation_of_equals(item: Spec, attribute: str, texts: list[str]) -> None:
    equal, other = ([{"attribute": attribute, operator: texts}] for operator in ("equals", "not_equals"))

    assert parse_rule(equal).holds(item) != parse_rule(other).holds(item)


@given(numbers(), numbers(), st.integers(0, 3))
@example("7", "7.0", 0)
@example("1E-130", "9.9999999999999999999999999999999999999E+125", 0)
def test_a_number_equals_every_spelling_of_itself_and_no_other_number(one: str, other: str, zeros: int) -> None:
    plain = f"{Decimal(one):f}"
    respelled = plain + ("" if "." in plain else ".") + "0" * zeros
    item = {"n": {"N": one}}

    assert parse_rule([{"attribute": "n", "equals": [respelled]}]).holds(item)
    assert parse_rule([{"attribute": "n", "equals": [other]}]).holds(item) == (Decimal(one) == Decimal(other))


@pytest.mark.parametrize(
    ("value", "texts", "expected"),
    [
        ({"N": "7"}, ["7.0"], True),
        ({"S": "7"}, ["7.0"], False),
        ({"S": "7"}, ["7"], True),
        ({"S": "7.0"}, ["7"], False),
        ({"N": "7"}, ["x", "07"], True),
        ({"N": "0"}, ["-0.0"], True),
        ({"N": "7"}, ["7 "], False),
        ({"N": "7"}, ["\u0667"], False),
        ({"N": "1000"}, ["1_000"], False),
        ({"N": "7"}, ["NaN", "Infinity", ""], False),
        ({"N": "7"}, ["1e99999999999999999999"], False),
        ({"N": "1"}, ["true"], False),
        ({"BOOL": True}, ["true"], True),
        ({"BOOL": True}, ["True", "1"], False),
        ({"BOOL": False}, ["false"], True),
        ({"S": "true"}, ["true"], True),
        ({"S": ""}, [""], True),
        ({"NULL": True}, ["true", "null", ""], False),
        ({"B": "Nw=="}, ["Nw==", "7"], False),
        ({"SS": ["7"]}, ["7"], False),
        ({"NS": ["7"]}, ["7"], False),
        ({"L": [{"S": "7"}]}, ["7"], False),
        ({"M": {}}, [""], False),
    ],
)
def test_what_a_value_equals(value: Any, texts: list[str], expected: bool) -> None:
    assert parse_rule([{"attribute": "a", "equals": texts}]).holds({"a": value}) == expected
    assert parse_rule([{"attribute": "a", "not_equals": texts}]).holds({"a": value}) != expected


@pytest.mark.parametrize("value", [{"NULL": True}, {"S": ""}, {"M": {}}, {"L": []}, {"BOOL": False}, {"N": "0"}])
def test_an_attribute_exists_whatever_it_holds(value: Any) -> None:
    assert parse_rule([{"attribute": "a", "exists": True}]).holds({"a": value})
    assert not parse_rule([{"attribute": "a", "exists": False}]).holds({"a": value})
    assert parse_rule([{"attribute": "m.a", "exists": True}]).holds({"m": {"M": {"a": value}}})


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"b": {"S": "order"}},
        {"a": {"S": "order"}},
        {"a": {"L": [{"M": {"b": {"S": "order"}}}]}},
        {"a": {"M": {}}},
        {"a": {"M": {"c": {"S": "order"}}}},
        {"a": {"NULL": True}},
        {"a.b": {"S": "order"}},
    ],
)
def test_a_path_through_what_is_missing_or_no_map_leads_to_a_missing_attribute(item: Spec) -> None:
    """A dot is always a step: an attribute whose own name has a dot can't be named."""
    answers = {
        "equals": parse_rule([{"attribute": "a.b", "equals": ["order"]}]).holds(item),
        "not_equals": parse_rule([{"attribute": "a.b", "not_equals": ["order"]}]).holds(item),
        "begins_with": parse_rule([{"attribute": "a.b", "begins_with": "o"}]).holds(item),
        "exists": parse_rule([{"attribute": "a.b", "exists": True}]).holds(item),
        "is missing": parse_rule([{"attribute": "a.b", "exists": False}]).holds(item),
    }

    assert answers == {
        "equals": False,
        "not_equals": True,
        "begins_with": False,
        "exists": False,
        "is missing": True,
    }


def test_a_path_leads_through_maps_to_any_depth() -> None:
    item = {"a": {"M": {"b": {"M": {"c": {"BOOL": True}}}}}}

    assert parse_rule([{"attribute": "a.b.c", "equals": ["true"]}]).holds(item)


@pytest.mark.parametrize(
    "value", [{"N": "71"}, {"B": "7777"}, {"SS": ["71"]}, {"BOOL": True}, {"NULL": True}, {"S": "a7"}]
)
def test_only_a_string_begins_with_a_text(value: Any) -> None:
    assert not parse_rule([{"attribute": "a", "begins_with": "7"}]).holds({"a": value})
    assert parse_rule([{"attribute": "a", "begins_with": "7"}]).holds({"a": {"S": "7"}})


def test_values_may_be_given_as_json_has_them() -> None:
    rule = parse_rule(json.loads('[{"attribute":"a","equals":[7.5, true, 3]}]', parse_float=Decimal))

    assert [rule.holds({"a": value}) for value in ({"N": "7.50"}, {"BOOL": True}, {"S": "3"}, {"S": "x"})] == [
        True,
        True,
        True,
        False,
    ]


def test_without_conditions_a_rule_holds_for_every_item() -> None:
    assert parse_rule([]) == ALWAYS
    assert ALWAYS.holds({})


_ANY = [{"equals": ["1"]}, {"not_equals": ["1"]}, {"begins_with": "1"}, {"exists": True}]


@pytest.mark.parametrize("operator", _ANY, ids=str)
@pytest.mark.parametrize("value", [{}, {"S": "secret", "N": "1"}, "secret", 5, ["secret"]], ids=str)
def test_a_value_that_is_not_dynamodb_json_is_undecodable_and_not_quoted(value: Any, operator: Spec) -> None:
    for attribute in ("a", "a.b"):
        with pytest.raises(UndecodableError) as error:
            parse_rule([{"attribute": attribute, **operator}]).holds({"a": value})
        assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("value", "operator"),
    [
        ({"S": ["secret"]}, {"equals": ["1"]}),
        ({"S": 5}, {"begins_with": "1"}),
        ({"N": 5}, {"equals": ["1"]}),
        ({"BOOL": "false"}, {"equals": ["true"]}),
        ({"BOOL": None}, {"not_equals": ["true"]}),
    ],
    ids=str,
)
def test_a_content_of_another_type_than_its_tags_is_undecodable(value: Any, operator: Spec) -> None:
    with pytest.raises(UndecodableError):
        parse_rule([{"attribute": "a", **operator}]).holds({"a": value})


@pytest.mark.parametrize("content", [5, [], "text", None])
def test_a_map_that_is_none_is_undecodable_where_a_path_leads_through_it(content: Any) -> None:
    with pytest.raises(UndecodableError):
        parse_rule([{"attribute": "a.b", "exists": False}]).holds({"a": {"M": content}})


@pytest.mark.parametrize("item", [None, "text", 5, []])
def test_what_is_no_item_is_undecodable(item: Any) -> None:
    with pytest.raises(UndecodableError):
        parse_rule([{"attribute": "a", "exists": True}]).holds(item)


def test_conditions_on_the_key_are_those_on_exactly_its_attributes() -> None:
    rule = parse_rule(
        [
            {"attribute": "pk", "begins_with": "A"},
            {"attribute": "pk.x", "exists": False},
            {"attribute": "type", "equals": ["a"]},
            {"attribute": "sk", "not_equals": ["1"]},
        ]
    )

    assert [condition.attribute for condition in rule.on(("pk", "sk")).conditions] == ["pk", "sk"]
    assert rule.on(()) == ALWAYS == Rule()


@pytest.mark.parametrize("value", [{}, "text", 5, None, {"attribute": "a", "exists": True}], ids=str)
def test_a_rule_is_a_list(value: Any) -> None:
    with pytest.raises(ValueError, match="must be a list of conditions") as error:
        parse_rule(value)
    assert repr(value) in str(error.value)


@pytest.mark.parametrize(
    ("condition", "value", "allowed"),
    [
        ("text", "'text'", "a condition must be an object"),
        (["a"], "['a']", "a condition must be an object"),
        ({"exists": True}, "None", "a name, or a path into maps such as a.b"),
        ({"attribute": 5, "exists": True}, "5", "a name, or a path"),
        ({"attribute": "", "exists": True}, "''", "a name, or a path"),
        ({"attribute": "a.", "exists": True}, "'a.'", "a name, or a path"),
        ({"attribute": ".a", "exists": True}, "'.a'", "a name, or a path"),
        ({"attribute": "a..b", "exists": True}, "'a..b'", "a name, or a path"),
        ({"attribute": "a"}, "'a'", "exactly one of equals, not_equals, begins_with, exists"),
        ({"attribute": "a", "exists": True, "equals": ["x"]}, "['equals', 'exists']", "exactly one of equals"),
        ({"attribute": "a", "like": "x"}, "['like']", "exactly one of equals"),
        ({"attribute": "a", "equals": "x"}, "'x'", "a list of one or more texts"),
        ({"attribute": "a", "equals": []}, "[]", "a list of one or more texts"),
        ({"attribute": "a", "not_equals": []}, "[]", "a list of one or more texts"),
        ({"attribute": "a", "not_equals": ["x", None]}, "['x', None]", "a list of one or more texts"),
        ({"attribute": "a", "equals": [["x"]]}, "[['x']]", "a list of one or more texts"),
        ({"attribute": "a", "begins_with": ""}, "''", "a text that isn't empty"),
        ({"attribute": "a", "begins_with": ["x"]}, "['x']", "a text that isn't empty"),
        ({"attribute": "a", "exists": "true"}, "'true'", "true or false"),
        ({"attribute": "a", "exists": 1}, "1", "true or false"),
    ],
    ids=str,
)
def test_a_condition_of_another_form_is_refused_with_its_value_and_what_is_allowed(
    condition: Any, value: str, allowed: str
) -> None:
    with pytest.raises(ValueError, match="when has") as error:
        parse_rule([{"attribute": "fine", "exists": True}, condition])
    assert value in str(error.value)
    assert allowed in str(error.value)


def test_a_missing_member_of_a_condition_and_null_are_the_same() -> None:
    """Terraform gives every attribute of an object type."""
    full = {"attribute": "a", "equals": None, "not_equals": None, "begins_with": None, "exists": False}

    assert parse_rule([full]) == parse_rule([{"attribute": "a", "exists": False}])
