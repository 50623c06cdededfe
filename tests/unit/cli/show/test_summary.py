"""What a terminal shows of ids and notes."""

import pytest
from dynamodb_opensearch.cli.show.summary import finding_line, print_notices
from hypothesis import given
from hypothesis import strategies as st


@given(st.text())
def test_an_id_never_moves_the_cursor(document_id: str) -> None:
    line = finding_line({"kind": "missing", "index": "products", "id": document_id, "routing": None, "fields": []})
    assert all(character.isprintable() for character in line.plain)


def test_a_note_never_moves_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    print_notices({"a\x1b[2Jb: not indexed": 1})
    assert capsys.readouterr().err == "note: a\ufffd[2Jb: not indexed (1)\n"
