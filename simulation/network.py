"""Serves a sandbox's network: HTTP requests are received completely, and then answered, reset or left hanging.

One thread serves all connections of a schedule through one selector, so one place decides what happens next."""

import contextlib
import selectors
import socket
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""
    content_type: str = "application/json; charset=UTF-8"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(eq=False, slots=True)
class Connection:
    """A client's kept-alive connection; `client_gone` is true once the client has closed it."""

    stream: socket.socket
    door: "Door"
    received: bytearray = field(default_factory=bytearray)
    client_gone: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """The content of an HTTP request; the names of its headers are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(eq=False, slots=True)
class Request:
    """A complete HTTP request that waits to be handled."""

    connection: Connection
    call: Call
    received_at: float

    @property
    def client_gone(self) -> bool:
        """Whether the client has closed its connection, checked at each access."""
        connection = self.connection
        if not connection.client_gone:
            try:
                connection.client_gone = connection.stream.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
            except BlockingIOError:
                pass
            except OSError:
                connection.client_gone = True
        return connection.client_gone


@dataclass(eq=False, slots=True)
class Door:
    """The listening socket that serves all endpoints of one sandbox."""

    listener: socket.socket
    on_request: Callable[[Request], None]
    connections: set[Connection] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"


class Network:
    """The doors, connections and other sockets that a schedule listens to."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def open_door(self, on_request: Callable[[Request], None]) -> Door:
        listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        door = Door(listener, on_request)
        self.watch(listener, lambda: self._accept(door))
        return door

    def close_door(self, door: Door) -> None:
        self.unwatch(door.listener)
        door.listener.close()
        for connection in list(door.connections):
            self.hang_up(connection)

    def watch(self, source: socket.socket, on_readable: Callable[[], None]) -> None:
        self._selector.register(source, selectors.EVENT_READ, on_readable)

    def unwatch(self, source: socket.socket) -> None:
        with contextlib.suppress(KeyError):
            self._selector.unregister(source)

    def listen(self, timeout_seconds: float) -> bool:
        """Handle what arrives within the timeout. Return False if nothing did."""
        ready = self._selector.select(timeout_seconds)
        for key, _ in ready:
            if key.fileobj in self._selector.get_map():  # an earlier event of this round may have closed it
                key.data()
        return bool(ready)

    def close(self) -> None:
        self._selector.close()

    def answer(self, request: Request, answer: Answer, *, cut_after: int | None = None) -> None:
        """Send the answer, or only its first bytes. If the client is gone, it is lost, as on a real network."""
        lines = [
            f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
            f"content-type: {answer.content_type}",
            f"content-length: {len(answer.body)}",
            *(f"{name}: {value}" for name, value in answer.headers),
        ]
        message = "\r\n".join((*lines, "", "")).encode() + answer.body
        with contextlib.suppress(OSError):
            request.connection.stream.sendall(message[:cut_after])
        if cut_after is not None:
            self.hang_up(request.connection)

    def reset(self, connection: Connection) -> None:
        """Close with a TCP reset: the client sees ECONNRESET."""
        with contextlib.suppress(OSError):
            connection.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.hang_up(connection)

    def hang_up(self, connection: Connection) -> None:
        self.unwatch(connection.stream)
        connection.stream.close()
        connection.client_gone = True
        connection.door.connections.discard(connection)

    def _accept(self, door: Door) -> None:
        stream, _ = door.listener.accept()
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(stream, door)
        door.connections.add(connection)
        self.watch(stream, lambda: self._receive(connection))

    def _receive(self, connection: Connection) -> None:
        try:
            chunk = connection.stream.recv(1 << 20)
        except OSError:
            chunk = b""
        if not chunk:
            self.unwatch(connection.stream)
            connection.client_gone = True
            return
        connection.received += chunk
        while request := _take_request(connection):
            connection.door.on_request(request)


def _take_request(connection: Connection) -> Request | None:
    """Take the first complete request from the received bytes; None if there is none yet."""
    received = connection.received
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = received[:end].decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", 0))
    if len(received) < end + 4 + length:
        if headers.get("expect", "").lower() == "100-continue" and len(received) == end + 4:
            connection.stream.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return None
    body = bytes(received[end + 4 : end + 4 + length])
    del received[: end + 4 + length]
    method, target, _ = first.split(" ", 2)
    path, _, query = target.partition("?")
    return Request(connection, Call(method, path, query, headers, body), time.monotonic())
