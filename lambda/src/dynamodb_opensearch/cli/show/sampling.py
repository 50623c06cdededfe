"""Computes what a sample says about the whole. Pure arithmetic."""

from math import exp, inf, lgamma, log, log1p

CONFIDENCE = 0.95


def upper_bound(found: int, sampled: int, confidence: float = CONFIDENCE) -> float:
    """The largest share of differences that a sample leaves possible: Clopper and Pearson's one-sided bound.

    At this share, the probability of finding ``found`` or fewer is 1 - ``confidence``. For no differences in 300
    documents it is 0.00994, about 3/300.

    See: https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval#Clopper%E2%80%93Pearson_interval

    Raises:
        ValueError: more were found than sampled, or a negative number.
    """
    if not 0 <= found <= sampled:
        raise ValueError(f"{found} of {sampled} can't differ")
    if found == sampled:  # also for an empty sample, which says nothing
        return 1.0
    low, high = found / sampled, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        if _at_most(found, sampled, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def statement(found: int, sampled: int, what: str) -> str:
    """``0 of 12,345 sampled items differ: with 95 % confidence fewer than 0.025 % of all do``.

    Args:
        sampled: how many were compared: of an index that holds only some items, those that it holds.
    """
    if sampled == 0:
        return f"no {what} were in the sample: it says nothing about them"
    share = f"{found:,} of {sampled:,} sampled {what} differ{'s' if found == 1 else ''}"
    if found == sampled:
        return share
    bound = _percent(upper_bound(found, sampled))
    return f"{share}: with {CONFIDENCE * 100:.0f} % confidence fewer than {bound} % of all do"


def _percent(share: float) -> str:
    """Format a percentage with two significant digits, rounded up: the statement must not claim more than the bound."""
    percent = share * 100
    digits = max(1 - _exponent(percent), 0)
    text = f"{percent:.{digits}f}"
    return text if float(text) >= percent else f"{float(text) + 10**-digits:.{digits}f}"


def _exponent(value: float) -> int:
    return int(f"{value:e}".partition("e")[2])


def _at_most(found: int, sampled: int, share: float) -> float:
    """The probability that at most ``found`` of a sample differ, for a share above ``found / sampled``."""
    term = _log_probability(found, sampled, share)
    total, ratio = 1.0, 1.0
    # Below the mean, each term is smaller than the one before: the sum is complete once terms no longer matter.
    for number in range(found, 0, -1):
        ratio *= number * (1 - share) / ((sampled - number + 1) * share)
        total += ratio
        if ratio < total * 1e-17:
            break
    return exp(term + log(total)) if term > -inf else 0.0


def _log_probability(found: int, sampled: int, share: float) -> float:
    """The logarithm of the probability that exactly ``found`` of a sample differ."""
    if share >= 1:
        return -inf
    ways = lgamma(sampled + 1) - lgamma(found + 1) - lgamma(sampled - found + 1)
    return ways + (found * log(share) if found else 0.0) + (sampled - found) * log1p(-share)
