"""A run of 100,000 rows: its AWS requests and dollars, counted call by call, and its memory beside that of a tenth.

In: `--rows`, infra/aws-prices.json. Out: counts on standard output; exit 1 where memory grows with the rows. The real
entries plan the run from an uploaded file, grade it chunk by chunk and list a page of its end. The provider answers in
process. AWS is a few dictionaries and a folder (`account.py`). Memory is the peak of a process of its own that
remembers no paid answer's row; the dollars are those of `bench_cost.py`, without a month of storage and without what
the model takes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from providers.openai_compatible import OpenAICompatible
from tests.bench.account import Account
from tests.bench.apart import apart
from tests.bench.cut import ENVIRONMENT, Context
from tests.bench.lambdas import REPOSITORY, http_event
from tests.bench.meter import Meter
from tests.bench.runs import Runs
from tests.bench.table import Line, say, show
from tests.bench.upstream import MODEL

MOST_GROWTH = 1.25
_KB_A_MB = 1024
_MEMORY_MB = 1024
_PAGE = 100


async def answered(*_: Any, **__: Any) -> dict[str, Any]:
    """What the provider says."""
    await asyncio.sleep(0)
    message = {"role": "assistant", "content": "yes"}
    return {
        "id": "chatcmpl-1",
        "model": MODEL,
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 90, "completion_tokens": 1, "total_tokens": 91},
    }


def peak_mb(rows: int) -> float:
    """Of planning and grading so many rows."""
    runs = Runs(Account(forgotten=("CALL#",)))
    run = runs.started(rows)
    runs.grade(run, runs.plan(run))
    # Not getrusage, whose peak is also that of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / _KB_A_MB


def counted(rows: int) -> tuple[Meter, Runs, str]:
    """Every request of planning and grading so many rows."""
    meter = Meter(platform_logs=True)
    runs = Runs(Account())
    run = runs.started(rows)

    def invoke(deliver: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        return meter.invoke(deliver, memory_mb=_MEMORY_MB)

    with meter.counting():
        chunks = runs.plan(run, invoke)
        for chunk in chunks:
            meter.received([chunk])
        runs.grade(run, chunks, invoke)
    return meter, runs, run.id


def page(run_id: str, after: str | None) -> tuple[dict[str, Any], Meter, float]:
    """A page of output items, what it asks of AWS, and its seconds."""
    from api.handler import http_entry

    event = http_event(f"/v1/evals/eval_1/runs/{run_id}/output_items", b"")
    event["requestContext"]["http"]["method"] = "GET"
    event["queryStringParameters"] = {"limit": str(_PAGE), **({"after": after} if after else {})}
    meter = Meter(platform_logs=True)
    with meter.counting():
        started = time.perf_counter()
        answer = http_entry(event, Context())
        took = time.perf_counter() - started
    if answer["statusCode"] != 200:
        raise SystemExit(answer["body"])
    return orjson.loads(answer["body"]), meter, took


def report(rows: int) -> None:
    from evals.output_items import output_item_id

    meter, _, run_id = counted(rows)
    prices = orjson.loads((REPOSITORY / "infra/aws-prices.json").read_bytes())
    total = 0.0
    for unit, amount in sorted(meter.units.items()):
        service, _, name = unit.partition(".")
        price = prices[service][name]
        dollars = amount * float(price["price"]) / price["per"]
        total += dollars
        say(f"{unit:<28}{amount:>14,.1f}{dollars:>12.4f} $")
    say(f"{'total':<42}{total:>12.4f} $")
    for request, count in meter.requests.most_common():
        say(f"{request:<32}{count:>10,}")
    say()
    for name, after in (("first", None), ("last", output_item_id(run_id, rows - _PAGE - 1))):
        items, asked, took = page(run_id, after)
        units = asked.units["dynamodb.read_unit"]
        say(
            f"{name} page: {len(items['data'])} items, {asked.requests.total()} requests, {units:g} read units, "
            f"{took * 1000:.0f} ms of our own"
        )
    say()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=100_000)
    wanted = arguments.parse_args()
    os.environ.update(ENVIRONMENT)
    OpenAICompatible._ask = answered  # type: ignore[method-assign]
    # First, while this process has little of its own.
    few, many = apart(peak_mb, wanted.rows // 10), apart(peak_mb, wanted.rows)
    say(f"{wanted.rows:,} rows, each sampled and checked; the model's own price is not among the dollars")
    report(wanted.rows)
    growth = Line("planning and grading, peak MB", many, few, most_ratio=MOST_GROWTH)
    sys.exit(not show(f"{wanted.rows:,} rows", [growth], peer=f"{wanted.rows // 10:,} rows"))


if __name__ == "__main__":
    main()
