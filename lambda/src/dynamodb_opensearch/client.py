"""The one way to OpenSearch: authentication, TLS, and which failures heal by themselves."""

import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from opensearchpy import JSONSerializer, OpenSearch, RequestsHttpConnection
from opensearchpy.exceptions import ConnectionError as OpenSearchConnectionError
from opensearchpy.exceptions import SerializationError, TransportError
from requests.auth import AuthBase
from requests_aws4auth import AWS4Auth

from dynamodb_opensearch.answers import Answer, describe, reason_of
from dynamodb_opensearch.aws import code_of
from dynamodb_opensearch.errors import ConfigurationError, SyncError
from dynamodb_opensearch.settings import Auth, Compression, Settings


class UnreachableError(SyncError):
    """No answer came: whether the request was carried out is unknown. It may work later."""


class RefusedError(SyncError):
    """OpenSearch answered with an error. ``heals`` says whether the same request may work later."""

    def __init__(self, request: str, status: int, body: Any) -> None:
        self.status = status
        self.heals = status in {408, 429} or status >= 500
        self.reason_text = reason_of(body)
        """OpenSearch's own words, to be shown only of a request that holds no item, such as an index's definition."""
        error = body.get("error", body) if isinstance(body, Mapping) else body
        super().__init__(f"OpenSearch answered {status} to {request} ({describe(error)})")


class Client:
    """Sends requests to one endpoint over kept-alive connections. Made without I/O; threads may share it."""

    def __init__(self, settings: Settings, connections: int | None = None) -> None:
        self._settings = settings
        self._connections = connections or settings.bulk_connections
        self._lock = threading.Lock()
        self._opensearch: OpenSearch | None = None
        self._secret: tuple[str, str] | None = None

    def post(self, path: str, parameters: Mapping[str, str], body: bytes, timeout_seconds: float) -> Answer:
        """POST newline-delimited JSON.

        Raises:
            UnreachableError: no answer within the time, a reset or refused connection.
            ConfigurationError: the host's name is unknown, or TLS doesn't trust it.
        """
        headers = {"content-type": "application/x-ndjson"}
        if self._settings.compression is Compression.GZIP:
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers |= {"content-encoding": "gzip", "accept-encoding": "gzip"}
        request = {"params": dict(parameters), "body": body, "timeout": timeout_seconds, "headers": headers}
        answer = self._send("POST", path, request)
        return Answer(answer.status, _decoded(answer.body)) if answer.status == 200 else answer

    def fetch(
        self, method: str, path: str, parameters: Mapping[str, str], body: bytes | None, timeout_seconds: float
    ) -> str:
        """Send a request with a JSON body or none; the answer's text, byte for byte, so that no number changes.

        Raises:
            UnreachableError: as ``post``.
            ConfigurationError: as ``post``.
            RefusedError: an answer that isn't 2xx.
        """
        headers = {"content-type": "application/json"}
        request = {"params": dict(parameters), "body": body, "timeout": timeout_seconds, "headers": headers}
        answer = self._send(method, path, request)
        if answer.status != 200:
            raise RefusedError(f"{method} {path}", answer.status, answer.body)
        return str(answer.body)

    def _send(self, method: str, path: str, request: Mapping[str, Any]) -> Answer:
        """The answer with its text, or with what its error says. A 401 is tried again if there is a new secret."""
        opensearch, started = self._connected(), time.monotonic()
        answer = self._send_once(opensearch, method, path, request)
        if answer.status == 401 and self._renew_secret(opensearch):
            remaining_seconds = max(request["timeout"] - (time.monotonic() - started), 0.1)
            answer = self._send_once(self._connected(), method, path, {**request, "timeout": remaining_seconds})
        return answer

    def _send_once(self, opensearch: OpenSearch, method: str, path: str, request: Mapping[str, Any]) -> Answer:
        try:
            text = opensearch.transport.perform_request(method, path, **request)
        except OpenSearchConnectionError as error:
            raise self._diagnose(error) from None
        except TransportError as error:
            return Answer(int(error.status_code), error.info or _decoded(error.error))
        except SerializationError:  # an answer that doesn't call itself JSON
            return Answer(200, None)
        return Answer(200, text)

    def _connected(self) -> OpenSearch:
        with self._lock:
            if self._opensearch is None:
                _check_ca_file(self._settings.ca_file)
                self._opensearch = OpenSearch(
                    hosts=[self._settings.endpoint],
                    http_auth=self._authentication(),
                    verify_certs=True,
                    ca_certs=self._settings.ca_file,
                    connection_class=_Connection,
                    serializer=_Text(),
                    pool_maxsize=self._connections,
                    # Retrying is done where the deadline and the versions are known.
                    max_retries=0,
                    retry_on_status=(),
                    retry_on_timeout=False,
                )
            return self._opensearch

    def _authentication(self) -> Any:
        settings = self._settings
        match settings.auth:
            case Auth.SIGV4:
                credentials = boto3.Session().get_credentials()
                if credentials is None:
                    raise ConfigurationError(
                        "there are no AWS credentials: give the function a role, or use another OPENSEARCH_AUTH"
                    )
                return _OneAtATime(
                    AWS4Auth(region=settings.region, service=settings.service, refreshable_credentials=credentials)
                )
            case Auth.BASIC:
                self._secret = self._secret or read_secret(settings.secret_arn or "")
                return tuple(part.encode() for part in self._secret)  # else requests would make it Latin-1
            case Auth.NONE:
                return None

    def _renew_secret(self, refused: OpenSearch) -> bool:
        """After a 401: whether Secrets Manager holds another password by now, so that a second try makes sense."""
        if self._settings.auth is not Auth.BASIC:
            return False
        with self._lock:
            if self._opensearch is refused:
                secret = read_secret(self._settings.secret_arn or "")
                if secret == self._secret:
                    return False
                self._secret, self._opensearch = secret, None
            return True

    def _diagnose(self, error: OpenSearchConnectionError) -> SyncError:
        endpoint = self._settings.endpoint
        for cause in _causes(error):
            if isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN:
                return ConfigurationError(
                    f"OPENSEARCH_ENDPOINT is {endpoint!r}: its host name is unknown ({cause.strerror})"
                )
            if isinstance(cause, ssl.SSLCertVerificationError):
                return ConfigurationError(
                    f"OPENSEARCH_ENDPOINT is {endpoint!r}: its certificate isn't trusted ({cause.verify_message}); "
                    "set OPENSEARCH_CA_FILE to the CA's PEM file"
                )
            if isinstance(cause, ssl.SSLError) and cause.reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}:
                return ConfigurationError(
                    f"OPENSEARCH_ENDPOINT is {endpoint!r}: the port doesn't speak TLS; try http://"
                )
            # An alert, such as of another protocol version; but a node that goes down just ends the connection.
            if isinstance(cause, ssl.SSLError) and cause.reason and "EOF" not in cause.reason:
                return ConfigurationError(f"OPENSEARCH_ENDPOINT is {endpoint!r}: it refuses our TLS ({cause.reason})")
        name = _name_of(error)
        # A port that speaks TLS ends a plain connection without a word; so does a node that goes down.
        hint = (
            "; if the port speaks TLS, use https://" if (endpoint[:5], name) == ("http:", "RemoteDisconnected") else ""
        )
        return UnreachableError(f"{endpoint}: {name}{hint}")


def quoted(name: str) -> str:
    """An index's name or a document's id as a part of a path."""
    return quote(name, safe="")


def read_secret(arn: str) -> tuple[str, str]:
    """User and password of a Secrets Manager secret, a JSON object with ``username`` and ``password``.

    Raises:
        ConfigurationError: the secret can't be read or has another form.
    """
    try:
        config = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
        text = boto3.client("secretsmanager", config=config).get_secret_value(SecretId=arn)["SecretString"]
    except (BotoCoreError, ClientError) as error:
        raise ConfigurationError(
            f"OPENSEARCH_SECRET_ARN is {arn!r}: the secret can't be read ({code_of(error)}); "
            "check that it exists and that the role may secretsmanager:GetSecretValue"
        ) from None
    try:
        secret = json.loads(text)
        user, password = secret["username"], secret["password"]
    except (KeyError, TypeError, ValueError):
        raise ConfigurationError(
            f'OPENSEARCH_SECRET_ARN is {arn!r}: the secret must be JSON like {{"username": "…", "password": "…"}}'
        ) from None
    return str(user), str(password)


def _check_ca_file(path: str | None) -> None:
    if path is None:
        return
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigurationError(
            f"OPENSEARCH_CA_FILE is {path!r}: it can't be used ({error.strerror}); "
            "give a PEM file of the package or of a layer"
        ) from None


class _Connection(RequestsHttpConnection):
    """The settings decide, not REQUESTS_CA_BUNDLE (it would win over our CA file), a netrc or a proxy variable."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.session.trust_env = False


class _Text(JSONSerializer):
    """Leaves answers as they are: whoever asked knows how to read them."""

    def loads(self, s: str) -> str:
        return s


class _OneAtATime(AuthBase):
    """AWS4Auth keeps the credentials that it signs with in itself, so two threads must not sign at once."""

    def __init__(self, auth: AuthBase) -> None:
        self._auth, self._lock = auth, threading.Lock()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        with self._lock:
            return self._auth(request)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exceptions inside an exception: requests and urllib3 hide them in ``args``, ``reason`` and contexts."""
    queue, seen = [error], set[int]()
    while queue:
        cause = queue.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]
        queue += [one for one in inner if isinstance(one, BaseException)]


def _name_of(error: OpenSearchConnectionError) -> str:
    """The innermost failure's name; its text may quote the request."""
    names = [type(cause).__name__ for cause in _causes(error)]
    return next((name for name in reversed(names) if name != "Exception"), "no answer")


def _decoded(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text
