import json
from typing import Any

import pytest
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.documents import Document, Place
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.opensearch.reader import Reader

SOURCE = r'{"a":1.0,"t":"},{\"_index\":\"x\"","o":{"_index":"y","found":true}}'


class Answering:
    """A client whose _mget answers this text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def fetch(self, *_: Any) -> str:
        return self._text


def answer(*documents: str) -> str:
    return '{"docs":[' + ",".join(documents) + "]}"


def document(document_id: str, source: str | None, version: int = 7) -> str:
    head = f'{{"_index":"i","_id":{json.dumps(document_id)}'
    if source is None:
        return head + ',"found":false}'
    return f'{head},"_version":{version},"_seq_no":0,"_primary_term":1,"found":true,"_source":{source}}}'


def get(text: str, count: int, expected: list[str]) -> list[Document | None]:
    client: Any = Answering(text)
    places = [Place("i", str(number)) for number in range(count)]
    return Reader(client, "i", 1).get(places, Deadline.after(1), expected)


@pytest.mark.parametrize(
    "expected",
    [
        [],
        [SOURCE, SOURCE, SOURCE],
        ["{}", '{"a":1.0}', '{"a":1}'],
    ],
    ids=["nothing expected", "as expected", "others"],
)
def test_a_source_is_cut_out_whole_whatever_was_expected(expected: list[str]) -> None:
    text = answer(document("0", SOURCE), document("1", None), document("2", '{"a":10}', 9))
    assert get(text, 3, expected) == [Document(7, SOURCE), None, Document(9, '{"a":10}')]


def test_an_answer_of_too_few_or_too_many_documents_is_refused() -> None:
    for count in (0, 1, 2, 4):
        text = answer(*(document(str(number), "{}") for number in range(count)))
        for expected in ([], ["{}", "{}", "{}"]):
            with pytest.raises(ConfigurationError, match=f"_mget of 3 documents answered {count}"):
                get(text, 3, expected)
