"""Which of the AWS SDK's errors pass by themselves, whatever the service."""

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    IncompleteReadError,
    MetadataRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
    UnauthorizedSSOTokenError,
)
from dynamodb_opensearch.aws import heals


def answer(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}},
        "Operation",
    )


@pytest.mark.parametrize(
    "error",
    [
        answer("ProvisionedThroughputExceededException"),
        answer("ThrottlingException"),
        answer("Throttling"),
        answer("RequestLimitExceeded"),
        answer("LimitExceededException"),
        answer("KMS.ThrottlingException"),
        answer("KmsThrottled"),
        answer("AWS.SimpleQueueService.OverLimit", 403),
        answer("SlowDown", 503),
        answer("503", 503),
        answer("RequestTimeout"),
        answer("InternalServerError", 500),
        answer("TooManyRequestsException", 429),
        EndpointConnectionError(endpoint_url="https://x"),
        ConnectTimeoutError(endpoint_url="https://x"),
        ReadTimeoutError(endpoint_url="https://x"),
        ConnectionClosedError(endpoint_url="https://x"),
        ResponseStreamingError(error="reset"),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
        SSLError(endpoint_url="https://x", error="EOF occurred in violation of protocol"),
        CredentialRetrievalError(provider="x", error_msg="timed out"),
        MetadataRetrievalError(error_msg="timed out"),
    ],
)
def test_throttles_outages_and_a_moment_without_credentials_pass(error: BotoCoreError | ClientError) -> None:
    assert heals(error)


@pytest.mark.parametrize(
    "error",
    [
        answer("AccessDeniedException"),
        answer("AccessDenied", 403),
        answer("ExpiredTokenException"),
        answer("ResourceNotFoundException"),
        answer("ValidationException"),
        answer("NoSuchKey", 404),
        answer("PointInTimeRecoveryUnavailableException"),
        answer("InternalFailure", 501),
        NoCredentialsError(),
        UnauthorizedSSOTokenError(),
        ParamValidationError(report="x"),
        SSLError(endpoint_url="https://x", error="[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"),
    ],
)
def test_what_must_be_changed_first_does_not_heal(error: BotoCoreError | ClientError) -> None:
    assert not heals(error)
