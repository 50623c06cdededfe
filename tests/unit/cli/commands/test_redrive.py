"""``redrive``: where failures are taken from."""

import pytest
from dynamodb_opensearch.cli.commands.redrive import source_arn
from dynamodb_opensearch.core.errors import ConfigurationError
from fakes.settings import settings


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (None, "arn:aws:sqs:eu-west-1:123456789012:letters"),
        ("arn:aws:s3:::bucket", "arn:aws:s3:::bucket"),
        ("https://sqs.eu-west-3.amazonaws.com/123456789012/other", "arn:aws:sqs:eu-west-3:123456789012:other"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/o", "arn:aws-cn:sqs:cn-north-1:123456789012:o"),
        ("http://127.0.0.1:4566/000000000000/other", "arn:aws:sqs:eu-west-1:000000000000:other"),
    ],
)
def test_failures_are_taken_from_an_arn_a_url_or_the_functions_own(source: str | None, expected: str) -> None:
    ours = settings(DEAD_LETTER_ARN="arn:aws:sqs:eu-west-1:123456789012:letters")
    assert source_arn(source, ours) == expected


def test_without_a_source_the_ways_to_give_one_are_named() -> None:
    with pytest.raises(ConfigurationError, match="no SOURCE of failures: give the ARN"):
        source_arn(None, settings())
