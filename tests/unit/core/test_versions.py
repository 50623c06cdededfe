import pytest
from dynamodb_opensearch.core.errors import UndecodableError
from dynamodb_opensearch.core.versions import (
    Verdict,
    coalesced_version,
    is_own,
    judge_conflict,
    own_version,
    scan_version,
    settled_version,
    stored_version,
)
from hypothesis import given
from hypothesis import strategies as st

SECOND = 10**9
OWN = st.builds(own_version, st.integers(0, 4_000_000_000), st.integers(0, 10**40 - 1).map(str))


def test_a_version_reads_as_second_order_and_zeros() -> None:
    assert own_version(1_700_000_000, "300000000000000499659") == 1_700_000_000_000_003_000
    assert own_version(1_700_000_000.9, "000000000000000000042") == 1_700_000_000_000_042_000


def test_consecutive_records_of_aws_have_rising_versions() -> None:
    numbers = ["300000000000000499659", "400000000000000499660", "500000000000000499661"]

    versions = [own_version(1_700_000_000, number) for number in numbers]

    assert versions == sorted(set(versions))


@given(OWN)
def test_every_own_version_leaves_room_and_fits_63_bits(version: int) -> None:
    assert is_own(version)
    assert 0 <= version < 2**63 - 1000


@pytest.mark.parametrize(
    ("created_at", "sequence_number"),
    [
        (None, "1"),
        (-1, "1"),
        (1, "x"),
        (1, None),
        (1, "-1"),
        (9_300_000_000, "1"),
        (float("inf"), "1"),
        (float("nan"), "1"),
    ],
)
def test_a_record_without_a_usable_stamp_is_undecodable(created_at: float, sequence_number: str) -> None:
    with pytest.raises(UndecodableError):
        own_version(created_at, sequence_number)


@given(OWN, OWN)
def test_the_last_change_beats_the_batchs_earlier_ones(own: int, earlier: int) -> None:
    version = coalesced_version(own, earlier)

    assert version > earlier
    assert version >= own
    assert is_own(version) == (own > earlier)


@given(OWN, OWN, st.integers(0, 4_000_000_000))
def test_a_settled_version_is_derived_and_beats_what_it_knows(stored: int, highest_own: int, read_at: int) -> None:
    version = settled_version(stored=stored, highest_own=highest_own, read_at=read_at, conflict_window=60)

    assert version is not None
    assert not is_own(version)
    assert version > max(stored, highest_own, (read_at - 60) * SECOND)


def test_no_settled_version_looks_like_an_own_one() -> None:
    stored = 1_700_000_000 * SECOND + 999

    assert settled_version(stored=stored, highest_own=0, read_at=1_700_000_000, conflict_window=60) is None
    # Time moves on, and with it the version.
    assert settled_version(stored=stored, highest_own=0, read_at=1_700_000_061, conflict_window=60) is not None


def test_no_settled_version_exceeds_63_bits() -> None:
    assert settled_version(stored=2**63 - 1, highest_own=0, read_at=0, conflict_window=60) is None


@given(st.integers(0, 4_000_000_000), st.integers(60, 3600))
def test_a_scans_version_loses_to_every_later_record(read_at: int, window: int) -> None:
    later = own_version(read_at + 1 - (window - 2) if read_at >= window else 0, "1")

    assert scan_version(read_at, window) < later or read_at < window


QUOTED = "version conflict, current version [99] is higher than the one provided [1]"
CONFLICTS = [
    ("[1]: version conflict, current version [5] is higher than the one provided [4]", 5),
    ("[1]: version conflict, current version [5] is higher or equal to the one provided [5]", 5),
    (f"[{QUOTED}]: version conflict, current version [5] is higher than the one provided [4]", 5),
    ("[1]: version conflict, current version [-1] is higher or equal to the one provided [-2]", -1),
    ("something else", None),
    ("", None),
]


@pytest.mark.parametrize(("reason", "stored"), CONFLICTS)
def test_the_stored_version_is_read_from_the_end_of_the_reason(reason: str, stored: int | None) -> None:
    assert stored_version(reason) == stored


@pytest.mark.parametrize(
    ("ours", "stored", "verdict"),
    [
        (5 * SECOND, 5 * SECOND, Verdict.DONE),
        (5 * SECOND + 1, 5 * SECOND + 1, Verdict.SETTLE),
        (5 * SECOND, 65 * SECOND, Verdict.SETTLE),
        (5 * SECOND, 65 * SECOND + 1, Verdict.SUPERSEDED),
        (5 * SECOND, 5 * SECOND + 1, Verdict.SETTLE),
        (5 * SECOND, 4 * SECOND, Verdict.SETTLE),
        (5 * SECOND, None, Verdict.SETTLE),
    ],
)
def test_the_conflict_rule(ours: int, stored: int | None, verdict: Verdict) -> None:
    assert judge_conflict(ours, stored, 60, now=1000) is verdict


@pytest.mark.parametrize("ahead", [0, 3599, 3600, 3601, 10**8])
def test_a_version_from_the_future_supersedes_nothing(ahead: int) -> None:
    now = 1_700_000_000
    verdict = judge_conflict((now - 10**5) * SECOND, (now + ahead) * SECOND, 60, now=now + 0.9)
    assert verdict is (Verdict.SETTLE if ahead >= 3600 else Verdict.SUPERSEDED)


def test_above_a_version_from_the_future_there_is_always_another() -> None:
    stored = 4_000_000_000 * SECOND + 998
    for _ in range(3000):
        version = settled_version(stored=stored, highest_own=0, read_at=1_700_000_000, conflict_window=60)
        assert version is not None
        assert version > stored
        assert not is_own(version)
        stored = version
