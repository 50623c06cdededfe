"""Settings of a sync that nothing connects to."""

from dynamodb_opensearch.settings import Settings, read_settings


def settings(**changes: str) -> Settings:
    return read_settings(
        {
            "OPENSEARCH_ENDPOINT": "https://search.example.com",
            "OPENSEARCH_AUTH": "none",
            "AWS_REGION": "eu-west-1",
            "TABLE_NAME": "products",
            "TABLE_KEYS": "pk",
            "INDEX": "products",
            **changes,
        }
    )
