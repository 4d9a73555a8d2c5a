"""The lab on a free port of loopback, for tests in the same process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn


@contextmanager
def serving_lab() -> Iterator[str]:
    """A lab of its own, which knows nothing that another one was taught; its address."""
    from local.lab.app import create_app  # imports scikit-learn, which not every run needs

    config = uvicorn.Config(create_app(), port=0, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(5)
