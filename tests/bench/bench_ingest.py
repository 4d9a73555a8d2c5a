"""CPU of ingest and recorder per record of 3 kB, beside `orjson.loads` and zstd (level 3) of the same bytes.

In: `--records`, `--rounds`. Out: a table on standard output; exit 1 where a target is missed. The entries are Lambda's
own, warm, with the events that Lambda gives them; every boto3 call is answered before it is serialised or sent
(`cut.py`), so that its CPU is in no figure. The peer gets each pushed body as it came, whole. `--profile` adds what
takes the time.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from backports import zstd

from capture import handler
from tests.bench.cut import Context, cut
from tests.bench.lambdas import Stack, batches, http_event, queue_event
from tests.bench.records import BYTES, pushes
from tests.bench.table import Line, say, show

TARGET = 2.0
_ACCEPTED = 202


def peer(bodies: Sequence[bytes]) -> None:
    for body in bodies:
        orjson.loads(body)
        zstd.compress(body, 3)


def push(events: Sequence[dict[str, Any]]) -> None:
    for event in events:
        answer = handler.http_entry(event, Context())
        if answer["statusCode"] != _ACCEPTED:
            raise SystemExit(f"the push was answered {answer['statusCode']}: {answer['body']}")


def record(events: Sequence[dict[str, Any]]) -> None:
    for event in events:
        answer = handler.record_entry(event, Context())
        if answer["batchItemFailures"]:
            raise SystemExit("the recorder failed")


def cpu_us(work: Callable[[], None], records: int) -> float:
    """Microseconds of CPU, all threads, that a record takes."""
    gc.collect()
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1e6 / records


def measure(works: dict[str, Callable[[], None]], records: int, rounds: int) -> dict[str, float]:
    """The median of each; they take turns, so that whatever else the machine does falls on all."""
    for work in works.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(cpu_us(work, records))
    return {name: statistics.median(taken) for name, taken in times.items()}


def profile(name: str, work: Callable[[], None]) -> None:
    say(f"--- {name}")
    profiler = cProfile.Profile()
    profiler.runcall(work)
    pstats.Stats(profiler, stream=sys.stdout).strip_dirs().sort_stats("tottime").print_stats(25)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--records", type=int, default=800)
    arguments.add_argument("--rounds", type=int, default=9)
    arguments.add_argument("--profile", action="store_true")
    wanted = arguments.parse_args()
    account = cut()
    batch = Stack.of_template().batch_size
    lines: list[Line] = []
    for each in (1, 20, 400):
        bodies = pushes(wanted.records, each)
        events = [http_event("/v1/captures", body) for body in bodies]
        account.sent.clear()
        push(events)
        queued = [queue_event(some) for some in batches(account.sent, batch)]
        works: dict[str, Callable[[], None]] = {
            "peer": lambda bodies=bodies: peer(bodies),
            "ingest": lambda events=events: push(events),
            "recorder": lambda queued=queued: record(queued),
        }
        taken = measure(works, wanted.records, wanted.rounds)
        for name in ("ingest", "recorder"):
            lines.append(Line(f"{name}, pushes of {each}", taken[name], peer=taken["peer"], most_ratio=TARGET))
            if wanted.profile:
                profile(f"{name}, pushes of {each}", works[name])
    say(f"ingest and recorder, {BYTES / 1000:g} kB records, up to {batch} messages a batch, AWS calls cut away;")
    say("the peer is orjson.loads and zstd-3 of each pushed body")
    sys.exit(not show("CPU, µs a record", lines, peer="loads + zstd"))


if __name__ == "__main__":
    main()
