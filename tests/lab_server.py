"""The lab on a free port of loopback, for tests in the same process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

LABS: dict[str, Starlette] = {}
"""The labs of this process, by their addresses."""


@contextmanager
def serving_lab() -> Iterator[str]:
    """A lab of its own, which knows nothing that another one was taught; its address."""
    from local.lab.app import create_app  # imports scikit-learn, which not every run needs

    lab = create_app()
    config = uvicorn.Config(lab, port=0, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    LABS[address] = lab
    yield address
    del LABS[address]
    server.should_exit = True
    thread.join(5)
