"""The errors of a trial, and what an AWS error means to the person who started it."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
WRONG = ("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidAccessKeyId")
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "NotAuthorized")
THROTTLED = ("Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown")
LACKING = ("NotImplemented", "InternalFailure", "InternalError", "UnknownOperationException", "InvalidAction")
"""What an emulator answers to a call that it doesn't have."""

_ADVICE: tuple[tuple[tuple[type[BotoCoreError], ...], str], ...] = (
    (
        (NoCredentialsError, PartialCredentialsError),
        (
            "no AWS credentials were found: give a profile, PROFILE=NAME (`aws configure list-profiles` lists yours), "
            "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ),
    ),
    ((ProfileNotFound,), "{}: `aws configure list-profiles` lists yours"),
    ((NoRegionError,), "no AWS Region was found: give REGION=us-east-1, or set one in the profile"),
    (
        (SSOTokenLoadError, UnauthorizedSSOTokenError, TokenRetrievalError),
        "the profile's single sign-on has expired: run `aws sso login --profile NAME`, then try again",
    ),
    ((EndpointConnectionError,), "AWS can't be reached: {}"),
)


class TrialError(Exception):
    """The trial can't go on. The message says what is wrong, the value, and what to do."""


class NotProvenError(TrialError):
    """A check looked, and saw something else than what it must see."""


class NotRunError(TrialError):
    """A check couldn't look."""


def code_of(error: Exception) -> str:
    """Return AWS's code of an error; an empty text if it isn't AWS's."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def is_denied(code: str) -> bool:
    """Whether AWS's code means that a right is missing."""
    return code in DENIED or "AccessDenied" in code


def explained(error: Exception) -> str:
    """Return one line that says what is wrong and, for credentials, what to do."""
    code = code_of(error)
    if code in EXPIRED:
        return "the AWS credentials have expired: renew them, then try again"
    if code in WRONG:
        return f"AWS doesn't accept the credentials ({code}): check the profile or the keys"
    advice = next((advice for kinds, advice in _ADVICE if isinstance(error, kinds)), "{}")
    return advice.format(str(error).strip().partition("\n")[0])


def outcome(error: Exception) -> NotProvenError | NotRunError:
    """Return what an error of AWS's in the middle of a check means: it failed, or it couldn't look."""
    if is_denied(code_of(error)):
        return NotRunError(f"these credentials don't have the right: {explained(error)}")
    if code_of(error) in LACKING:
        return NotRunError(f"AWS, or the emulator in its place, doesn't do this: {explained(error)}")
    if isinstance(error, ClientError | BotoCoreError):
        return NotProvenError(explained(error))
    return NotProvenError(f"{type(error).__name__}: {explained(error)}")
