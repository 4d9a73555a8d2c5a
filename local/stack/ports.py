"""A port of this machine that nobody listens on."""

from __future__ import annotations

import socket

HOST = "127.0.0.1"


def free_port(preferred: int) -> int:
    """The preferred port, or any other when it is taken."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            number: int = probe.getsockname()[1]
            return number
    raise OSError("this machine has no free port")
