"""The AWS account and Region of a trial: clients for it, and the environment that leads other programs to it."""

import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from trial.errors import TrialError, explained

KEYS = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
    *("AWS_CREDENTIAL_EXPIRATION", "AWS_DEFAULT_PROFILE"),
)
RUN_MINUTES = 75
SAFE_SECONDS = 7200
"""What credentials that nothing renews must still be valid for, if no one is asked."""
_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws", ".c2s.ic.gov", ".sc2s.sgov.gov")


@dataclass(frozen=True, slots=True)
class Keys:
    """How long the credentials are good for."""

    temporary: bool
    """Whether they end, and nothing renews them."""
    end: dt.datetime | None = None
    """When they end, if that is known."""

    def advice(self) -> str:
        """Return what to know before a run begins; nothing if they last."""
        if not self.temporary:
            return ""
        end = f"They end at {self.end:%H:%M} UTC" if self.end else "When they end isn't known"
        return f"temporary, and nothing renews them. {end}; a run needs about {RUN_MINUTES} minutes"

    def must_last(self) -> None:
        """Check that a run that asks no one can destroy what it creates.

        Raises:
            TrialError: they may end before.
        """
        left = (self.end - dt.datetime.now(dt.UTC)).total_seconds() if self.end else 0.0
        if self.temporary and left <= SAFE_SECONDS:
            raise TrialError(
                f"the credentials are {self.advice()}, and would leave everything in place: nothing was created; give "
                "a profile that renews them, or set AWS_CREDENTIAL_EXPIRATION to an end over 2 hours away"
            )


@dataclass(frozen=True, slots=True)
class Account:
    """An account, as the credentials see it."""

    id: str
    region: str
    profile: str | None
    session: Any
    emulator: bool = False
    """Whether something else answers in AWS's place: an endpoint is set, and it isn't AWS's."""
    keys: "Keys" = field(default_factory=lambda: Keys(temporary=False))

    def client(self, service: str) -> Any:
        """Return boto3's client; it waits for no answer longer than a minute."""
        config = Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard", "max_attempts": 5})
        return self.session.client(service, config=config)

    def environment(self) -> dict[str, str]:
        """Return the variables that make the AWS CLI, SDKs and Terraform use the same account and Region."""
        return aws_variables(os.environ, self.profile) | {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}


def aws_variables(environment: Mapping[str, str], profile: str | None) -> dict[str, str]:
    """Return the environment's AWS settings; with a profile, without the keys that some programs would prefer to it."""
    own = {name: value for name, value in environment.items() if name.startswith("AWS_")}
    if profile is None:
        return own
    return {name: value for name, value in own.items() if name not in KEYS} | {"AWS_PROFILE": profile}


def open_account(profile: str | None, region: str | None) -> Account:
    """Ask AWS whose credentials these are.

    Raises:
        TrialError: there are none, they aren't accepted, or no Region is set.
    """
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        if session.region_name is None:
            raise NoRegionError
        sts = session.client("sts", config=Config(connect_timeout=10))
        account = sts.get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise TrialError(explained(error)) from error
    emulator = not is_aws(sts.meta.endpoint_url)
    return Account(str(account), str(session.region_name), profile, session, emulator, _keys(session.get_credentials()))


def is_aws(url: str) -> bool:
    """Whether an endpoint is AWS's own."""
    return (urlsplit(url).hostname or "").endswith(_AWS)


def _keys(credentials: Any) -> Keys:
    """Return how long they last: botocore renews some; those of the environment are what they are."""
    renewed = isinstance(credentials, RefreshableCredentials)
    if credentials is None or not credentials.token or (renewed and credentials.method != "env"):
        return Keys(temporary=False)
    try:
        end = dt.datetime.fromisoformat(os.environ.get("AWS_CREDENTIAL_EXPIRATION", "") if renewed else "")
    except ValueError:
        return Keys(temporary=True)
    return Keys(temporary=True, end=end.astimezone(dt.UTC) if end.tzinfo else end.replace(tzinfo=dt.UTC))
