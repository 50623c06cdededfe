"""The only way to OpenSearch: authentication, TLS, and which failures heal by themselves."""

import gzip
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urljoin, urlsplit

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as SdkConnectionError
from opensearchpy import OpenSearch, RequestsHttpConnection
from opensearchpy.exceptions import ConnectionError as OpenSearchConnectionError
from requests.auth import AuthBase
from requests_aws4auth import AWS4Auth
from urllib3.exceptions import HTTPError

from dynamodb_opensearch.aws import code_of
from dynamodb_opensearch.core.answers import Answer
from dynamodb_opensearch.core.errors import ConfigurationError, RefusedError, SyncError, UnreachableError
from dynamodb_opensearch.settings import Auth, Compression, Service, Settings


class Client:
    """Sends requests to one endpoint over kept-alive connections. Its creation does no I/O; threads may share it."""

    def __init__(self, settings: Settings, connections: int | None = None) -> None:
        self._settings = settings
        self._connections = connections or settings.bulk_connections
        self._lock = threading.Lock()
        self._connection: _Connection | None = None
        self._secret: tuple[str, str] | None = None

    def post(self, path: str, parameters: Mapping[str, str], body: bytes, timeout_seconds: float) -> Answer:
        """POST newline-delimited JSON.

        Raises:
            UnreachableError: no answer within the time, a reset or refused connection, an answer that was cut off.
            ConfigurationError: the host name is unknown, its certificate isn't trusted, TLS is refused, it redirects or
                its 2xx isn't OpenSearch's.
        """
        headers = {"content-type": "application/x-ndjson"}
        if self._settings.compression is Compression.GZIP:
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers |= {"content-encoding": "gzip", "accept-encoding": "gzip"}
        parameters = {**parameters, **self._waits_for(timeout_seconds)}
        request = {"params": parameters, "body": body, "timeout": timeout_seconds, "headers": headers}
        received = self._send("POST", path, request)
        return Answer(received.status, self._object_of(received) if received.is_good else _decoded(received.text))

    def fetch(
        self, method: str, path: str, parameters: Mapping[str, str], body: bytes | None, timeout_seconds: float
    ) -> str:
        """Send a request with a JSON body or none; return the answer's text unchanged, so that no number changes.

        Returns:
            A JSON object's text. Only its two ends are checked: the caller reads all of it anyway.

        Raises:
            UnreachableError: as ``post``.
            ConfigurationError: as ``post``.
            RefusedError: an answer that isn't 2xx.
        """
        headers = {"content-type": "application/json"}
        request = {"params": dict(parameters), "body": body, "timeout": timeout_seconds, "headers": headers}
        received = self._send(method, path, request)
        if not received.is_good:
            raise RefusedError(f"{method} {path}", received.status, _decoded(received.text))
        text = received.text
        if not (_BEGINS_AS_OBJECT(text) and text.rstrip().endswith("}")):
            raise self._not_an_object(received)
        return text

    def _waits_for(self, timeout_seconds: float) -> dict[str, str]:
        """How long OpenSearch may wait for a shard that is down: less than we wait, where its default is a minute.

        Otherwise one document of such a shard would leave the whole request unanswered. A collection shows no shards,
        and isn't documented to take the parameter.
        """
        if self._settings.service is Service.AOSS:
            return {}
        return {"timeout": f"{max(int(timeout_seconds * 500), 1)}ms"}

    def _send(self, method: str, path: str, request: Mapping[str, Any]) -> "_Received":
        """The answer, whatever its status. A 401 is tried again if there is a new secret."""
        connection, started = self._connected(), time.monotonic()
        received = self._send_once(connection, method, path, request)
        if received.status == 401 and self._renew_secret(connection):
            remaining_seconds = max(request["timeout"] - (time.monotonic() - started), 0.1)
            received = self._send_once(self._connected(), method, path, {**request, "timeout": remaining_seconds})
        if 300 <= received.status < 400:
            endpoint = self._settings.endpoint
            raise ConfigurationError(f"OPENSEARCH_ENDPOINT is {endpoint!r}: {_redirection(received, endpoint, path)}")
        return received

    def _send_once(self, connection: "_Connection", method: str, path: str, request: Mapping[str, Any]) -> "_Received":
        try:
            return connection.send(method, path, request)
        except OpenSearchConnectionError as error:
            raise self._diagnose(error) from None

    def _object_of(self, received: "_Received") -> dict[str, Any]:
        answer = _decoded(received.text)
        if isinstance(answer, dict):
            return answer
        raise self._not_an_object(received)

    def _not_an_object(self, received: "_Received") -> SyncError:
        """The error for a 2xx without a JSON object: OpenSearch's answer was cut off, or something else answered."""
        endpoint = self._settings.endpoint
        if received.is_json and _BEGINS_AS_OBJECT(received.text):
            return UnreachableError(f"{endpoint}: its answer was cut off")
        kind = received.content_type or "no content type"
        content = f"an answer of another kind ({kind})" if received.text.strip() else "an empty answer"
        return ConfigurationError(
            f"OPENSEARCH_ENDPOINT is {endpoint!r}: {received.status} and {content}, which isn't OpenSearch's: "
            "is that a login page, or a proxy in between? Give the address of OpenSearch itself"
        )

    def _connected(self) -> "_Connection":
        with self._lock:
            if self._connection is None:
                _check_ca_file(self._settings.ca_file)
                # The library's transport would retry, and keep neither status nor headers: retries belong where the
                # deadline and the versions are known.
                opensearch = OpenSearch(
                    hosts=[self._settings.endpoint],
                    http_auth=self._authentication(),
                    verify_certs=True,
                    ca_certs=self._settings.ca_file,
                    connection_class=_Connection,
                    pool_maxsize=self._connections,
                )
                self._connection = opensearch.transport.get_connection()
            return self._connection

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

    def _renew_secret(self, refused: "_Connection") -> bool:
        """Whether Secrets Manager holds another password after a 401, so that a second try makes sense."""
        if self._settings.auth is not Auth.BASIC:
            return False
        with self._lock:
            if self._connection is refused:
                secret = read_secret(self._settings.secret_arn or "")
                if secret == self._secret:
                    return False
                self._secret, self._connection = secret, None
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
            # A TLS alert, such as one about the protocol version. A node that goes down just ends the connection.
            if isinstance(cause, ssl.SSLError) and cause.reason and "EOF" not in cause.reason:
                return ConfigurationError(f"OPENSEARCH_ENDPOINT is {endpoint!r}: it refuses our TLS ({cause.reason})")
        name = _name_of(error)
        # A port that speaks TLS ends a plain connection without an answer; so does a node that goes down.
        ended = endpoint.startswith("http:") and name in {"RemoteDisconnected", "ConnectionResetError"}
        hint = "; if the port speaks TLS, use https://" if ended else ""
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
        answer = boto3.client("secretsmanager", config=config).get_secret_value(SecretId=arn)
    except (BotoCoreError, ClientError) as error:
        raise ConfigurationError(
            f"OPENSEARCH_SECRET_ARN is {arn!r}: the secret can't be read ({code_of(error)}); "
            "check that it exists and that the role may secretsmanager:GetSecretValue"
        ) from None
    secret = _decoded(answer["SecretString"] if "SecretString" in answer else answer.get("SecretBinary"))
    user, password = (secret.get("username"), secret.get("password")) if isinstance(secret, dict) else (None, None)
    if not (isinstance(user, str) and isinstance(password, str) and user and password):
        raise ConfigurationError(
            f'OPENSEARCH_SECRET_ARN is {arn!r}: the secret must be JSON like {{"username": "…", "password": "…"}}, '
            "both of them texts that aren't empty"
        )
    return user, password


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


class _Received(NamedTuple):
    """An HTTP answer of any status, as it came."""

    status: int
    content_type: str
    location: str
    """The target of a redirect, as in the header."""
    text: str

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_json(self) -> bool:
        return self.content_type.partition("+")[2] == "json" or self.content_type.endswith("/json")


class _Connection(RequestsHttpConnection):
    """The settings decide, not REQUESTS_CA_BUNDLE (it would win over our CA file), a netrc or a proxy variable.

    Never follows a redirect: that would send items' contents to another host, and count its answer as a write.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.session.trust_env = False
        # Even if it doesn't follow a redirect, requests parses its address, and fails if that is broken.
        self.session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]

    def send(self, method: str, path: str, request: Mapping[str, Any]) -> _Received:
        """The answer, whatever its status: the caller judges an error's text and a redirect's header.

        Args:
            request: ``params``, ``body``, ``headers`` and ``timeout`` in seconds.

        Raises:
            OpenSearchConnectionError: no answer came.
        """
        query = f"?{urlencode(request['params'])}" if request["params"] else ""
        prepared = self.session.prepare_request(
            requests.Request(method, f"{self.base_url}{path}{query}", request["headers"], data=request["body"])
        )
        try:
            response = self.session.send(prepared, timeout=request["timeout"], allow_redirects=False)
        except (requests.RequestException, HTTPError) as error:
            raise OpenSearchConnectionError("N/A", str(error), error) from None
        content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()[:100]
        location = response.headers.get("location", "")
        return _Received(response.status_code, content_type, location, _text_of(response.content))


def _text_of(content: bytes) -> str:
    """OpenSearch's answers are UTF-8; a proxy's page in another charset needn't be whole to be judged."""
    try:
        return content.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return "?" + content.decode("utf-8", "replace")  # with ? in front it never passes for a JSON object


def _redirection(received: _Received, endpoint: str, path: str) -> str:
    """What a redirect means, its target shown as an endpoint: without user, password, query and the requested path."""
    try:
        target = urlsplit(urljoin(endpoint + path, received.location))
        host = received.location and target.hostname
        host = f"{host}:{target.port}" if host and target.port else host
    except ValueError:
        host = None
    if not host:
        return f"it answers {received.status}, which isn't OpenSearch's: give the address of OpenSearch itself"
    shown = f"{target.scheme}://{host}{target.path.removesuffix(path)}"[:300]
    return f"it redirects to {''.join(filter(str.isprintable, shown))}: use that if it is yours"


_BEGINS_AS_OBJECT = re.compile(r'\s*\{\s*["}]').match


class _OneAtATime(AuthBase):
    """Signs one request at a time: AWS4Auth keeps the credentials that it signs with in its own state."""

    def __init__(self, auth: AuthBase) -> None:
        self._auth, self._lock = auth, threading.Lock()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        try:
            with self._lock:
                return self._auth(request)
        except (HTTPClientError, SdkConnectionError) as error:
            raise UnreachableError(f"the AWS credentials can't be renewed ({code_of(error)})") from None
        except (BotoCoreError, ClientError) as error:
            raise ConfigurationError(f"the AWS credentials can't be used ({code_of(error)}): renew them") from None


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
        queue += [value for value in inner if isinstance(value, BaseException)]


def _name_of(error: OpenSearchConnectionError) -> str:
    """The innermost failure's name; its text may quote the request."""
    names = [type(cause).__name__ for cause in _causes(error)]
    return next((name for name in reversed(names) if name != "Exception"), "no answer")


def _decoded(text: Any) -> Any:
    try:
        return json.loads(text)
    except (RecursionError, TypeError, ValueError):
        return text
