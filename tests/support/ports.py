"""Ports of this machine for the servers of tests."""

import socket


def free_port() -> int:
    """Give a port that nobody uses just now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port
