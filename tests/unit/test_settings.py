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
