"""Rows a second of a run's grading, beside a plain aiohttp loop and two eval runners, before the same mock provider.

In: `--rows`, `--rounds`. Out: a table on standard output; exit 1 where a target is missed. Each row is asked of a model
and checked with `string_check`, 50 at once; once the provider answers at once, once after 300 ms. Ours is the real
entry, which takes the run's chunks one after the other as one worker does; AWS is a few dictionaries (`account.py`), so
that its own time is in no figure. The loop sends the same requests, 50 at once, and compares: nothing can do less.
deepeval and inspect_ai run in `.venv-peers`, the figure of each without its start. All take turns; medians.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from tempfile import TemporaryDirectory

import aiohttp
import orjson

from foundation.settings import settings
from providers import registry
from tests.bench.account import Account
from tests.bench.lambdas import REPOSITORY
from tests.bench.runs import Runs, question
from tests.bench.table import Line, say, show
from tests.bench.upstream import DELAY_S, MODEL, upstream

AT_ONCE = 50
LEAST_OF_THE_LOOP = {"at once": 0.3, "delayed": 0.9}
_PEERS = ("deepeval", "inspect_ai")


async def loop(base_url: str, rows: int) -> float:
    """Seconds of the plain loop."""
    slots = asyncio.Semaphore(AT_ONCE)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def grade_row(number: int) -> bool:
            asked = question(number)
            body = orjson.dumps({"model": MODEL, "messages": [{"role": "user", "content": asked}]})
            headers = {"Content-Type": "application/json"}
            async with slots, session.post(f"{base_url}/chat/completions", data=body, headers=headers) as answer:
                completion = orjson.loads(await answer.read())
            return bool(completion["choices"][0]["message"]["content"] != asked)

        started = time.perf_counter()
        passed = await asyncio.gather(*(grade_row(number) for number in range(rows)))
        took = time.perf_counter() - started
    if not all(passed):
        raise SystemExit("the loop is wrong")
    return took


def ours(runs: Runs, rows: int) -> float:
    """Seconds of grading a run, without its planning."""
    run = runs.started(rows)
    chunks = runs.plan(run)
    started = time.perf_counter()
    runs.grade(run, chunks)
    return time.perf_counter() - started


def peer(name: str, base_url: str, rows: int) -> float | None:
    """Seconds of an eval runner in `.venv-peers`; None where it is not there."""
    program = REPOSITORY / ".venv-peers/bin/python"
    if not program.exists():
        return None
    command = [program, REPOSITORY / "tests/bench/peers_evals.py", name, base_url, str(rows), str(AT_ONCE)]
    with TemporaryDirectory() as folder:  # where they leave what they leave
        ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    try:
        return float(ended.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        say(f"{name} did not run: {ended.stderr.strip().splitlines()[-1:]}")
        return None


def medians(measures: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median seconds of each, which take turns; the first turn warms up."""
    taken: dict[str, list[float]] = {name: [] for name in measures}
    for turn in range(rounds + 1):
        for name, measure in measures.items():
            took = measure()
            if turn:
                taken[name].append(took)
    return {name: statistics.median(took) for name, took in taken.items()}


def provided_by(base_url: str) -> None:
    """Our models come from there, from now on."""
    os.environ["PROVIDER_BASE_URL"] = base_url
    settings.cache_clear()
    registry.forget()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=1000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--no-peers", action="store_true", help="without deepeval and inspect_ai")
    wanted = arguments.parse_args()
    account = Account()
    runs = Runs(account)
    lines = []
    with upstream() as servers:
        for kind, base_url in (("at once", servers.quick), ("delayed", servers.delayed)):
            provided_by(base_url)
            measures: dict[str, Callable[[], float]] = {
                "loop": lambda url=base_url: asyncio.run(loop(url, wanted.rows)),
                "ours": lambda: ours(runs, wanted.rows),
            }
            seconds = medians(measures, wanted.rounds)
            by_loop = wanted.rows / seconds["loop"]
            least = LEAST_OF_THE_LOOP[kind]
            lines.append(Line(f"{kind}: stillhouse", wanted.rows / seconds["ours"], by_loop, least_ratio=least))
            for name in () if wanted.no_peers else _PEERS:
                took = peer(name, base_url, wanted.rows)
                if took is not None:
                    lines.append(Line(f"{kind}: {name}", wanted.rows / took, by_loop))
        provided_by(servers.quick)
    say(f"{wanted.rows:,} rows, string_check, {AT_ONCE} at once; delayed: answered after {DELAY_S * 1000:g} ms")
    say(f"{account.calls:,} calls of AWS kept out; a peer that is missing is not installed")
    sys.exit(not show("rows a second", lines, peer="aiohttp loop"))


if __name__ == "__main__":
    main()
