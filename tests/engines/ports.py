"""Ports on loopback: which are free, and who has one that is not."""

import socket

import psutil

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: not held up by closed connections
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def describe_holder(port: int) -> str:
    """`java, process 4711` for the program that listens on the port, as far as this user may know it."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                if connection.pid:
                    return f"{psutil.Process(connection.pid).name()}, process {connection.pid}"
                break
    except psutil.Error:  # other users' connections can't be seen, on macOS none at all
        pass
    return "another program"
