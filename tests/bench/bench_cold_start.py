"""Cold start of the ingest function, beside bare boto3 clients of the services that its first request calls.

In: nothing. Out: a table on standard output; exit 1 where the target is missed. Ours is a fresh process that imports
`capture.handler` and takes one push, boto3's calls answered before they are sent (`cut.py`); the peer is a fresh
process that makes the clients. Both run from byte code, ours compiled as `make build` does it; a second pair shows the
price of a package without. With AWS cut away a start waits for nothing but the disk, so its CPU is judged: the clock
has what else the machine does. `--imports` adds what the imports take.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import py_compile
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.cut import ENVIRONMENT
from tests.bench.lambdas import REPOSITORY, http_event
from tests.bench.records import pushes
from tests.bench.table import Line, say, show

TARGET = 1.5
_OURS = """
import json, sys, time
from tests.bench.cut import Context, cut
event = json.loads(sys.argv[1])
started = time.perf_counter(), time.process_time()
from capture import handler
account = cut()
answer = handler.http_entry(event, Context())
took = time.perf_counter() - started[0], time.process_time() - started[1]
assert answer["statusCode"] == 202, answer
print(json.dumps([*took, sorted(account.services)]))
"""
_BARE = """
import json, sys, time
from tests.bench.cut import Context, cut
services = json.loads(sys.argv[1])
started = time.perf_counter(), time.process_time()
import boto3
for service in services:
    boto3.client(service)
took = time.perf_counter() - started[0], time.process_time() - started[1]
print(json.dumps([*took, services]))
"""


class Start(NamedTuple):
    """Milliseconds on the clock and of CPU, and the services called."""

    clock: float
    cpu: float
    services: list[str]


def start(script: str, argument: Any, code: Path, **environment: str) -> Start:
    """One fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(argument)],
        env={**os.environ, **ENVIRONMENT, "PYTHONPATH": f"{code}{os.pathsep}{REPOSITORY}", **environment},
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    clock, cpu, services = json.loads(done.stdout.splitlines()[-1])
    return Start(clock * 1000, cpu * 1000, services)


def by_turns(event: Any, code: Path, rounds: int, **environment: str) -> tuple[list[Start], list[Start]]:
    """Ours and the bare clients, one after the other; the first of each only warms the disk."""
    services = start(_OURS, event, code, **environment).services
    start(_BARE, services, code, **environment)
    pairs = [
        (start(_OURS, event, code, **environment), start(_BARE, services, code, **environment)) for _ in range(rounds)
    ]
    return [ours for ours, _ in pairs], [bare for _, bare in pairs]


def lines(name: str, ours: Sequence[Start], bare: Sequence[Start], most: float | None) -> list[Line]:
    def middle(starts: Sequence[Start], field: str) -> float:
        return statistics.median(getattr(start, field) for start in starts)

    return [
        Line(f"{name}, CPU", middle(ours, "cpu"), middle(bare, "cpu"), most_ratio=most),
        Line(f"{name}, on the clock", middle(ours, "clock"), middle(bare, "clock")),
    ]


def imports(code: Path) -> None:
    """What each import takes, the slowest first: microseconds of itself, and with all that it brings."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import capture.handler"],
        env={**os.environ, "PYTHONPATH": str(code)},
        capture_output=True,
        check=True,
        text=True,
    )
    rows = [line.removeprefix("import time:") for line in done.stderr.splitlines() if "|" in line][1:]
    for row in sorted(rows, key=lambda row: -int(row.split("|")[1]))[:50]:
        say(row)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=15)
    arguments.add_argument("--imports", action="store_true")
    wanted = arguments.parse_args()
    event = http_event("/v1/captures", pushes(1, 1)[0])
    with tempfile.TemporaryDirectory() as folder:
        code, nowhere = Path(folder, "services"), Path(folder, "nowhere")
        shutil.copytree(REPOSITORY / "services", code, ignore=shutil.ignore_patterns("__pycache__"))
        compileall.compile_dir(code, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        if wanted.imports:
            imports(code)
        ours, bare = by_turns(event, code, wanted.rounds)
        report = lines("with byte code", ours, bare, TARGET)
        plain = {"PYTHONPYCACHEPREFIX": str(nowhere), "PYTHONDONTWRITEBYTECODE": "1"}
        report += lines("without", *by_turns(event, code, min(wanted.rounds, 4), **plain), None)
    say("cold start of the ingest function, import to the first answer; the peer makes the bare boto3 clients it")
    say(f"needs ({', '.join(ours[0].services)}); medians of {wanted.rounds} fresh processes each, by turns")
    sys.exit(not show("ms", report, peer="boto3 clients"))


if __name__ == "__main__":
    main()
