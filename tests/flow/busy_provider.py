"""A model provider on loopback that is busy a third of the time, and remembers each answer it gave: those are paid for.

`"row <n>"` is answered "yes", or "no" where three divides n; where 97 divides n, it is refused.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

REFUSED = 97


class BusyProvider:
    """Its base URL, and how often each row was answered."""

    def __init__(self, seed: int) -> None:
        self.url = ""
        self.paid: Counter[int] = Counter()
        self.busy = 0
        self.at_once = 0
        self.most_at_once = 0
        self._dice = Random(seed)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                body = await reader.readexactly(int(head.partition("content-length:")[2].partition("\r\n")[0] or 0))
                self.at_once += 1
                self.most_at_once = max(self.at_once, self.most_at_once)
                status, headers, answer = self._answer(json.loads(body or b"{}"))
                await asyncio.sleep(0.005)
                self.at_once -= 1
                content = json.dumps(answer).encode()
                writer.write(
                    f"HTTP/1.1 {status} X\r\n{headers}content-length: {len(content)}\r\n\r\n".encode() + content
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, request: dict[str, Any]) -> tuple[int, str, dict[str, Any]]:
        if "messages" not in request:
            return 200, "", {"id": "busy", "object": "model"}
        if self._dice.random() < 1 / 3:
            self.busy += 1
            return 429, "retry-after-ms: 20\r\n", {"error": {"message": "Too many requests."}}
        number = int(request["messages"][-1]["content"].split()[-1])
        if number % REFUSED == 0:
            return 400, "", {"error": {"message": "This one is refused."}}
        self.paid[number] += 1
        message = {"role": "assistant", "content": "yes" if number % 3 else "no"}
        return (
            200,
            "",
            {
                "id": f"chatcmpl-{number}",
                "model": request["model"],
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
            },
        )


@contextmanager
def busy_provider(seed: int) -> Iterator[BusyProvider]:
    """It serves in a thread of its own for the length of the block."""
    double, loop, ready = BusyProvider(seed), asyncio.new_event_loop(), threading.Event()

    async def start() -> None:
        server = await asyncio.start_server(double.serve, "127.0.0.1", 0)
        double.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        ready.set()
        async with server:
            await asyncio.Event().wait()

    def run() -> None:
        serving = loop.create_task(start())
        loop.run_forever()
        open_still = asyncio.all_tasks(loop)
        for connection in open_still:
            connection.cancel()
        loop.run_until_complete(asyncio.gather(serving, *open_still, return_exceptions=True))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(5)
    yield double
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
