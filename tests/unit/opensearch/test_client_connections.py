"""The client, when a connection fails."""

import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from dynamodb_opensearch.core.errors import ConfigurationError, UnreachableError
from dynamodb_opensearch.opensearch.client import Client
from fakes.server import Server, post, settings


def test_a_dropped_connection_is_unreachable_and_the_next_request_works(server: Server) -> None:
    client = Client(settings(server.url))
    post(client)
    server.reply = lambda _: None
    with pytest.raises(UnreachableError):
        post(client)
    server.reply = lambda _: (200, "application/json", b'{"errors":false}')

    assert post(client).status == 200
    assert len(server.requests) == 3  # nothing is sent twice behind our back


def test_a_connection_that_was_closed_between_two_requests_is_replaced(server: Server) -> None:
    """A frozen function's connections are closed by the other side while it sleeps."""
    client = Client(settings(server.url))
    server.hangs_up_when_idle = True

    for number in range(1, 6):
        assert post(client).status == 200
        deadline = time.monotonic() + 5
        while server.open_connections and time.monotonic() < deadline:
            time.sleep(0.001)
        assert len(server.requests) == number


def test_no_answer_in_time_is_unreachable(server: Server) -> None:
    wait = threading.Event()
    server.reply = lambda _: (wait.wait(5), (200, "application/json", b"{}"))[1]

    with pytest.raises(UnreachableError, match="Timeout"):
        post(Client(settings(server.url)), timeout_seconds=0.1)
    wait.set()


def test_a_refused_connection_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

    with pytest.raises(UnreachableError, match="ConnectionRefusedError"):
        post(Client(settings(url)))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), ConfigurationError),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), UnreachableError),
    ],
)
def test_an_unknown_host_is_a_wrong_setting_and_a_resolver_that_is_down_is_not(
    error: Exception, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    with pytest.raises(kind, match=r"search\.example\.com"):
        post(Client(settings("http://search.example.com:9200")))


def test_a_host_that_moved_is_found_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Server()
    resolved = socket.getaddrinfo
    target = [server]

    def resolve(_host: str, _port: int, *rest: Any, **options: Any) -> Any:
        return resolved("127.0.0.1", int(target[0].url.rsplit(":", 1)[1]), *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    client = Client(settings("http://search.example.com:9200"))
    post(client)
    server.reply = lambda _: None
    target[0] = other
    with pytest.raises(UnreachableError):
        post(client)

    assert post(client).status == 200
    assert len(other.requests) == 1
    other.close()


def test_a_path_before_the_index_is_kept(server: Server) -> None:
    post(Client(settings(server.url + "/search/")))

    assert server.requests[0][0].startswith("/search/products/_bulk?filter_path=errors&")


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_unusable_ca_file_is_named(server: Server, content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content:
        path.write_text(content)

    with pytest.raises(ConfigurationError, match=f"OPENSEARCH_CA_FILE is '{path}'"):
        post(Client(settings(server.url.replace("http:", "https:"), ca_file=str(path))))


@pytest.mark.parametrize("alert", [40, 70, 112], ids=["handshake failure", "protocol version", "unrecognized name"])
def test_a_handshake_that_is_refused_is_a_wrong_setting(alert: int) -> None:
    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(bytes([21, 3, 3, 0, 2, 2, alert]))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ConfigurationError, match=f"OPENSEARCH_ENDPOINT is '{url}'.*TLS"):
            post(Client(settings(url)))
        thread.join()


def test_a_connection_that_is_closed_during_the_handshake_is_unreachable() -> None:
    """A node that goes down does that: it will be back."""

    def serve() -> None:
        connection, _ = listener.accept()
        connection.recv(1)
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(UnreachableError):
            post(Client(settings(f"https://127.0.0.1:{listener.getsockname()[1]}")))
        thread.join()


def test_a_plain_connection_that_ends_without_a_word_may_be_to_a_tls_port() -> None:
    def serve() -> None:
        connection, _ = listener.accept()
        connection.recv(1 << 16)
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(
            UnreachableError, match=r"(RemoteDisconnected|ConnectionResetError); if the port speaks TLS, use https://"
        ):
            post(Client(settings(f"http://127.0.0.1:{listener.getsockname()[1]}")))
        thread.join()


def test_plain_http_behind_https_is_named(server: Server) -> None:
    with pytest.raises(ConfigurationError, match="doesn't speak TLS"):
        post(Client(settings(server.url.replace("http:", "https:"))))
