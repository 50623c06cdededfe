"""What of an error is shown: its words, and never a value or an id."""

from typing import Any

import pytest
from dynamodb_opensearch.core.reasons import reason_of


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            {
                "error": {
                    "root_cause": [{"type": "mapper_parsing_exception", "reason": "Failed to parse mapping [_doc]: x"}],
                    "type": "mapper_parsing_exception",
                    "reason": "Failed to parse mapping [_doc]: Failed to parse value [none]",
                    "caused_by": {"type": "a", "reason": "Failed to parse value [none]"},
                },
                "status": 400,
            },
            "Failed to parse mapping [_doc]: Failed to parse value [none]",
        ),
        ({"error": {"reason": "outer", "caused_by": {"caused_by": {"reason": "inner"}}}}, "outer: inner"),
        ({"error": "no handler found for uri"}, "no handler found for uri"),
        ({"Message": "User is not authorized"}, "User is not authorized"),
        ({"error": {"reason": "x" * 1000}}, "x" * 500),
        ({"error": {"reason": "two\nlines"}}, "two lines"),
        ("Unauthorized", "Unauthorized"),
        (None, ""),
        ({}, ""),
    ],
)
def test_the_words_of_an_error_go_down_to_its_innermost_cause(body: Any, text: str) -> None:
    assert reason_of(body) == text
