"""Checks ports on loopback: whether one is free, and else which program has it."""

import socket

import psutil

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: closed connections don't block it
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def describe_holder(port: int) -> str:
    """Return `java, process 4711` for the program that listens on the port, if this user may see it."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                if connection.pid:
                    return f"{psutil.Process(connection.pid).name()}, process {connection.pid}"
                break
    except psutil.Error:  # other users' connections can't be seen, on macOS none at all
        pass
    return "another program"
