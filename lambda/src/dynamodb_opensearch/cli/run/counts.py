"""The names under which a comparison and a repair count, by what they mean for the exit code."""

from collections.abc import Iterable, Mapping

DIFFERENCES = ("missing", "ghost", "stale", "wrong content", "wrong place")
"""Kinds of difference."""
UNDECIDED = ("changing", "unlisted", "keyless")
"""Counts of documents that couldn\'t be judged."""
UNMENDED = ("refused", "left", "remaining")
"""Counts of documents that a repair couldn\'t make equal."""


def total_of(counts: Mapping[str, int], names: Iterable[str]) -> int:
    """The sum of these counts."""
    return sum(counts.get(name, 0) for name in names)
