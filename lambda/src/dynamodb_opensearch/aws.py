"""What the AWS SDK says when it fails: AWS's own word for it, and whether it passes by itself."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
)
from botocore.exceptions import ConnectionError as SdkConnectionError


def code_of(error: BotoCoreError | ClientError) -> str:
    """AWS's word for it, such as AccessDeniedException."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__


def credentials_advice(error: BotoCoreError | ClientError) -> str:
    """What to do if no credentials could be had, with a semicolon in front; else nothing."""
    names = [kind.__name__ for kind in type(error).__mro__]
    return next((f"; {advice}" for name, advice in _ADVICE.items() if name in names), "")


# By name: the SDK that the function's runtime has may not know all of them.
_ADVICE = {
    "SSOError": "log in again: aws sso login, with the --profile that you use",
    "TokenRetrievalError": "log in again: aws sso login, with the --profile that you use",
    "LoginError": "log in again: aws login, with the --profile that you use",
    "CredentialRetrievalError": "renew the credentials at that provider, or log in again: aws sso login",
    "NoCredentialsError": "log in (aws sso login), set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "PartialCredentialsError": "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither",
    "ProfileNotFound": "check AWS_PROFILE against the profiles of ~/.aws/config",
    "RefreshWithMFAUnsupportedError": "log in with your MFA code, and use the temporary credentials",
}


def heals(error: BotoCoreError | ClientError) -> bool:
    """Whether the same call may work later, though nobody changes anything: throttles, outages, time-outs, resets.

    So do credentials that can't be fetched for a moment; ones that have expired don't.
    """
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status == 501:  # an emulator, or a store that speaks S3, doesn't know the call and never will
            return False
        return status == 429 or status >= 500 or _is_passing(code_of(error))
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return False
    return isinstance(error, _PASSING)


def _is_passing(code: str) -> bool:
    return "Throttl" in code or code.rpartition(".")[2] in _PASSING_CODES


_PASSING_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "LimitExceededException",
        "OverLimit",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""Of whatever service: the SDK's own list of what it tries again, and what S3, SQS and KMS say in such a case.

See: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""
_PASSING = (HTTPClientError, SdkConnectionError, IncompleteReadError, CredentialRetrievalError, MetadataRetrievalError)
