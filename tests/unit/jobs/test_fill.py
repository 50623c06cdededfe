from collections.abc import Mapping
from typing import Any

import pytest
from dynamodb_opensearch.core.answers import Answer
from dynamodb_opensearch.core.versions import scan_version
from dynamodb_opensearch.jobs.fill import fill
from dynamodb_opensearch.jobs.sync import Sync
from fakes.dynamodb import FakeDynamoDB
from fakes.opensearch import FakeOpenSearch, Stored, unreachable
from fakes.sync import make_sync

VERSION = scan_version(1_700_000_060, 60)
NAMES = ("written", "superseded", "settled", "gone", "refused")


class Unheard(FakeOpenSearch):
    """Carries the first request out, and its answer is lost."""

    def post(self, path: str, parameters: Mapping[str, str], body: bytes, timeout_seconds: float, /) -> Answer:
        answer = super().post(path, parameters, body, timeout_seconds)
        if len(self.requests) == 1:
            raise unreachable()
        return answer


def item(key: str) -> dict[str, Any]:
    return {"pk": {"S": key}}


def filled(sync: Sync, table: FakeDynamoDB, keys: str, *, looks: bool = True) -> dict[str, int]:
    """Fill with these, and look at the table again; counts that add up, without zeros."""
    look = (lambda: list(table.items.values())) if looks else None
    counts, findings = fill(sync, [item(key) for key in keys], VERSION, sync.deadline(), look=look)
    assert counts["items"] == len(keys) == sum(counts[name] for name in NAMES)
    assert len(findings) == counts["refused"]
    return {name: counts[name] for name in NAMES if counts[name]}


@pytest.fixture
def table() -> FakeDynamoDB:
    table = FakeDynamoDB()
    table.items = {key: item(key) for key in "abd"}
    return table


def test_what_is_gone_by_the_second_look_is_taken_back(table: FakeDynamoDB) -> None:
    index = FakeOpenSearch()
    assert filled(make_sync(table, index), table, "abcd") == {"written": 3, "gone": 1}
    assert set(index.sources()) == set("abd")


def test_without_a_second_look_it_stays(table: FakeDynamoDB) -> None:
    index = FakeOpenSearch()
    assert filled(make_sync(table, index), table, "abcd", looks=False) == {"written": 4}
    assert set(index.sources()) == set("abcd")


def test_a_write_whose_answer_was_lost_is_settled(table: FakeDynamoDB) -> None:
    index = Unheard()
    assert filled(make_sync(table, index), table, "abcd") == {"settled": 4}
    assert set(index.sources()) == set("abd")


def test_what_something_newer_stands_above_is_nobodys_business(table: FakeDynamoDB) -> None:
    index = FakeOpenSearch({"a": Stored(VERSION + 1, "{}"), "c": Stored(VERSION + 1, None)})
    assert filled(make_sync(table, index), table, "abcd") == {"written": 2, "superseded": 2}
    assert index.documents["c"] == Stored(VERSION + 1, None)
    assert table.reads == []


BROKEN = {
    "status": 400,
    "error": {
        "type": "illegal_argument_exception",
        "reason": "Inconsistency of field data structures across documents for field [_tombstone] of doc [1].",
    },
}


def test_a_refused_delete_is_told(table: FakeDynamoDB) -> None:
    class Stubborn(FakeOpenSearch):
        def _apply(self, index: str, action: str, key: str, version: int, source: str | None) -> dict[str, Any]:
            return BROKEN if action == "delete" else super()._apply(index, action, key, version, source)

    assert filled(make_sync(table, Stubborn()), table, "abcd") == {"written": 3, "refused": 1}
