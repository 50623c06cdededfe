"""What OpenSearch says of a refused document quotes its values. Nothing of it goes on, into a log or a dead letter."""

from typing import Any

import pytest
from engines import OpenSearchNode
from fakes.dynamodb import put, record
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from opensearch.function import Function

MARKER = "7h15-15-53cr37"
FIELDS = {
    "keyword": {"type": "keyword"},
    "long": {"type": "long"},
    "double": {"type": "double"},
    "boolean": {"type": "boolean"},
    "date": {"type": "date"},
    "ip": {"type": "ip"},
    "binary": {"type": "binary"},
    "range": {"type": "integer_range"},
    "completion": {"type": "completion"},
    "object": {"properties": {"long": {"type": "long"}, "date": {"type": "date"}}},
    "nested": {"type": "nested", "properties": {"long": {"type": "long"}}},
    "dynamic": {"type": "object", "dynamic": True},
    "strict": {"type": "object", "dynamic": "strict"},
    "price [EUR] of type [x]": {"type": "long"},
    "alias": {"type": "alias", "path": "keyword"},
    "flat": {"type": "flat_object"},
    "contexts": {"type": "completion", "contexts": [{"name": "x", "type": "category"}]},
    "l" * 300: {"type": "date"},
}
# Around the value, what could make a text look like one of OpenSearch's own.
WRAPS = [
    "{}",
    "] {} [",
    "[{}]",
    '"{}"',
    "failed to parse field [{}] of type [long]",
    "no such index [{}]",
    "] of type [{}]",
    "] cannot be changed from type [{}] to [long]",
    "\x1f{}",
    "{}\n{}",
    "2026-01-01T{}",
    "10.0.0.{}",
    "x" * 33_000 + "{}",
]
TEXTS = st.sampled_from(WRAPS).map(lambda wrap: {"S": wrap.replace("{}", MARKER)})
VALUES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.one_of(TEXTS, st.just({"UNKNOWN": MARKER}), st.just({"S": MARKER, "N": "1"}), st.just({"N": MARKER})),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda some: {"L": some}),
        st.dictionaries(st.sampled_from(["long", "date", "x", "x.y"]), inner, min_size=1, max_size=2).map(
            lambda some: {"M": some}
        ),
        inner.map(lambda one: {"L": [{"N": "1"}, one, {"BOOL": True}]}),
    ),
    max_leaves=4,
)


@pytest.fixture
def function(
    opensearch_node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Function:
    del capfd  # it must capture before the function's logger is made, which keeps the output of that moment
    function = Function(opensearch_node, monkeypatch)
    properties = {"pk": {"type": "keyword"}, "n": {"type": "long"}, **FIELDS}
    function.create(mappings={"dynamic": "strict", "properties": properties})
    return function


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(attributes={"keyword": {"S": "x" * 33_000 + MARKER}})
@example(attributes={"date": {"S": MARKER}})
@example(attributes={"nested": {"L": [{"S": MARKER}]}})
@given(attributes=st.dictionaries(st.sampled_from([*FIELDS, "unmapped"]), VALUES, min_size=1, max_size=2))
def test_no_value_of_a_document_reaches_a_log_or_a_dead_letter(
    function: Function,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    attributes: dict[str, Any],
) -> None:
    function.letters.clear()

    assert function.handle(record("poison", 1, attributes), put("neighbour", 2, 2)) == []

    written = "".join(capfd.readouterr())
    assert [letter["keys"] for letter in function.letters] in ([], [{"pk": {"S": "poison"}}])
    assert MARKER not in f"{function.letters} {written} {caplog.text}"
    assert bool(function.letters) == ("dead letter" in written)
