"""Keeps an OpenSearch index equal to a DynamoDB table."""

__version__ = "0.1.0"
