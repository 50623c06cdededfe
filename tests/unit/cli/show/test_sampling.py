"""jobs/sampling.py: the bound is Clopper and Pearson's, and the sentence never claims more than it."""

import re
from fractions import Fraction
from math import comb

import pytest
from dynamodb_opensearch.cli.show.sampling import statement, upper_bound
from hypothesis import assume, given
from hypothesis import strategies as st


def at_most(found: int, sampled: int, share: float) -> float:
    """The binomial's distribution, by its definition."""
    p = Fraction(share)
    return float(sum(comb(sampled, number) * p**number * (1 - p) ** (sampled - number) for number in range(found + 1)))


@given(st.integers(1, 60), st.integers(0, 60), st.floats(0.5, 0.99))
def test_at_the_bound_so_few_are_found_with_the_remaining_probability(
    sampled: int, found: int, confidence: float
) -> None:
    assume(found < sampled)
    assert at_most(found, sampled, upper_bound(found, sampled, confidence)) == pytest.approx(1 - confidence, rel=1e-6)


@given(st.integers(1, 10**9))
def test_of_no_differences_it_is_the_known_formula(sampled: int) -> None:
    assert upper_bound(0, sampled) == pytest.approx(1 - 0.05 ** (1 / sampled), rel=1e-5)


@given(st.integers(1, 10**6), st.data())
def test_more_found_or_fewer_sampled_raise_it(sampled: int, data: st.DataObject) -> None:
    found = data.draw(st.integers(0, sampled - 1))
    bound = upper_bound(found, sampled)
    assert found / sampled < bound <= 1
    assert upper_bound(found + 1, sampled) >= bound
    assert upper_bound(found, sampled + 1) <= bound * (1 + 1e-9)


@pytest.mark.parametrize(("found", "sampled"), [(0, 0), (7, 7)])
def test_a_sample_that_leaves_everything_possible_bounds_nothing(found: int, sampled: int) -> None:
    assert upper_bound(found, sampled) == 1


@pytest.mark.parametrize(("found", "sampled"), [(-1, 3), (4, 3)])
def test_impossible_numbers_are_refused(found: int, sampled: int) -> None:
    with pytest.raises(ValueError, match="can't differ"):
        upper_bound(found, sampled)


@pytest.mark.parametrize(
    ("found", "sampled", "expected"),
    [
        (0, 12_345, "0 of 12,345 sampled items differ: with 95 % confidence fewer than 0.025 % of all do"),
        (1, 1_000, "1 of 1,000 sampled items differs: with 95 % confidence fewer than 0.48 % of all do"),
        (0, 20, "0 of 20 sampled items differ: with 95 % confidence fewer than 14 % of all do"),
        (2, 2, "2 of 2 sampled items differ"),
        (0, 0, "no items were in the sample: it says nothing about them"),
    ],
)
def test_the_sentence(found: int, sampled: int, expected: str) -> None:
    assert statement(found, sampled, "items") == expected


@given(st.integers(2, 10**9), st.data())
def test_the_sentence_never_claims_more_than_the_bound(sampled: int, data: st.DataObject) -> None:
    found = data.draw(st.integers(0, min(sampled - 1, 1000)))
    claim = re.search(r"fewer than ([0-9.]+) % of all", statement(found, sampled, "items"))
    assert claim
    percent = upper_bound(found, sampled) * 100
    assert percent <= float(claim[1]) * (1 + 1e-12)
    assert float(claim[1]) <= percent * 1.11
