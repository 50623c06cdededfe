import errno
import os
from pathlib import Path

import pytest
from dynamodb_opensearch.jobs import seen
from dynamodb_opensearch.jobs.seen import Seen, seen_file
from hypothesis import given
from hypothesis import strategies as st

VERSION = 1_700_000_000_000_000_001
DOCUMENTS = st.tuples(st.text(max_size=20), st.integers(-1, 2**63 - 1))


@given(st.sets(DOCUMENTS, max_size=200), st.lists(DOCUMENTS, max_size=50), st.integers(0, 100))
def test_it_may_forget_but_never_makes_things_up(
    added: set[tuple[str, int]], others: list[tuple[str, int]], room: int
) -> None:
    with seen_file(room) as path, Seen.opened(path) as held:
        assert held is not None
        for one in added:
            held.add("products", *one)
        for one in others:
            assert one in added or not held.holds("products", *one)
        if added and room == 0:  # one line of eight places
            assert 1 <= sum(held.holds("products", *one) for one in added) <= 8


def test_with_room_for_all_hardly_any_is_forgotten() -> None:
    with seen_file(10_000) as path, Seen.opened(path) as held:
        assert held is not None
        for number in range(10_000):
            held.add("products", f"p-{number}", VERSION)
        assert sum(held.holds("products", f"p-{number}", VERSION) for number in range(10_000)) > 9_500
        assert not any(held.holds("products", f"p-{number}", VERSION + 1) for number in range(10_000))


def test_who_opens_the_file_sees_what_others_added() -> None:
    with seen_file(5) as path, Seen.opened(path) as one, Seen.opened(path) as other:
        assert one is not None
        assert other is not None
        one.add("products", "a\udc00|b", VERSION)
        one.add("products", "a\udc00|b", VERSION)
        assert other.holds("products", "a\udc00|b", VERSION)


def test_the_file_stays_within_its_bound_and_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "MAXIMUM_BYTES", 1 << 12)
    with seen_file(10**12) as path:
        assert path is not None
        assert path.stat().st_size == 1 << 12
    assert not path.exists()


def test_a_full_disk_only_costs_lookups(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int, __: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", fail)
    with seen_file(10) as path, Seen.opened(path) as held:
        assert held is None


def test_without_a_file_there_is_no_set() -> None:
    with Seen.opened(None) as held:
        assert held is None


def test_a_file_that_isnt_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError), Seen.opened(Path("/nowhere/at-all")):
        pass
