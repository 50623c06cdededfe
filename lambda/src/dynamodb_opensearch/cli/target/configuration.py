"""Which table and which index: from options, else from the deployed function, else from the process's environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_opensearch.aws import aws_error, credentials_advice
from dynamodb_opensearch.cli.target.flags import TargetFlags, option_of
from dynamodb_opensearch.cli.target.terraform import function_of
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.dynamodb import wire
from dynamodb_opensearch.dynamodb.description import describe_table
from dynamodb_opensearch.jobs.sync import Sync, open_sync
from dynamodb_opensearch.settings import Settings, read_settings

VARIABLES = {
    "endpoint": "OPENSEARCH_ENDPOINT",
    "auth": "OPENSEARCH_AUTH",
    "service": "OPENSEARCH_SERVICE",
    "secret_arn": "OPENSEARCH_SECRET_ARN",
    "ca_file": "OPENSEARCH_CA_FILE",
    "table": "TABLE_NAME",
    "keys": "TABLE_KEYS",
    "index": "INDEX",
    "region": "AWS_REGION",
    "dead_letters": "DEAD_LETTER_ARN",
}
"""Option -> the variable that says the same: the function's own."""

_TUNING = (
    "BULK_ACTIONS",
    "BULK_BYTES",
    "BULK_CONNECTIONS",
    "COMPRESSION",
    "CONFLICT_WINDOW_SECONDS",
    "REQUEST_TIMEOUT_SECONDS",
    "SYNC_NAME",
)
_NEEDED = ("endpoint", "table", "index", "region")


@dataclass(frozen=True, slots=True)
class Function:
    """The deployed function."""

    name: str
    qualified: str
    """With its version or alias, if one was named: that is what reads the stream."""
    account: str | None
    """None: nobody named it by its ARN, so it is of the account that the credentials are of."""
    log_group: str
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a command works on."""

    settings: Settings
    function: Function | None
    """None: nobody named one."""


def configure(flags: TargetFlags) -> Configuration:
    """Put together what is known. The Region is set for all AWS clients of this process and its children.

    Raises:
        ConfigurationError: something is missing or wrong, or the function can't be asked.
    """
    named = _named_function(flags)
    _choose_region(flags, named)
    function = read_function(named) if named else None
    given = {VARIABLES[name]: value for name in VARIABLES if (value := getattr(flags, name)) is not None}
    ours = {name: os.environ[name] for name in (*VARIABLES.values(), *_TUNING) if os.environ.get(name)}
    environment = {**ours, **(function.environment if function else {}), **given}
    environment["AWS_REGION"] = os.environ.get("AWS_REGION", "")
    environment.pop("LOG_LEVEL", None)  # the function's own
    _check_nothing_is_missing(environment)
    _check_ca_file(environment, given, function)
    if not environment.get("TABLE_KEYS"):
        described = describe_table(wire.connect(connections=1), environment["TABLE_NAME"])
        environment["TABLE_KEYS"] = KeySchema(tuple(described.key_types)).spell()
    try:
        settings = read_settings(environment)
        _check_path(settings)
    except ConfigurationError as error:
        raise ConfigurationError(_with_source(str(error), given, function)) from None
    if function and "TABLE_NAME" not in given:
        _check_account(settings, function)
    return Configuration(settings, function)


def read_function(named: str) -> Function:
    """Ask Lambda for a function's environment.

    Raises:
        ConfigurationError: there is no such function, it can't be asked for, or isn't a sync.
    """
    subject = f"the function {named!r}"
    try:
        client = boto3.client("lambda", config=Config(retries={"mode": "standard"}, connect_timeout=5))
        answer: Mapping[str, Any] = client.get_function_configuration(FunctionName=named)
    except (BotoCoreError, ClientError) as error:
        raise aws_error(error, "GetFunctionConfiguration", subject) from None
    if hidden := answer.get("Environment", {}).get("Error"):
        raise ConfigurationError(
            f"{subject}: its environment can't be decrypted ({hidden.get('ErrorCode')}: {hidden.get('Message')}); "
            "allow kms:Decrypt on its key to whoever runs this, or give --endpoint, --table and --index instead"
        )
    environment = answer.get("Environment", {}).get("Variables", {})
    if "OPENSEARCH_ENDPOINT" not in environment:
        raise ConfigurationError(f"{subject} isn't a sync: its environment has no OPENSEARCH_ENDPOINT; give another")
    name = str(answer["FunctionName"])
    log_group = answer.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}"
    parts = named.split(":")
    account = parts[4] if parts[0] == "arn" else None
    # name:alias, 123456789012:function:name:alias, arn:aws:lambda:eu-west-1:123456789012:function:name:alias
    qualified = f"{name}:{parts[-1]}" if len(parts) in {2, 4, 8} else name
    return Function(name, qualified, account, log_group, {"SYNC_NAME": name, **environment})


def _named_function(flags: TargetFlags) -> str | None:
    """By an option, else by a variable: ``--terraform`` wins over a variable that names the function."""
    if flags.function:
        return flags.function
    if flags.terraform:
        return function_of(flags.terraform)
    if name := os.environ.get("DYNAMODB_OPENSEARCH_FUNCTION"):
        return name
    folder = os.environ.get("DYNAMODB_OPENSEARCH_TERRAFORM")
    return function_of(Path(folder)) if folder else None


def _choose_region(flags: TargetFlags, named: str | None) -> None:
    arns = [text.split(":") for text in (named, flags.table, os.environ.get("TABLE_NAME")) if text]
    region = (
        flags.region
        or next((parts[3] for parts in arns if len(parts) > 5 and parts[0] == "arn"), None)
        or os.environ.get("AWS_REGION")
        or os.environ.get("AWS_DEFAULT_REGION")
        or _profile_region()
    )
    if region:  # the SDK reads the one, the settings the other
        os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = region


def _profile_region() -> str | None:
    try:
        region: str | None = boto3.Session().region_name
    except BotoCoreError as error:
        told = f"your AWS configuration can't be used: {error}{credentials_advice(error)}"
        raise ConfigurationError(told) from None
    return region


def _check_nothing_is_missing(environment: Mapping[str, str]) -> None:
    missing = [name for name in _NEEDED if not environment.get(VARIABLES[name])]
    if missing:
        options = ", ".join(f"{option_of(name)} ({VARIABLES[name]})" for name in missing)
        raise ConfigurationError(
            f"not given: {options}. Name the deployed function, which knows it all: --function NAME, or "
            "--terraform DIR to find it in the Terraform output. Or give these options, or set these variables"
        )


def _check_ca_file(environment: Mapping[str, str], given: Mapping[str, str], function: Function | None) -> None:
    """The function's file is one of its package or layer, so it is hardly here too."""
    path = environment.get("OPENSEARCH_CA_FILE")
    if path and function and "OPENSEARCH_CA_FILE" not in given and not Path(path).exists():
        raise ConfigurationError(
            f"the function {function.name} trusts OpenSearch by the file {path}, which isn't on this machine: "
            "give a copy of it with --ca-file FILE"
        )


def _check_path(settings: Settings) -> None:
    """A URL from a browser's address line isn't the API's. Any other path may be a proxy's."""
    parts = urlsplit(settings.endpoint)
    if parts.path.startswith("/_") or parts.path.strip("/") == settings.index:
        raise ConfigurationError(
            f"OPENSEARCH_ENDPOINT is {settings.endpoint!r}: take the path {parts.path} off: "
            f"{parts._replace(path='').geturl()}"
        )


def _check_account(settings: Settings, function: Function) -> None:
    """A table's name is looked up where the credentials are of: there it may be another table of the same name."""
    if function.account is None or settings.table_name.startswith("arn:"):
        return
    try:
        arn = describe_table(wire.connect(connections=1), settings.table_name).arn
    except ConfigurationError:
        return  # whoever needs the table says so
    account = arn.split(":")[4]
    if account != function.account:
        raise ConfigurationError(
            f"the function {function.name} is of the account {function.account}, but the table {settings.table_name} "
            f"that your credentials reach is of {account}: use credentials of {function.account}, or name the table "
            "that you mean with --table ARN"
        )


def _with_source(message: str, given: Mapping[str, str], function: Function | None) -> str:
    """The message with the option, or the function, that the wrong value is from."""
    variable = message.partition(" ")[0]
    if variable in given:
        option = next(name for name, one in VARIABLES.items() if one == variable)
        return option_of(option) + message.removeprefix(variable)
    if function and variable in function.environment:
        return f"the function {function.name}'s {message}"
    return message


def connected(flags: TargetFlags) -> Sync:
    """The sync, for a command whose user waits: it is less patient than a job."""
    return open_sync(configure(flags).settings, deadline=lambda: Deadline.after(60))
