"""The names under which a comparison and a repair count, by what they mean for the exit code."""

from collections.abc import Iterable, Mapping

DIFFERENCES = ("missing", "ghost", "stale", "wrong content", "wrong place")
"""Kinds of difference."""
UNDECIDED = ("changing", "unlisted", "untransformed")
"""Counts of documents that couldn't be judged."""
UNMENDED = ("refused", "left", "remaining")
"""Counts of documents that a repair couldn't make equal."""


def total_of(counts: Mapping[str, int], names: Iterable[str]) -> int:
    """The sum of these counts."""
    return sum(counts.get(name, 0) for name in names)


def counts_of(counts: Mapping[str, int], index: str, separator: str = "/") -> dict[str, int]:
    """The counts of one index, where there are several: those named ``index/name``, here under their names alone."""
    prefix = index + separator
    return {name.removeprefix(prefix): count for name, count in counts.items() if name.startswith(prefix)}


def totals_of(counts: Mapping[str, int]) -> dict[str, int]:
    """The counts of all indices together."""
    return {name: count for name, count in counts.items() if "/" not in name}


def held_of(counts: Mapping[str, int]) -> int:
    """How many of the items that were read the index holds."""
    return counts.get("items", 0) - counts.get("outside", 0)
