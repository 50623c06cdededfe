"""Calls to AWS that may be repeated, and errors of its SDK: their codes, which of them heal, and what to do."""

from collections.abc import Callable
from typing import TypeVar

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
)
from botocore.exceptions import ConnectionError as SdkConnectionError

from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError, OutOfTimeError


def code_of(error: BotoCoreError | ClientError) -> str:
    """AWS's code for an error, such as AccessDeniedException."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__


def credentials_advice(error: BotoCoreError | ClientError) -> str:
    """What to do if there are no usable credentials, with a semicolon in front; else an empty text."""
    names = [kind.__name__ for kind in type(error).__mro__]
    return next((f"; {advice}" for name, advice in _CREDENTIALS_ADVICE.items() if name in names), "")


# By name, because the SDK of the function's runtime may not know all of them.
_CREDENTIALS_ADVICE = {
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
    """Whether the same call may work later without any change: after throttles, outages, time-outs and resets.

    Credentials that can't be fetched for a moment heal, too; expired ones don't.
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
"""Codes of all services: the SDK's own list of what it retries, and what S3, SQS and KMS say in such a case.

See: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""
_PASSING = (HTTPClientError, SdkConnectionError, IncompleteReadError, CredentialRetrievalError, MetadataRetrievalError)


_Answer = TypeVar("_Answer")


def ask(request: Callable[[], _Answer], deadline: Deadline, call: str, subject: str) -> _Answer:
    """Call AWS, and again while it throttles or is out of reach, as long as the deadline allows.

    Raises:
        ConfigurationError: AWS refused the call, see ``aws_error``.
        OutOfTimeError: the time was over.
    """
    attempt = 0
    while True:
        try:
            return request()
        except (BotoCoreError, ClientError) as error:
            if not heals(error):
                raise aws_error(error, call, subject) from None
            attempt += 1
            if not deadline.back_off(attempt):
                raise OutOfTimeError(f"{subject}: {call} failed until the time was over ({_said(error)})") from None


def briefly() -> Deadline:
    """A deadline for calls before any work begins: a wrong endpoint looks like an outage, and must be reported soon."""
    return Deadline.after(_BRIEFLY_SECONDS)


_BRIEFLY_SECONDS = 10.0
ASKED_ONCE = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 1})
"""The configuration of a client whose calls go through ``ask``, which knows the deadline and retries itself."""


def aws_error(error: BotoCoreError | ClientError, call: str, subject: str) -> ConfigurationError:
    """The error for a call that AWS refused, with advice."""
    if not isinstance(error, ClientError):
        return ConfigurationError(f"{subject}: {call} failed ({_said(error)}){credentials_advice(error)}")
    code = code_of(error)
    advice = next((advice for words, advice in _ADVICE.items() if words in code), "see AWS's message")
    return ConfigurationError(f"{subject}: {call} answered {_said(error)}; {advice}")


def _said(error: BotoCoreError | ClientError) -> str:
    if not isinstance(error, ClientError):
        return str(error)
    message = str(error.response["Error"].get("Message", ""))[:300]
    return f"{code_of(error)} ({message})"


_ADVICE = {
    "Expired": "renew your AWS credentials, and run the command again: it continues where it stopped",
    "UnrecognizedClient": "check your AWS credentials",
    "InvalidClientTokenId": "check your AWS credentials",
    "AccessDenied": "allow it in IAM for the identity that runs this",
    "ResourceNotFound": "check the name, the Region and the account",
    "NonExistent": "check the name, the Region and the account",
    "NoSuch": "check the name, the Region and the account",
    "PointInTimeRecoveryUnavailable": "switch on point-in-time recovery for the table, or work without an export",
}
