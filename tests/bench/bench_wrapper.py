"""What the client wrapper costs its caller per call, beside the bare SDK in the same run.

In: nothing. Out: a table on standard output; exit 1 where a target is missed. Provider and Stillhouse are small servers
in a process of their own; calls of the bare and the wrapped client take turns, so that whatever else the machine does
falls on both. The wrapped client stands before a Stillhouse that takes the pushes, one that refuses connections, and
one that never answers.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import tempfile
import time
from typing import NamedTuple

from openai import OpenAI

from stillhouse import capture
from tests.bench.table import say
from tests.bench.upstream import MESSAGES, METADATA, PIECES, completion, upstream

TARGET_MS = 0.3
COLUMNS = ("overhead", "first quarter", "last quarter", "of it CPU here")


class Times(NamedTuple):
    """Milliseconds of one call: on the clock, and of CPU in the calling thread."""

    clock: float
    cpu: float


def call(client: OpenAI, *, streamed: bool) -> Times:
    clock, cpu = time.perf_counter(), time.thread_time()
    if streamed:
        for _ in client.chat.completions.create(
            model="big", messages=MESSAGES, metadata=METADATA, store=True, stream=True
        ):
            pass
    else:
        client.chat.completions.create(model="big", messages=MESSAGES, metadata=METADATA, store=True)
    return Times((time.perf_counter() - clock) * 1000, (time.thread_time() - cpu) * 1000)


def compare(bare: OpenAI, wrapped: OpenAI, calls: int, *, streamed: bool = False) -> list[tuple[Times, Times]]:
    """Pairs of a bare and a wrapped call; who comes first takes turns too."""
    pairs: list[tuple[Times, Times]] = []
    for number in range(calls):
        if number % 2:
            first = call(bare, streamed=streamed)
            pairs.append((first, call(wrapped, streamed=streamed)))
        else:
            first = call(wrapped, streamed=streamed)
            pairs.append((call(bare, streamed=streamed), first))
    return pairs


def report(name: str, pairs: list[tuple[Times, Times]]) -> bool:
    """Print one case; whether its overhead is within the target."""
    quarter = max(1, len(pairs) // 4)
    over = [wrapped.clock - bare.clock for bare, wrapped in pairs]
    overhead = statistics.median(over)
    columns = [
        overhead,
        statistics.median(over[:quarter]),
        statistics.median(over[-quarter:]),
        statistics.median(wrapped.cpu - bare.cpu for bare, wrapped in pairs),
    ]
    met = overhead <= TARGET_MS
    beside = f"{name:<24}{statistics.median(bare.clock for bare, _ in pairs):>10.3f}"
    say(beside + "".join(f"{column:>+15.3f}" for column in columns) + ("  met" if met else "  MISSED"))
    return met


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--calls", type=int, default=1000)
    calls = arguments.parse_args().calls
    logging.getLogger("stillhouse").setLevel(logging.ERROR)
    size = len(json.dumps(MESSAGES)) + len(completion(1))
    say(f"client wrapper, {size / 1000:.1f} kB completions: ms per call, medians of {calls} pairs of calls, one bare")
    say(f"and one wrapped; the overhead is the median difference in a pair, target +{TARGET_MS}")
    say(f"{'Stillhouse':<24}{'bare SDK':>10}" + "".join(f"{column:>15}" for column in COLUMNS))
    met = True
    with upstream() as servers, tempfile.TemporaryDirectory() as spool:
        bare = OpenAI(base_url=servers.provider, api_key="k", max_retries=0)
        cases = [
            ("takes the pushes", servers.provider, calls, False),
            ("refuses connections", "http://127.0.0.1:9/v1", calls, False),
            ("never answers", servers.silent, calls, False),
            (f"takes them, {PIECES} chunks", servers.provider, max(1, calls // 5), True),
        ]
        for name, url, times, streamed in cases:
            client = OpenAI(base_url=servers.provider, api_key="k", max_retries=0)
            wrapped = capture(client, base_url=url, api_key="sk-sh-bench", spool=spool)
            compare(bare, wrapped, min(20, calls), streamed=streamed)
            met &= report(name, compare(bare, wrapped, times, streamed=streamed))
            wrapped.stillhouse.close(1)  # type: ignore[attr-defined]
    say()
    sys.exit(not met)


if __name__ == "__main__":
    main()
