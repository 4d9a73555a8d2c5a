"""The ports of the local stack: chosen at its first start, kept in `.local/state/ports.json`, the same from then on."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from local.stack.errors import StackError

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """Where emulator, lab, pages and fakes answer; the values are what a first start prefers."""

    emulator: int = 4566
    lab: int = 4600
    pages: int = 4610
    fakes: int = 4620


def kept_ports(file: Path) -> Ports:
    """The ports of the last start, at a first one those preferred or any that are free.

    Raises StackError where another process has one of the kept ports: addresses that clients hold do not change
    without a word.
    """
    if not file.exists():
        ports = Ports(**{name: free_port(preferred) for name, preferred in asdict(Ports()).items()})
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(ports)) + "\n")
        return ports
    ports = Ports(**json.loads(file.read_text()))
    for name, port in asdict(ports).items():
        if not _is_free(port):
            raise StackError(
                f"Port {port}, where the {name} of this stack answers, is taken by another process. Stop that process, "
                f"or delete {file} to have the stack choose other ports."
            )
    return ports


def free_port(preferred: int = 0) -> int:
    """The preferred port, or any other when there is none or it is taken."""
    return preferred if preferred and _is_free(preferred) else _any_port()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        number: int = probe.getsockname()[1]
        return number
