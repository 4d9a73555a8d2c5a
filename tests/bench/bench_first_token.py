"""The first token of a stream through the gateway's own URL, beside asking the provider directly.

In: nothing. Out: a table on standard output; exit 1 where a target is missed. Calls of both take turns: direct with
aiohttp, and ours as Lambda makes them: the runtime of our own in a process of its own, at a double of the Runtime API,
with the key check and the capture (`cut.py` answers for AWS). A provider that thinks for 0.3 s before its first token
is held to a ratio; one that speaks at once shows what is added.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import aiohttp
import orjson

from tests.bench.cut import KEY
from tests.bench.lambdas import REPOSITORY
from tests.bench.table import Line, say, show
from tests.bench.upstream import DELAY_S, MESSAGES, METADATA, MODEL, TOKEN_S, TOKENS, upstream
from tests.runtime_api import FUNCTION, Lambda, http_event, lambda_service

MOST_RATIO = 1.1
MOST_ADDED_MS = 10.0
_PATH = "/v1/chat/completions"
_BODY = {"model": MODEL, "messages": MESSAGES, "stream": True}


@contextmanager
def gateway(provider: str) -> Iterator[Lambda]:
    """Lambda around the gateway before this provider, in a process of its own."""
    with lambda_service() as service:
        environment = {
            **os.environ,
            **FUNCTION,
            "AWS_LAMBDA_RUNTIME_API": service.address,
            "_HANDLER": "tests.bench.streamed_gateway.entry",
            "PROVIDER_BASE_URL": provider,
            "PYTHONPATH": "services:client:.",
        }
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "foundation.streaming"],
            env=environment,
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            # The gateway's own connections end with its process, of which aiohttp would complain.
            stderr=subprocess.DEVNULL,
        )
        try:
            yield service
        finally:
            service.close()
            process.wait(20)


class Direct:
    """Asks the provider over one kept connection."""

    def __init__(self, provider: str) -> None:
        self._url = f"{provider}/chat/completions"
        self._runner = asyncio.Runner()
        self._session: aiohttp.ClientSession | None = None

    def first_ms(self) -> float:
        """Milliseconds until the first event; the stream is read to its end."""
        return self._runner.run(self._ask())

    async def _ask(self) -> float:
        self._session = self._session or aiohttp.ClientSession()
        started = time.perf_counter()
        async with self._session.post(self._url, data=orjson.dumps(_BODY), headers={"content-type": "x"}) as answer:
            await answer.content.readany()
            first = (time.perf_counter() - started) * 1000
            await answer.read()
        return first

    def close(self) -> None:
        if self._session:
            self._runner.run(self._session.close())
        self._runner.close()


def ours(service: Lambda) -> float:
    """The same by the gateway's own URL."""
    body = orjson.dumps({**_BODY, "store": True, "metadata": METADATA})
    event = http_event("POST", _PATH, body, {"authorization": f"Bearer {KEY}", "content-type": "application/json"})
    started = time.perf_counter()
    invoked = service.invoke(event)
    pieces = invoked.read()
    first = next(pieces, b"")
    passed = (time.perf_counter() - started) * 1000
    if not first.startswith(b"data: {"):
        raise SystemExit(f"the gateway answered {invoked.head}: {first[:500]!r}")
    for _ in pieces:
        pass
    return passed


def measure(provider: str, rounds: int) -> dict[str, float]:
    """The median of each way, in milliseconds until the first token."""
    direct = Direct(provider)
    with gateway(provider) as service:
        ways: dict[str, Callable[[], float]] = {"direct": direct.first_ms, "ours": lambda: ours(service)}
        for way in ways.values():
            way()
        times: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(rounds):
            for name in sorted(ways, reverse=bool(number % 2)):
                times[name].append(ways[name]())
    direct.close()
    return {name: statistics.median(taken) for name, taken in times.items()}


def run(rounds: int) -> bool:
    with upstream() as servers:
        thinking, speaking = measure(servers.thinking, rounds), measure(servers.speaking, rounds)
    later_ms = TOKENS * TOKEN_S * 1000
    say(
        f"first token of {TOKENS}, {rounds} calls each by turns; the provider thinks {DELAY_S * 1000:.0f} ms before it,"
    )
    say(f"or speaks at once, and takes {later_ms:.0f} ms for the others: given whole, the first would come after these")
    added = speaking["ours"] - speaking["direct"]
    lines = [
        Line("ours, after thought, p50", thinking["ours"], peer=thinking["direct"], most_ratio=MOST_RATIO),
        Line("ours, at once, p50", speaking["ours"], peer=speaking["direct"]),
        Line("added, at once, p50", added, most=MOST_ADDED_MS),
    ]
    return show("first token, ms", lines, peer="direct")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--calls", type=int, default=30)
    sys.exit(not run(arguments.parse_args().calls))


if __name__ == "__main__":
    main()
