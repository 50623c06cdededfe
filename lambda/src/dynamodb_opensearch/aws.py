"""What the AWS SDK says when it fails, in AWS's own word for it."""

from botocore.exceptions import BotoCoreError, ClientError


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
