"""The settings, from environment variables. An error names the variable, its value and what is allowed."""

import base64
import gzip
import re
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlsplit

from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.core.projections import Projection, parse_projections


class Auth(StrEnum):
    """How requests to OpenSearch are authenticated."""

    SIGV4 = "sigv4"
    BASIC = "basic"
    NONE = "none"


class Service(StrEnum):
    """SigV4's service name: ``es`` for a domain, ``aoss`` for a serverless collection."""

    ES = "es"
    AOSS = "aoss"


class LogLevel(StrEnum):
    """The lowest level that is logged."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class Switch(StrEnum):
    """On or off."""

    TRUE = "true"
    FALSE = "false"


class Compression(StrEnum):
    """How request bodies are compressed."""

    NONE = "none"
    GZIP = "gzip"


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings; see ``read_settings`` for their names in the environment."""

    endpoint: str
    auth: Auth
    service: Service
    secret_arn: str | None
    ca_file: str | None
    region: str | None
    table_name: str
    key_schema: KeySchema
    projections: tuple[Projection, ...]
    """What each index holds; one or more."""
    unselected: tuple[str, ...]
    """Indices of the sync that a command or job leaves alone."""
    dead_letter_arn: str | None
    sync_name: str
    log_level: LogLevel
    bulk_bytes: int
    bulk_actions: int
    bulk_connections: int
    compression: Compression
    conflict_window_seconds: int
    request_timeout_seconds: int

    @property
    def indices(self) -> tuple[str, ...]:
        """The names of the indices, or of the aliases that are written to."""
        return tuple(projection.index for projection in self.projections)

    def select(self, indices: Collection[str]) -> "Settings":
        """The settings for work on some of the indices; on all of them, if none is named.

        Raises:
            ConfigurationError: the sync has no such index.
        """
        if unknown := sorted(set(indices) - set(self.indices)):
            raise ConfigurationError(
                f"{', '.join(unknown)}: the sync has no such index; its indices are {', '.join(self.indices)}"
            )
        chosen = tuple(projection for projection in self.projections if not indices or projection.index in indices)
        left = tuple(projection.index for projection in self.projections if projection not in chosen)
        return replace(self, projections=chosen, unselected=(*self.unselected, *left))


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings that an environment such as ``os.environ`` holds.

    Raises:
        ConfigurationError: a variable is missing or wrong.
    """
    read = _Reader(environment)
    key_schema = read.keys("TABLE_KEYS")
    auth = read.choice("OPENSEARCH_AUTH", Auth, Auth.SIGV4)
    settings = Settings(
        endpoint=read.url("OPENSEARCH_ENDPOINT"),
        auth=auth,
        service=read.choice("OPENSEARCH_SERVICE", Service, Service.ES),
        secret_arn=read.text("OPENSEARCH_SECRET_ARN", _SECRET_ARN, "the ARN of a secret", required=auth is Auth.BASIC),
        ca_file=read.text("OPENSEARCH_CA_FILE", r".+", "the path of a PEM file"),
        region=read.text("AWS_REGION", r"[a-z0-9-]+", "an AWS Region", required=auth is Auth.SIGV4),
        table_name=read.required("TABLE_NAME", _TABLE, "a table's name or ARN"),
        key_schema=key_schema,
        projections=read.projections(key_schema),
        unselected=(),
        dead_letter_arn=read.text(
            "DEAD_LETTER_ARN", f"{_QUEUE_OR_TOPIC}|{_BUCKET}", "the ARN of an SQS queue, SNS topic or S3 bucket"
        ),
        sync_name=environment.get("SYNC_NAME") or environment.get("AWS_LAMBDA_FUNCTION_NAME") or "sync",
        log_level=read.choice("LOG_LEVEL", LogLevel, LogLevel.INFO),
        bulk_bytes=read.integer("BULK_BYTES", 3 * 1024**2, 64 * 1024, 10 * 1024**2),
        bulk_actions=read.integer("BULK_ACTIONS", 500, 1, 10_000),
        bulk_connections=read.integer("BULK_CONNECTIONS", 2, 1, 8),
        compression=read.choice("COMPRESSION", Compression, Compression.NONE),
        conflict_window_seconds=read.integer("CONFLICT_WINDOW_SECONDS", 60, 10, 3600),
        request_timeout_seconds=read.integer("REQUEST_TIMEOUT_SECONDS", 20, 1, 300),
    )
    if settings.auth is Auth.BASIC and not settings.endpoint.startswith("https://"):
        raise ConfigurationError(
            f"OPENSEARCH_ENDPOINT is {settings.endpoint!r}: basic auth needs https://, or the password travels in clear"
        )
    return settings


_SECRET_ARN = r"arn:[a-z0-9-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:.+"  # noqa: S105 (a pattern)
_TABLE = r"[A-Za-z0-9_.-]{3,255}|arn:[a-z0-9-]+:dynamodb:[a-z0-9-]+:\d{12}:table/[A-Za-z0-9_.-]{3,255}"
_NAME = "an index or alias name: lower case, no spaces, not starting with - _ +"
_INDEX = r"(?![-_+])(?!\.{1,2}\Z)[^A-Z\s\"*+\\/|,?<>#:]{1,255}"
_QUEUE_OR_TOPIC = r"arn:[a-z0-9-]+:(?:sqs|sns):[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}"
_BUCKET = r"arn:[a-z0-9-]+:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"


_Choice = TypeVar("_Choice", bound=StrEnum)


class _Reader:
    """Reads an environment's variables, with a method for each kind."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str, pattern: str, allowed: str, *, required: bool = False) -> str | None:
        value = self._environment.get(name, "")
        if not value and not required:
            return None
        if not re.fullmatch(pattern, value):
            raise _wrong(name, value, allowed)
        return value

    def required(self, name: str, pattern: str, allowed: str) -> str:
        value = self.text(name, pattern, allowed, required=True)
        assert value is not None  # noqa: S101 (for the type checker)
        return value

    def url(self, name: str) -> str:
        allowed = "a URL such as https://search-products.eu-west-1.es.amazonaws.com"
        value = self._environment.get(name, "")
        try:
            parts = urlsplit(value)
            fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
            fine = fine and not re.search(r"[@?#\s]", value)
        except ValueError:
            fine = False
        if not fine:
            raise _wrong(name, "" if "@" in value else value, allowed + ", without user or password")
        return value.rstrip("/")

    def keys(self, name: str) -> KeySchema:
        value = self._environment.get(name, "")
        try:
            return KeySchema.parse(value)
        except ValueError:
            raise _wrong(name, value, 'pk or pk,sk, or as a JSON list ["pk","a,b"]') from None

    def projections(self, schema: KeySchema) -> tuple[Projection, ...]:
        skip_unchanged = self.choice("SKIP_UNCHANGED", Switch, Switch.FALSE) is Switch.TRUE
        text = self._environment.get("INDICES", "")
        if not text:
            index = self.required("INDEX", _INDEX, f"{_NAME}; or INDICES must be set, for several indices")
            return (Projection(index, skip_unchanged=skip_unchanged),)
        if index := self._environment.get("INDEX", ""):
            raise ConfigurationError(f"INDEX is {index!r}, and INDICES is set: give only one of the two")
        try:
            code = self._environment.get("TRANSFORM_LAYERS", "")
            projections = parse_projections(plain_indices(text), schema, skip_unchanged=skip_unchanged, code=code)
        except ValueError as error:
            raise ConfigurationError(f"INDICES is wrong: {error}") from None
        for projection in projections:
            if not re.fullmatch(_INDEX, projection.index):
                raise ConfigurationError(f"INDICES has the name {projection.index!r}: it must be {_NAME}")
        return projections

    def choice(self, name: str, kind: type[_Choice], default: _Choice) -> _Choice:
        value = self._environment.get(name) or default
        try:
            return kind(value)
        except ValueError:
            raise _wrong(name, value, "one of " + ", ".join(kind)) from None

    def integer(self, name: str, default: int, minimum: int, maximum: int) -> int:
        value = self._environment.get(name) or str(default)
        if not (value.isascii() and value.isdigit() and minimum <= int(value) <= maximum):
            raise _wrong(name, value, f"a whole number from {minimum} to {maximum}")
        return int(value)


def plain_indices(text: str) -> str:
    """The JSON of INDICES, which may be the base64 text of its gzip, because Lambda's environment takes 4 KB in all.

    Raises:
        ValueError: it is neither.
    """
    if text.lstrip()[:1] == "{":
        return text
    try:
        return gzip.decompress(base64.b64decode(text, validate=True)).decode()
    except (EOFError, OSError, ValueError, zlib.error):
        raise ValueError(
            f"it is {text[:200]!r}, which is neither a JSON object nor the base64 text of its gzip"
        ) from None


def _wrong(name: str, value: str, allowed: str) -> ConfigurationError:
    return ConfigurationError(f"{name} {'is ' + repr(value) if value else 'is not set'}: it must be {allowed}")
