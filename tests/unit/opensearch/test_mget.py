"""jobs/mget.py: whatever form a document has in the answer, its source comes out byte for byte."""

import json
from typing import Any

import pytest
from dynamodb_opensearch.core.documents import Document
from dynamodb_opensearch.core.errors import ConfigurationError, UnreachableError
from dynamodb_opensearch.opensearch.mget import documents
from hypothesis import given
from hypothesis import strategies as st

HEAD = '{"_index":"products","_id":"1","_version":3,"_seq_no":2,"_primary_term":1'


def only(document: str, expected: tuple[str, ...] = (), *, sources: bool = True) -> Document | None:
    [found] = documents('{"docs":[' + document + "]}", expected, sources=sources)
    return found


@pytest.mark.parametrize("expected", [(), ('{"x":1}',), ("{}",)])
@pytest.mark.parametrize(
    ("document", "ignored", "routing"),
    [
        (HEAD + ',"_ignored":["price [EUR]"],"found":true,"_source":{"x":1}}', ("price [EUR]",), None),
        (HEAD + r',"_ignored":["a]","b\"\\","c,"],"found":true,"_source":{"x":1}}', ("a]", 'b"\\', "c,"), None),
        (HEAD + ',"_routing":"a\\"]","found":true,"_source":{"x":1}}', (), 'a"]'),
        (HEAD.replace('"_id"', '"_type":"_doc","_id"') + ',"found":true,"_source":{"x":1}}', (), None),
        (HEAD + ',"found":true,"_source":{"x":1},"fields":{"_size":[7],"o":{"}":1}}}', (), None),
        (HEAD + ',"_new":{"a":["]}"]},"found":true,"_source":{"x":1}}', (), None),
        ('{"found":true,"_source":{"x":1},"_id":"1","_version":3,"_routing":"r"}', (), "r"),
    ],
)
def test_a_document_is_read_whatever_is_beside_its_source(
    document: str, ignored: tuple[str, ...], routing: str | None, expected: tuple[str, ...]
) -> None:
    assert only(document, expected) == Document(3, '{"x":1}', routing, ignored)


@pytest.mark.parametrize("found", ['"found":false}', '"_type":"_doc","found":false}', '"found":false,"_more":{"a":1}}'])
def test_a_missing_document_is_none_whatever_is_beside_it(found: str) -> None:
    assert only('{"_index":"products","_id":"1",' + found) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


@given(st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=4), st.dictionaries(st.text(), JSON, max_size=2))
def test_every_source_comes_out_as_it_went_in(sources: list[dict[str, Any]], beside: dict[str, Any]) -> None:
    texts = [json.dumps(one, separators=(",", ":"), ensure_ascii=False) for one in sources]
    more = json.dumps({"_more": beside}, separators=(",", ":"))[1:-1]
    for tail in ("", "," + more):
        answer = ",".join(HEAD + ',"found":true,"_source":' + text + tail + "}" for text in texts)
        for expected in ([], texts, ["{}"] * len(texts)):
            found = documents('{"docs":[' + answer + "]}", expected)
            assert [one and one.source for one in found] == texts


def test_a_source_nested_deeper_than_python_goes_is_cut_out() -> None:
    deep = '{"a":' * 100_000 + "1" + "}" * 100_000
    found = only(HEAD + ',"found":true,"_source":' + deep + "}")
    assert found is not None
    assert found.source == deep


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("no_shard_available_action_exception", UnreachableError),
        ("circuit_breaking_exception", UnreachableError),
        ("index_not_found_exception", ConfigurationError),
        ("routing_missing_exception", ConfigurationError),
    ],
)
def test_a_documents_error_is_waited_for_or_reported(kind: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=f"_mget answered {kind}"):
        only(
            f'{{"_index":"products","_id":"1","error":{{"root_cause":[{{"type":"x"}}],"type":"{kind}","reason":"r"}}}}'
        )


def test_a_document_without_a_source_is_refused_unless_none_was_asked_for() -> None:
    assert only(HEAD + ',"found":true}', sources=False) == Document(3, "")
    with pytest.raises(ConfigurationError, match="keeps no _source"):
        only(HEAD + ',"found":true}')


@pytest.mark.parametrize("document", ["{}", '{"docs":1}', HEAD + "}"])
def test_an_answer_that_is_not_a_document_is_reported(document: str) -> None:
    with pytest.raises(ConfigurationError, match="isn't a document"):
        only(document)
