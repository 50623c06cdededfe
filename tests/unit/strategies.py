"""Hypothesis strategies: DynamoDB values, each with the JSON value that its document must read back as.

The expectation is made from Python values, never from the encoder under test.
"""

import base64
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

Pair = tuple[dict[str, Any], Any]
"""A DynamoDB attribute value, and what ``json.loads`` with exact numbers must make of it."""


def numbers() -> st.SearchStrategy[str]:
    """DynamoDB's numbers as it spells them: up to 38 digits, magnitudes 1E-130 to 9.99E+125, plain or with exponent."""

    def spell(sign: str, digits: str, exponent: int, form: str) -> str:
        value = Decimal(f"{sign}{digits}E{exponent}")
        return format(value, form)

    digits = st.text("0123456789", min_size=1, max_size=38)
    exponents = st.integers(-130, 87)
    return st.builds(spell, st.sampled_from(["", "-"]), digits, exponents, st.sampled_from(["f", "E", ""]))


def texts() -> st.SearchStrategy[str]:
    """All of Unicode that UTF-8 can hold, with what breaks JSON and line-based bodies more often."""
    awkward = st.sampled_from(
        ['"', "\\", "\n", "\r", "\u2028", "\x00", "\x1f", "é", "\U0001f600", "\ufffe", "</script>"]
    )
    return st.lists(st.one_of(awkward, st.text(max_size=5)), max_size=6).map("".join)


def _scalars() -> st.SearchStrategy[Pair]:
    return st.one_of(
        texts().map(lambda text: ({"S": text}, text)),
        numbers().map(lambda number: ({"N": number}, Decimal(number))),
        st.binary(max_size=40).map(lambda data: ({"B": _base64(data)}, _base64(data))),
        st.booleans().map(lambda value: ({"BOOL": value}, value)),
        st.just(({"NULL": True}, None)),
        st.sets(texts(), min_size=1, max_size=4).map(lambda some: ({"SS": list(some)}, sorted(some))),
        st.sets(numbers().map(Decimal), min_size=1, max_size=4).map(
            lambda some: ({"NS": [str(one) for one in some]}, sorted(some))
        ),
        st.sets(st.binary(max_size=10), min_size=1, max_size=4).map(
            lambda some: ({"BS": [_base64(one) for one in some]}, [_base64(one) for one in sorted(some)])
        ),
    )


def values() -> st.SearchStrategy[Pair]:
    """Any attribute value, nested or not. Map keys are plain names here: names have tests of their own."""
    names = st.text("abcxyz_0", min_size=1, max_size=5)

    def nested(children: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
        return st.one_of(
            st.lists(children, max_size=4).map(lambda some: ({"L": [a for a, _ in some]}, [b for _, b in some])),
            st.dictionaries(names, children, max_size=4).map(
                lambda some: ({"M": {k: a for k, (a, _) in some.items()}}, {k: b for k, (_, b) in some.items()})
            ),
        )

    return st.recursive(_scalars(), nested, max_leaves=12)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
