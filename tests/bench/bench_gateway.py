"""Latency that the gateway adds to a call, beside LiteLLM's proxy and a thin one before the same mock provider.

In: nothing; LiteLLM lies in `.venv-bench`. Out: a table on standard output; exit 1 where the target is missed. Calls of
all take turns: direct with aiohttp, through each proxy with the same client, and ours as Lambda calls it: the entry in
process, warm, with a whole HTTP API event, the key check included. Boto3's calls are answered before they are
serialised (`cut.py`), so that the queue's own time is in no figure; what we do to capture is. `--profile` adds what
takes the time.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import logging
import os
import pstats
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from gateway import handler
from tests.bench.cut import KEY, Context, Cut, cut
from tests.bench.lambdas import REPOSITORY, http_event
from tests.bench.table import Line, say, show
from tests.bench.upstream import MESSAGES, METADATA, MODEL, completion, upstream

TARGET_MS = 1.5
_PATH = "/v1/chat/completions"
_STARTS_WITHIN_S = 120
_OK = 200


@contextmanager
def litellm(provider: str) -> Iterator[str]:
    """LiteLLM's proxy before this provider, with a key check of its own, as its manual sets it up for production."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    parameters = {"model": f"openai/{MODEL}", "api_base": provider, "api_key": "k"}
    config = {
        "model_list": [{"model_name": MODEL, "litellm_params": parameters}],
        "general_settings": {"master_key": KEY},
    }
    offline = {"LITELLM_MODE": "PRODUCTION", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    with tempfile.TemporaryDirectory() as folder:
        settings, log = Path(folder, "config.yaml"), Path(folder, "log")
        settings.write_bytes(orjson.dumps(config))
        with log.open("wb") as output:
            program = REPOSITORY / ".venv-bench/bin/litellm"
            server = subprocess.Popen(
                [program, "--config", settings, "--host", "127.0.0.1", "--port", str(port)],
                env={**os.environ, **offline},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait(port, server, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()
            server.wait()


def _wait(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < ends and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"LiteLLM did not start:\n{log.read_text()[-2000:]}")


class Caller:
    """Calls over one kept connection, from synchronous code as in a function."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._session: aiohttp.ClientSession | None = None

    def through(self, base_url: str, body: bytes) -> None:
        self._runner.run(self._post(f"{base_url}/chat/completions", body))

    async def _post(self, url: str, body: bytes) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
        async with self._session.post(url, data=body, headers=headers) as answer:
            content = await answer.read()
            if answer.status != _OK:
                raise SystemExit(f"{url} answered {answer.status}: {content[:500]!r}")

    def close(self) -> None:
        if self._session:
            self._runner.run(self._session.close())
        self._runner.close()


def ours(event: dict[str, Any]) -> None:
    answer = handler.http_entry(event, Context())
    if answer["statusCode"] != _OK:
        raise SystemExit(f"the gateway answered {answer['statusCode']}: {answer['body']}")


def measure(calls: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of every call."""
    names = list(calls)
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            started = time.perf_counter()
            calls[name]()
            times[name].append((time.perf_counter() - started) * 1000)
    return times


def profile(name: str, call: Callable[[], None]) -> None:
    say(f"--- {name}, 500 calls")
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(500):
        call()
    profiler.disable()
    pstats.Stats(profiler, stream=sys.stdout).strip_dirs().sort_stats("cumtime").print_stats(45)


def report(times: dict[str, list[float]], captured: int) -> bool:
    direct = statistics.median(times["direct"])
    added = {
        name: [seconds - bare for seconds, bare in zip(taken, times["direct"], strict=True)]
        for name, taken in times.items()
    }
    peers = [name for name in ("LiteLLM proxy", "thin proxy") if name in added]
    beside = statistics.median(added[peers[0]])
    size = len(orjson.dumps(MESSAGES)) + len(completion(1))
    say(f"gateway, {size / 1000:.1f} kB completions, {len(times['direct'])} calls each by turns; a direct call takes")
    say(f"{direct:.3f} ms; added is the median difference to the direct call of the same round; {captured} captured")
    lines = [Line(f"{name}, p50", statistics.median(added[name])) for name in peers]
    for name in ("ours", "ours, store=true"):
        lines.append(Line(f"{name}, p50", statistics.median(added[name]), peer=beside, most=TARGET_MS))
        late = [statistics.quantiles(added[path], n=100)[98] for path in (name, peers[0])]
        lines.append(Line(f"{name}, p99", late[0], peer=late[1]))
    return show("added, ms", lines, peer=peers[0].removesuffix(" proxy"))


def _events(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    stored = {**body, "store": True, "metadata": METADATA}
    return {name: http_event(_PATH, orjson.dumps(content)) for name, content in (("plain", body), ("stored", stored))}


def run(account: Cut, rounds: int, *, profiled: bool, peer: bool) -> bool:
    body: dict[str, Any] = {"model": MODEL, "messages": MESSAGES, "temperature": 0}
    events, wire = _events(body), orjson.dumps(body)
    caller = Caller()
    with upstream() as servers:
        os.environ["PROVIDER_BASE_URL"] = servers.provider
        with litellm(servers.provider) if peer else nullcontext() as proxy:
            calls: dict[str, Callable[[], None]] = {
                "direct": lambda: caller.through(servers.provider, wire),
                "ours": lambda: ours(events["plain"]),
                "ours, store=true": lambda: ours(events["stored"]),
                "thin proxy": lambda: caller.through(servers.proxy, wire),
            }
            if proxy:
                calls["LiteLLM proxy"] = lambda: caller.through(proxy, wire)
            measure(calls, max(20, rounds // 10))
            account.sent.clear()
            times = measure(calls, rounds)
        captured = len(account.sent)
        if profiled:
            profile("ours", calls["ours"])
            profile("ours, store=true", calls["ours, store=true"])
        caller.close()
    return report(times, captured)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--calls", type=int, default=500)
    arguments.add_argument("--no-peers", action="store_true", help="without LiteLLM")
    arguments.add_argument("--profile", action="store_true")
    wanted = arguments.parse_args()
    # The gateway's own connections end with its process, of which aiohttp would complain.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    sys.exit(not run(cut(), wanted.calls, profiled=wanted.profile, peer=not wanted.no_peers))


if __name__ == "__main__":
    main()
