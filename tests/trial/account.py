"""The AWS account and Region of a trial: clients for it, and the environment that leads other programs to it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from trial.errors import TrialError, explained

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_DEFAULT_PROFILE")


@dataclass(frozen=True, slots=True)
class Account:
    """An account, as the credentials see it."""

    id: str
    region: str
    profile: str | None
    session: Any

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
        account = session.client("sts", config=Config(connect_timeout=10)).get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise TrialError(explained(error)) from error
    return Account(str(account), str(session.region_name), profile, session)
