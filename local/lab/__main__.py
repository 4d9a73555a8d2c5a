"""`python -m local.lab --port N [--host H] [--state DIR]`: runs the lab until SIGTERM or SIGINT, which stop it at once.

Out: one line when it answers, `lab ready: http://host:port/v1`; port 0 takes a free one. Fails with uvicorn's
message where the port is taken.
"""

import argparse
import socket
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from local.lab.app import create_app
from local.lab.store import Store


class _Server(uvicorn.Server):
    """Says where it answers once it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            print(f"lab ready: http://{host}:{port}/v1", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m local.lab", description="An OpenAI-compatible model server.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--state", type=Path, help="folder that keeps what the lab learns; nothing is kept without it")
    chosen = parser.parse_args(arguments)
    config = uvicorn.Config(
        create_app(Store(chosen.state)),
        host=chosen.host,
        port=chosen.port,
        log_level="warning",
        access_log=False,
        # Callers keep connections open between the stages of a run.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    try:
        server.run()
    except KeyboardInterrupt:
        return
    if not server.started:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
