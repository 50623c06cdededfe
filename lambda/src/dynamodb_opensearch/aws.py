"""What the AWS SDK says when it fails: AWS's own word for it, and whether it passes by itself."""

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
    """AWS's word for it, such as AccessDeniedException."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__


def credentials_advice(error: BotoCoreError | ClientError) -> str:
    """What to do if no credentials could be had, with a semicolon in front; else nothing."""
    names = [kind.__name__ for kind in type(error).__mro__]
    return next((f"; {advice}" for name, advice in _CREDENTIALS_ADVICE.items() if name in names), "")


# By name: the SDK that the function's runtime has may not know all of them.
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


_Answer = TypeVar("_Answer")


def ask(request: Callable[[], _Answer], deadline: Deadline, call: str, subject: str) -> _Answer:
    """Ask AWS, again while it throttles or is out of reach, as long as the deadline allows.

    Raises:
        ConfigurationError: AWS refused it, see ``aws_error``.
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
                raise OutOfTimeError(f"{subject}: {call} failed to the last ({_said(error)})") from None


def briefly() -> Deadline:
    """For what is asked before anything is begun: a wrong endpoint looks like an outage, and is to be told at once."""
    return Deadline.after(_BRIEFLY_SECONDS)


_BRIEFLY_SECONDS = 10.0
ASKED_ONCE = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 1})
"""For a client whose calls go through ``ask``: trying again is done where the deadline is known."""


def aws_error(error: BotoCoreError | ClientError, call: str, subject: str) -> ConfigurationError:
    """What to tell somebody whose call AWS refused."""
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
    "Expired": "renew your AWS credentials, and run the command again: it goes on where it stopped",
    "UnrecognizedClient": "check your AWS credentials",
    "InvalidClientTokenId": "check your AWS credentials",
    "AccessDenied": "allow it to whoever runs this",
    "ResourceNotFound": "check the name, the Region and the account",
    "NonExistent": "check the name, the Region and the account",
    "NoSuch": "check the name, the Region and the account",
    "PointInTimeRecoveryUnavailable": "switch on point-in-time recovery for the table, or work without an export",
}
