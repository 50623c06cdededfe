import base64
import gzip
import json
import re
from decimal import Decimal
from typing import Any

import pytest
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.settings import Auth, Compression, Service, read_settings

MINIMAL = {
    "OPENSEARCH_ENDPOINT": "https://search-products.eu-west-1.es.amazonaws.com/",
    "TABLE_NAME": "products",
    "TABLE_KEYS": "pk,sk",
    "INDEX": "products",
    "AWS_REGION": "eu-west-1",
}
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:search-AbCdEf"


def test_what_is_not_set_has_a_safe_default() -> None:
    settings = read_settings(MINIMAL)

    assert settings.endpoint == "https://search-products.eu-west-1.es.amazonaws.com"
    assert settings.key_schema.names == ("pk", "sk")
    assert (settings.auth, settings.service, settings.compression) == (Auth.SIGV4, Service.ES, Compression.NONE)
    assert (settings.bulk_bytes, settings.bulk_actions, settings.bulk_connections) == (3 * 1024**2, 500, 2)
    assert (settings.conflict_window_seconds, settings.request_timeout_seconds) == (60, 20)
    assert settings.dead_letter_arn is settings.secret_arn is settings.ca_file is None
    assert settings.sync_name == "sync"
    assert settings.indices == ("products",)
    assert settings.projections[0].is_whole
    assert settings.projections[0].takes_all


def test_the_sync_is_named_after_its_function_by_default() -> None:
    assert read_settings(MINIMAL | {"AWS_LAMBDA_FUNCTION_NAME": "f"}).sync_name == "f"
    assert read_settings(MINIMAL | {"AWS_LAMBDA_FUNCTION_NAME": "f", "SYNC_NAME": "s"}).sync_name == "s"


@pytest.mark.parametrize(
    "changes",
    [
        {"OPENSEARCH_ENDPOINT": "http://127.0.0.1:9200", "OPENSEARCH_AUTH": "none"},
        {"OPENSEARCH_ENDPOINT": "https://[::1]:9200"},
        {"OPENSEARCH_AUTH": "basic", "OPENSEARCH_SECRET_ARN": SECRET, "AWS_REGION": ""},
        {"OPENSEARCH_SERVICE": "aoss"},
        {"TABLE_NAME": "arn:aws:dynamodb:eu-west-1:123456789012:table/products"},
        {"INDEX": "products-2026.11"},
        {"DEAD_LETTER_ARN": "arn:aws:sqs:eu-west-1:123456789012:letters"},
        {"DEAD_LETTER_ARN": "arn:aws-cn:sns:cn-north-1:123456789012:letters"},
        {"DEAD_LETTER_ARN": "arn:aws:s3:::letters.example"},
        {"BULK_BYTES": "65536", "BULK_ACTIONS": "1", "BULK_CONNECTIONS": "8", "COMPRESSION": "gzip"},
    ],
)
def test_allowed_values_are_taken(changes: dict[str, str]) -> None:
    read_settings(MINIMAL | changes)


WRONG = [
    ("OPENSEARCH_ENDPOINT", "", "a URL such as https://"),
    ("OPENSEARCH_ENDPOINT", "search.example.com", "a URL such as https://"),
    ("OPENSEARCH_ENDPOINT", "ftp://search.example.com", "a URL such as https://"),
    ("OPENSEARCH_ENDPOINT", "https://search.example.com:port", "a URL such as https://"),
    ("OPENSEARCH_ENDPOINT", "https://search.example.com?pretty", "a URL such as https://"),
    ("OPENSEARCH_ENDPOINT", "https://search.example.com#top", "a URL such as https://"),
    ("OPENSEARCH_ENDPOINT", "https://search .example.com", "a URL such as https://"),
    ("OPENSEARCH_ENDPOINT", "https://search.example.com\n", "a URL such as https://"),
    ("OPENSEARCH_ENDPOINT", "https://search.example.com:99999", "a URL such as https://"),
    ("OPENSEARCH_SECRET_ARN", "search-secret", "the ARN of a secret"),
    ("OPENSEARCH_AUTH", "iam", "one of sigv4, basic, none"),
    ("OPENSEARCH_SERVICE", "opensearch", "one of es, aoss"),
    ("TABLE_NAME", "", "a table's name or ARN"),
    ("TABLE_NAME", "a b", "a table's name or ARN"),
    ("TABLE_KEYS", "", "pk or pk,sk"),
    ("TABLE_KEYS", "a,b,c", "pk or pk,sk"),
    ("INDEX", "", "lower case"),
    ("INDEX", "Products", "lower case"),
    ("INDEX", "_all", "lower case"),
    ("INDEX", "a,b", "lower case"),
    ("INDEX", "..", "lower case"),
    ("DEAD_LETTER_ARN", "arn:aws:sqs:eu-west-1:123456789012:letters.fifo", "SQS queue, SNS topic or S3 bucket"),
    ("DEAD_LETTER_ARN", "arn:aws:lambda:eu-west-1:123456789012:function:f", "SQS queue, SNS topic or S3 bucket"),
    ("BULK_BYTES", "65535", "a whole number from 65536 to 10485760"),
    ("BULK_BYTES", "3 MiB", "a whole number from 65536 to 10485760"),
    ("TABLE_KEYS", "pk,", "pk or pk,sk"),
    ("TABLE_KEYS", '["a","b","c"]', "pk or pk,sk"),
    ("TABLE_KEYS", '["a",""]', "pk or pk,sk"),
    ("BULK_BYTES", "10485761", "a whole number from 65536 to 10485760"),
    ("BULK_BYTES", "٦٥٥٣٦", "a whole number from 65536 to 10485760"),
    ("BULK_ACTIONS", "10001", "a whole number from 1 to 10000"),
    ("BULK_CONNECTIONS", "0", "a whole number from 1 to 8"),
    ("CONFLICT_WINDOW_SECONDS", "3601", "a whole number from 10 to 3600"),
    ("REQUEST_TIMEOUT_SECONDS", "301", "a whole number from 1 to 300"),
    ("REQUEST_TIMEOUT_SECONDS", "20.0", "a whole number from 1 to 300"),
    ("BULK_ACTIONS", "0", "a whole number from 1 to 10000"),
    ("BULK_CONNECTIONS", "9", "a whole number from 1 to 8"),
    ("COMPRESSION", "zstd", "one of none, gzip"),
    ("CONFLICT_WINDOW_SECONDS", "9", "a whole number from 10 to 3600"),
    ("REQUEST_TIMEOUT_SECONDS", "-1", "a whole number from 1 to 300"),
    ("AWS_REGION", "", "an AWS Region"),
]


@pytest.mark.parametrize(("name", "value", "allowed"), WRONG)
def test_a_wrong_value_is_named_with_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        read_settings(MINIMAL | {name: value})

    message = str(error.value)
    assert message.startswith(f"{name} is not set" if not value else f"{name} is {value!r}")
    assert allowed in message


def test_basic_auth_needs_a_secret() -> None:
    with pytest.raises(ConfigurationError, match="OPENSEARCH_SECRET_ARN is not set: it must be the ARN of a secret"):
        read_settings(MINIMAL | {"OPENSEARCH_AUTH": "basic"})


def test_a_password_never_travels_in_clear() -> None:
    basic = {"OPENSEARCH_AUTH": "basic", "OPENSEARCH_SECRET_ARN": SECRET, "OPENSEARCH_ENDPOINT": "http://search:9200"}

    with pytest.raises(ConfigurationError, match="basic auth needs https://"):
        read_settings(MINIMAL | basic)


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as error:
        read_settings(MINIMAL | {"OPENSEARCH_ENDPOINT": "https://user:s3cr3t@search.example.com"})
    assert "s3cr3t" not in str(error.value)


SEVERAL = {
    "orders": {"when": [{"attribute": "sk", "begins_with": "ORDER#"}], "constants": {"weight": 1.5}},
    "customers-2026.11": {"standby": True},
}
WITHOUT_INDEX = {name: value for name, value in MINIMAL.items() if name != "INDEX"}


def zipped(text: str) -> str:
    """What Terraform's base64gzip() makes of it."""
    return base64.b64encode(gzip.compress(text.encode())).decode()


@pytest.mark.parametrize("spell", [str, zipped, lambda text: f"\n {text}\n"], ids=["JSON", "gzip", "spaced JSON"])
def test_several_indices_are_given_as_json_or_as_the_base64_of_its_gzip(spell: Any) -> None:
    settings = read_settings(WITHOUT_INDEX | {"INDICES": spell(json.dumps(SEVERAL))})

    assert settings.indices == ("orders", "customers-2026.11")
    orders, customers = settings.projections
    assert orders.key_rule.conditions, "the table's keys are known"
    assert orders.shape.constants == {"weight": Decimal("1.5")}
    assert (orders.standby, customers.standby) == (False, True)


@pytest.mark.parametrize(("text", "expected"), [("true", True), ("false", False), ("", False)])
@pytest.mark.parametrize("indices", [{"INDEX": "products"}, {"INDICES": '{"products":{}}'}], ids=str)
def test_unchanged_documents_are_skipped_in_all_indices_or_in_none(
    indices: dict[str, str], text: str, expected: bool
) -> None:
    settings = read_settings(WITHOUT_INDEX | indices | {"SKIP_UNCHANGED": text})

    assert [projection.skip_unchanged for projection in settings.projections] == [expected]


@pytest.mark.parametrize("value", ["yes", "True", "1"])
def test_skip_unchanged_is_true_or_false(value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"SKIP_UNCHANGED is '{value}': it must be one of true, false"):
        read_settings(MINIMAL | {"SKIP_UNCHANGED": value})


def test_index_and_indices_exclude_each_other() -> None:
    with pytest.raises(ConfigurationError, match="INDEX is 'products', and INDICES is set: give only one of the two"):
        read_settings(MINIMAL | {"INDICES": '{"orders":{}}'})


@pytest.mark.parametrize("empty", [{}, {"INDEX": ""}, {"INDICES": ""}, {"INDEX": "", "INDICES": ""}], ids=str)
def test_one_of_index_and_indices_must_be_set(empty: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"INDEX is not set: .*; or INDICES must be set, for several indices"):
        read_settings(WITHOUT_INDEX | empty)


BROKEN_GZIP = zipped(json.dumps(SEVERAL))


@pytest.mark.parametrize(
    "text",
    [
        "orders",
        "[]",
        "null",
        "é",
        base64.b64encode(b"{}").decode(),
        BROKEN_GZIP[:-8],
        BROKEN_GZIP[:40] + BROKEN_GZIP[44:],
        base64.b64encode(gzip.compress(b"\xff\xfe")).decode(),
        "arn:aws:ssm:eu-west-1:123456789012:parameter/unread",
    ],
)
def test_what_is_neither_json_nor_its_gzip_is_shown_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        read_settings(WITHOUT_INDEX | {"INDICES": text})
    assert str(error.value) == (
        f"INDICES is wrong: it is {text[:200]!r}, which is neither a JSON object nor the base64 text of its gzip"
    )


@pytest.mark.parametrize(
    ("indices", "said"),
    [
        ("{", "it is '{', which isn't JSON"),
        ({}, "it is '{}': it must be an object, index name -> projection, with one or more"),
        ({"orders": {"whn": []}}, "the index 'orders': it has whn: the members are "),
        (
            {"orders": {"when": [{"attribute": "a"}]}},
            "the index 'orders': when has [] for the attribute 'a': give exactly",
        ),
        ({"orders": {"rename": {"a": "x", "b": "x"}}}, "the index 'orders': rename gives one name to two attributes"),
        ({"orders": {"standby": True}}, "each index has standby = true: at least one must not"),
    ],
    ids=str,
)
def test_a_wrong_projection_is_named_with_its_index_and_value(indices: Any, said: str) -> None:
    text = indices if isinstance(indices, str) else json.dumps(indices)

    for spelling in (text, zipped(text)):
        with pytest.raises(ConfigurationError, match="^" + re.escape(f"INDICES is wrong: {said}")):
            read_settings(WITHOUT_INDEX | {"INDICES": spelling})


@pytest.mark.parametrize("name", ["", "Orders", "_all", "a,b", "..", "a b", "-a", "a*", "x" * 256])
def test_a_name_that_no_index_can_have_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        read_settings(WITHOUT_INDEX | {"INDICES": json.dumps({"fine": {}, name: {}})})
    assert str(error.value).startswith(f"INDICES has the name {name!r}: it must be an index or alias name: lower case")


def test_a_transform_that_cannot_be_loaded_is_named() -> None:
    with pytest.raises(ConfigurationError, match="'no_such_module_here:document'"):
        read_settings(WITHOUT_INDEX | {"INDICES": '{"orders":{"transform":"no_such_module_here:document"}}'})
