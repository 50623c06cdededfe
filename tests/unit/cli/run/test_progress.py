"""cli/progress.py: the arithmetic of how far, how fast and how long, also when the estimate is wrong."""

import io

import pytest
from dynamodb_opensearch.cli.run.progress import Pace, ProgressBar, duration
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_steady_pace() -> None:
    clock = Clock()
    pace = Pace(0, 1_000, clock)
    assert str(pace) == "0 of ~1,000"
    for _ in range(10):
        clock.now += 1
        pace.add(50)
    assert str(pace) == "500 of ~1,000 · 50/s · 0:00:10 left"


def test_what_an_earlier_run_did_counts_as_done_and_not_as_speed() -> None:
    clock = Clock()
    pace = Pace(900, 1_000, clock)
    clock.now += 2
    pace.add(10)
    assert str(pace) == "910 of ~1,000 · 5.0/s · 0:00:18 left"


@pytest.mark.parametrize("expected", [None, 0, 99])
def test_an_estimate_that_is_missing_or_proves_wrong_is_left_out(expected: int | None) -> None:
    clock = Clock()
    pace = Pace(0, expected, clock)
    clock.now += 1
    pace.add(100)
    assert str(pace) == "100 · 100/s"


def test_the_rate_is_that_of_the_last_seconds() -> None:
    clock = Clock()
    pace = Pace(0, None, clock)
    for number in [1_000] * 60 + [10] * 20:
        clock.now += 1
        pace.add(number)
    assert pace.rate == pytest.approx(10)


@given(
    st.integers(0, 10**9),
    st.none() | st.integers(0, 10**9),
    st.lists(st.tuples(st.integers(0, 10**6), st.floats(0, 100)), max_size=30),
)
def test_no_number_is_ever_negative_or_beyond_the_total(
    done: int, expected: int | None, steps: list[tuple[int, float]]
) -> None:
    clock = Clock()
    pace = Pace(done, expected, clock)
    for number, seconds in steps:
        clock.now += seconds
        pace.add(number)
        assert pace.rate is None or pace.rate > 0
        assert pace.seconds_left is None or pace.seconds_left >= 0
        assert pace.total is None or pace.done <= pace.total
        assert "-" not in str(pace)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00:00"), (65.4, "0:01:05"), (93_600, "26:00:00")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize("terminal", [True, False])
def test_the_bar_is_for_terminals_and_fits_into_eighty_columns(*, terminal: bool) -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=80, color_system=None)
    pace = Pace(0, 1_000_000_000)
    with ProgressBar(console, "verify", pace) as bar:
        bar.add(123_456_789)
    lines = file.getvalue().replace("\x1b[2K", "").replace("\r", "\n").splitlines()
    assert any("123,456,789 of ~1,000,000,000" in line for line in lines) == terminal
    assert all(len(line) <= 80 for line in lines)
    assert bool(file.getvalue()) == terminal
