"""Which table and which index: from options, else from the deployed function, else from the process's environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_opensearch import wire
from dynamodb_opensearch.cli.flags import TargetFlags, option_of
from dynamodb_opensearch.cli.terraform import function_of
from dynamodb_opensearch.documents import KeySchema
from dynamodb_opensearch.errors import ConfigurationError
from dynamodb_opensearch.jobs.pair import aws_error, describe_table
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
        return Configuration(read_settings(environment), function)
    except ConfigurationError as error:
        raise ConfigurationError(_with_source(str(error), given, function)) from None


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
    environment = answer.get("Environment", {}).get("Variables", {})
    if "OPENSEARCH_ENDPOINT" not in environment:
        raise ConfigurationError(f"{subject} isn't a sync: its environment has no OPENSEARCH_ENDPOINT; give another")
    name = str(answer["FunctionName"])
    log_group = answer.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}"
    return Function(name, log_group, {"SYNC_NAME": name, **environment})


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
        raise ConfigurationError(f"your AWS configuration can't be used: {error}") from None
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


def _with_source(message: str, given: Mapping[str, str], function: Function | None) -> str:
    """The message with the option, or the function, that the wrong value is from."""
    variable = message.partition(" ")[0]
    if variable in given:
        option = next(name for name, one in VARIABLES.items() if one == variable)
        return option_of(option) + message.removeprefix(variable)
    if function and variable in function.environment:
        return f"the function {function.name}'s {message}"
    return message
