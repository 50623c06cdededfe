"""What the AWS SDK says when it fails, in AWS's own word for it."""

from botocore.exceptions import BotoCoreError, ClientError


def code_of(error: BotoCoreError | ClientError) -> str:
    """AWS's word for it, such as AccessDeniedException."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
