"""Finds the table and the indices: from options, else from the deployed function, else from environment variables."""

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_opensearch.aws import aws_error, credentials_advice
from dynamodb_opensearch.cli.target.flags import TargetFlags, option_of
from dynamodb_opensearch.cli.target.layers import LayerCode, check_layers, refuse_without_function, use_layers
from dynamodb_opensearch.cli.target.terraform import function_of
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError, OutOfTimeError
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.dynamodb import wire
from dynamodb_opensearch.dynamodb.description import describe_table
from dynamodb_opensearch.jobs.sync import Sync, open_sync
from dynamodb_opensearch.parameter import with_indices
from dynamodb_opensearch.settings import Settings, plain_indices, read_settings

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
"""Option -> the variable with the same meaning, which is the function's own."""

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
_INDICES = ("INDEX", "INDICES")


@dataclass(frozen=True, slots=True)
class Function:
    """The deployed function."""

    name: str
    qualified: str
    """The name with the version or alias, if one was given: that is what reads the stream."""
    account: str | None
    """None if it wasn't given by its ARN, so that it is in the account of the credentials."""
    log_group: str
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a command works on."""

    settings: Settings
    """About the indices that the command works on."""
    function: Function | None = None
    """None if no function was named."""
    flags: TargetFlags = field(default_factory=TargetFlags)
    holds: Mapping[str, Any] = field(default_factory=dict)
    """What each index of the sync is to hold, as INDICES says it."""
    code: LayerCode | None = None
    """Where the transforms' code comes from; None if no index has a transform."""

    def select(self, indices: Collection[str]) -> "Configuration":
        """Return the configuration for work on some of the indices; on all of them, if none is named.

        Raises:
            ConfigurationError: the sync has no such index.
        """
        return replace(self, settings=self.settings.select(indices))

    def moved(self) -> str | None:
        """Ask the function again. Return what has changed so that the indices are to hold something else, or None.

        Raises:
            ConfigurationError, OutOfTimeError: it can't be asked.
        """
        if self.function is None:
            return None
        # With INDICES, --index only chooses among them. There may be one INDEX by now, which it would override.
        flags = self.flags if len(self.holds) == 1 else replace(self.flags, index=None)
        holds = _holds(_Sources.read(flags).environment())
        for index in self.settings.indices:
            if holds.get(index) != self.holds.get(index):
                return f"what the index {index} is to hold was changed, or it isn't an index of the sync any more"
        return None

    def check_code(self) -> None:
        """Check that the transforms' code is still the same.

        Raises:
            ConfigurationError: it isn't.
            OutOfTimeError: the function can't be asked.
        """
        if self.code:
            check_layers(self.code)


def configure(flags: TargetFlags) -> Configuration:
    """Combine options, function and variables. Set the Region for all AWS clients of this process and its children.

    Raises:
        ConfigurationError: something is missing or wrong, or the function can't be asked.
    """
    sources = _Sources.read(flags)
    function, given = sources.function, sources.given
    environment = sources.environment()
    _check_ca_file(environment, given, function)
    if not environment.get("TABLE_KEYS"):
        described = describe_table(wire.connect(connections=1), environment["TABLE_NAME"])
        environment["TABLE_KEYS"] = KeySchema(tuple(described.key_types)).spell()
    holds = _holds(environment)
    code = _transforms_code(holds, sources.named)  # before the settings are read, which imports the transforms
    environment["TRANSFORM_LAYERS"] = code.fingerprint if code else ""
    try:
        settings = read_settings(environment)
        _check_path(settings)
    except ConfigurationError as error:
        raise ConfigurationError(_with_source(str(error), given, function)) from None
    if environment.get("INDICES") and flags.index:
        try:
            settings = settings.select(flags.index)
        except ConfigurationError as error:
            raise ConfigurationError(f"--index {error}") from None
    if function and "TABLE_NAME" not in given:
        _check_account(settings, function)
    return Configuration(settings, function, flags, holds, code)


@dataclass(frozen=True, slots=True)
class _Sources:
    """Where settings come from, the most specific first: options, function, the user's variables."""

    given: Mapping[str, str]
    named: str | None
    """The function's name or ARN, as it was given."""
    function: Function | None
    ours: Mapping[str, str]

    @classmethod
    def read(cls, flags: TargetFlags) -> "_Sources":
        named = _named_function(flags)
        _choose_region(flags, named)
        function = read_function(named) if named else None
        names = (*VARIABLES.values(), "INDICES", *_TUNING)
        ours = {name: os.environ[name] for name in names if os.environ.get(name)}
        given = {VARIABLES[name]: value for name in VARIABLES if (value := getattr(flags, name)) is not None}
        indices = given.pop("INDEX", None)
        chosen = dict.fromkeys(indices or ())
        if chosen and not _indices_of(function.environment if function else {}, ours).get("INDICES"):
            if len(chosen) > 1:
                raise ConfigurationError(
                    f"--index is given for {', '.join(chosen)}, and the sync has one index: give one. A sync of "
                    "several has INDICES in its function's environment, or in yours if you name no function"
                )
            given |= dict(zip(("INDEX",), chosen, strict=True))
        return cls(given, named, function, ours)

    def environment(self) -> dict[str, str]:
        """Return the variables that they make together.

        Raises:
            ConfigurationError: one is missing, or the parameter with INDICES can't be read.
        """
        theirs = self.function.environment if self.function else {}
        environment = {**self.ours, **theirs}
        for name in (*_INDICES, "LOG_LEVEL", "SKIP_UNCHANGED"):  # the last two are the function's own
            environment.pop(name, None)
        environment |= {**_indices_of(theirs, self.ours), **self.given}
        environment["AWS_REGION"] = os.environ.get("AWS_REGION", "")
        _check_nothing_is_missing(environment)
        try:
            return dict(with_indices(environment))
        except ConfigurationError as error:
            source = _with_source(str(error), self.given, self.function)
            raise ConfigurationError(
                f"{source}; this command reads the parameter with your credentials, which need ssm:GetParameter"
            ) from None
        except OutOfTimeError as error:
            raise ConfigurationError(_with_source(str(error), self.given, self.function)) from None


def _indices_of(*sources: Mapping[str, str]) -> Mapping[str, str]:
    """Return INDEX or INDICES of the first source that has one: two sources are never mixed."""
    found = ({name: source[name] for name in _INDICES if source.get(name)} for source in sources)
    return next(filter(None, found), {})


def _holds(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what each index is to hold; empty if INDICES is wrong, which ``read_settings`` reports."""
    if not environment.get("INDICES"):
        return {environment["INDEX"]: {}}
    try:
        found = json.loads(plain_indices(environment["INDICES"]))
        return {
            index: {name: value for name, value in spec.items() if value is not None and name != "standby"}
            for index, spec in found.items()
        }
    except (AttributeError, RecursionError, ValueError):
        return {}


def _transforms_code(holds: Mapping[str, Any], named: str | None) -> LayerCode | None:
    """Fetch the code of all transforms, so that they can be imported: the very code that the function runs."""
    transforms = {name for spec in holds.values() if isinstance(name := spec.get("transform"), str) and name}
    if not transforms:
        return None
    if named is None:
        raise refuse_without_function(transforms)
    return use_layers(named, transforms)


def read_function(named: str) -> Function:
    """Ask Lambda for a function's environment.

    Raises:
        ConfigurationError: there is no such function, it can't be read, or it isn't a sync.
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
            "allow your credentials kms:Decrypt on its key, or give --endpoint, --table and --index instead"
        )
    environment = answer.get("Environment", {}).get("Variables", {})
    if "OPENSEARCH_ENDPOINT" not in environment:
        raise ConfigurationError(f"{subject} isn't a sync: its environment has no OPENSEARCH_ENDPOINT; name another")
    name = str(answer["FunctionName"])
    log_group = answer.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}"
    parts = named.split(":")
    account = parts[4] if parts[0] == "arn" else None
    # name:alias, 123456789012:function:name:alias, arn:aws:lambda:eu-west-1:123456789012:function:name:alias
    qualified = f"{name}:{parts[-1]}" if len(parts) in {2, 4, 8} else name
    return Function(name, qualified, account, log_group, {"SYNC_NAME": name, **environment})


def _named_function(flags: TargetFlags) -> str | None:
    """Return the function named by an option, else by a variable: ``--terraform`` wins over a variable."""
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
    if region:  # boto3 reads the second, the settings read the first
        os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = region


def _profile_region() -> str | None:
    try:
        region: str | None = boto3.Session().region_name
    except BotoCoreError as error:
        reason = f"your AWS configuration can't be used: {error}{credentials_advice(error)}"
        raise ConfigurationError(reason) from None
    return region


def _check_nothing_is_missing(environment: Mapping[str, str]) -> None:
    missing = [name for name in _NEEDED if not environment.get(VARIABLES[name])]
    if environment.get("INDICES"):
        missing = [name for name in missing if name != "index"]
    if missing:
        options = ", ".join(f"{option_of(name)} ({VARIABLES[name]})" for name in missing)
        raise ConfigurationError(
            f"not given: {options}. Name the deployed function, whose settings have them all: --function NAME, or "
            "--terraform DIR to find it in the Terraform output. Or give these options, or set these variables"
        )


def _check_ca_file(environment: Mapping[str, str], given: Mapping[str, str], function: Function | None) -> None:
    """Check the CA file. The function's own is in its package or layer, so it probably isn't on this machine."""
    path = environment.get("OPENSEARCH_CA_FILE")
    if path and function and "OPENSEARCH_CA_FILE" not in given and not Path(path).exists():
        raise ConfigurationError(
            f"the function {function.name} trusts OpenSearch by the file {path}, which isn't on this machine: "
            "give a copy of it with --ca-file FILE"
        )


def _check_path(settings: Settings) -> None:
    """Refuse a URL copied from a browser, whose path isn't the API's. Any other path may be a proxy's."""
    parts = urlsplit(settings.endpoint)
    if parts.path.startswith("/_") or parts.path.strip("/") in settings.indices:
        raise ConfigurationError(
            f"OPENSEARCH_ENDPOINT is {settings.endpoint!r}: remove the path {parts.path}: "
            f"{parts._replace(path='').geturl()}"
        )


def _check_account(settings: Settings, function: Function) -> None:
    """Check that the table is in the function's account: in the credentials' account, its name may mean another."""
    if function.account is None or settings.table_name.startswith("arn:"):
        return
    try:
        arn = describe_table(wire.connect(connections=1), settings.table_name).arn
    except ConfigurationError:
        return  # the commands that need the table report it
    account = arn.split(":")[4]
    if account != function.account:
        raise ConfigurationError(
            f"the function {function.name} is in the account {function.account}, but the table {settings.table_name} "
            f"that your credentials reach is in {account}: use credentials of {function.account}, or name the table "
            "that you mean with --table ARN"
        )


def _with_source(message: str, given: Mapping[str, str], function: Function | None) -> str:
    """Name the option or the function that the wrong value comes from."""
    variable = message.partition(" ")[0]
    if variable in given:
        option = next(name for name, its_variable in VARIABLES.items() if its_variable == variable)
        return option_of(option) + message.removeprefix(variable)
    if function and variable in function.environment:
        return f"the function {function.name}'s {message}"
    return message


def connected(flags: TargetFlags) -> Sync:
    """Open the sync for a command whose user waits: its deadline is shorter than a job's."""
    return open_sync(configure(flags).settings, deadline=lambda: Deadline.after(60))
