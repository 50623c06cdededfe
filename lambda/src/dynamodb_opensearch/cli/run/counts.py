"""The names under which a comparison and a repair count, by what they mean for the exit code."""

from collections.abc import Iterable, Mapping

DIFFERENCES = ("missing", "ghost", "stale", "wrong content", "wrong place")
"""What is wrong with a document."""
UNDECIDED = ("changing", "unlisted", "keyless")
"""What nobody can say is equal."""
UNMENDED = ("refused", "left", "remaining")
"""What a repair couldn't mend."""


def total_of(counts: Mapping[str, int], names: Iterable[str]) -> int:
    """The sum of these counts."""
    return sum(counts.get(name, 0) for name in names)
