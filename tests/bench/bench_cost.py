"""Dollars per million captured completions of 3 kB with three tags, counted call by call, a month of storage included.

In: template.yaml's memory, batch size and window; infra/aws-prices.json. Out: dollars per service and counts on
standard output; exit 1 where a target is missed. The real handlers run on an AWS in process (moto); the messages that
ingest sends are gathered as Lambda's pollers do and given to the recorder.

Counted: every request of boto3 and of the pollers, write and read units by DynamoDB's size rules, 64 KB chunks of the
queue, bytes kept and logged, CPU of our code. Assumed: each AWS call takes 5 ms with its client's CPU; completions come
evenly, `--rate` a second, and five pollers share them; receives bring ten messages; no cold starts, no free tier.
Left out, since it does not grow with them: the pollers' empty receives, about $0.26 a queue and month.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import Any

import orjson
from moto import mock_aws

from capture import handler
from tests.bench.cut import ENVIRONMENT, Context
from tests.bench.lambdas import REPOSITORY, Stack, batches, http_event, queue_event
from tests.bench.meter import AWS_CALL_MS, GB, Meter
from tests.bench.records import BYTES, pushes
from tests.bench.table import Line, say, show
from tests.flow.system import deploy

MILLION = 1_000_000
_POLLERS = 5
_WARMING = 20
_ACCEPTED = 202
_COLUMN = 16
# Point-in-time recovery is a choice of the template, and no part of what capturing and a month of storage cost.
_BACKUPS = "dynamodb.backup_gb_month"


@dataclass(frozen=True)
class Case:
    """How the completions come in."""

    name: str
    each: int
    front_door: bool
    most: float


CASES = (
    Case("singly, HTTP API", 1, front_door=True, most=2.5),
    Case("singly, URL", 1, front_door=False, most=2.5),
    Case("20 a push, API", 20, front_door=True, most=1.0),
)


def push(meter: Meter, bodies: Sequence[bytes], stack: Stack) -> None:
    for body in bodies:
        event = http_event("/v1/captures", body)
        answer = meter.invoke(partial(handler.http_entry, event, Context()), memory_mb=stack.ingest_mb)
        if answer["statusCode"] != _ACCEPTED:
            raise SystemExit(f"the push was answered {answer['statusCode']}: {answer['body']}")


def deliver(meter: Meter, queue: str, stack: Stack, in_a_window: int) -> int:
    """Give the queue's messages to the recorder; how many batches they came in."""
    count = 0
    for bodies in gathered(meter.sent.pop(queue, []), stack, in_a_window):
        count += 1
        meter.received(bodies)
        event = queue_event(bodies)
        answer = meter.invoke(partial(handler.record_entry, event, Context()), memory_mb=stack.recorder_mb)
        if answer["batchItemFailures"]:
            raise SystemExit(f"the recorder failed: {meter.logged.getvalue()[-2000:]}")
    return count


def gathered(messages: Sequence[str], stack: Stack, in_a_window: int) -> Iterator[list[str]]:
    """Batches: without a window what one receive brings, else what each of the pollers finds within it."""
    for first in range(0, len(messages), in_a_window):
        here = messages[first : first + in_a_window]
        for poller in range(_POLLERS if stack.window_s else 1):
            yield from batches(here[poller :: _POLLERS if stack.window_s else 1], stack.batch_size)


def run(case: Case, stack: Stack, *, least: int, rate: float) -> tuple[Meter, int, float]:
    """The meter, how many completions it saw, and how many came to the recorder at once."""
    in_a_window = max(1, round(rate * stack.window_s / case.each)) if stack.window_s else stack.batch_size
    a_window = in_a_window * case.each
    count = ceil(least / a_window) * a_window
    meter = Meter(platform_logs=stack.platform_logs)
    warming = min(_WARMING, least)
    bodies = pushes(warming * case.each + count, case.each, rate=rate)
    with mock_aws(), redirect_stdout(meter.logged):
        queue = deploy(os.environ.__setitem__, provider_url="http://127.0.0.1:9/v1").queues["RECORD"]
        with meter.counting():
            push(meter, bodies[:warming], stack)
            deliver(meter, queue, stack, in_a_window)
            meter.reset()
            push(meter, bodies[warming:], stack)
            invoked = deliver(meter, queue, stack, in_a_window)
    if case.front_door:
        meter.units["http_api.request"] += len(bodies) - warming
    meter.keep(backups=stack.backups)
    return meter, count, count / invoked


def dollars(units: Counter[str], prices: dict[str, Any], count: int) -> dict[str, float]:
    """What a million cost, by the names of the price list."""
    costs = {}
    for name, amount in units.items():
        service, _, unit = name.partition(".")
        price = prices[service][unit]
        costs[name] = amount * float(price["price"]) / price["per"] * MILLION / count
    return costs


def columns(name: str, cells: Sequence[str]) -> None:
    say(f"{name:<34}" + "".join(f"{cell:>{_COLUMN + 2}}" for cell in cells))


def report(prices: dict[str, Any], runs: dict[str, tuple[Meter, int, float]]) -> dict[str, float]:
    """Print dollars, then what they were counted from; the totals without backups."""
    bills = {name: dollars(meter.units, prices, count) for name, (meter, count, _) in runs.items()}
    totals = {name: sum(bill.values()) - bill.get(_BACKUPS, 0) for name, bill in bills.items()}
    columns("$ per million completions", list(runs))
    for unit in dict.fromkeys(f"{service}.{unit}" for service in prices for unit in _units(prices[service])):
        columns(unit, [f"{bill.get(unit, 0):.3f}" for bill in bills.values()])
    columns("total without backups", [f"{total:.3f}" for total in totals.values()])
    columns("total", [f"{totals[name] + bill.get(_BACKUPS, 0):.3f}" for name, bill in bills.items()])
    say()
    columns("counted, per 1,000 completions", [f"of {count:,}" for _, count, _ in runs.values()])
    for request in sorted({request for meter, _, _ in runs.values() for request in meter.requests}):
        columns(request, [f"{meter.requests[request] * 1000 / count:.1f}" for meter, count, _ in runs.values()])
    for unit in ("sqs.request", "lambda.request", "lambda.gb_second", "dynamodb.write_unit", "dynamodb.read_unit"):
        columns(unit, [f"{meter.units[unit] * 1000 / count:.2f}" for meter, count, _ in runs.values()])
    for unit in ("dynamodb.gb_month", "s3.gb_month", "logs.gb"):
        columns(f"{unit.partition('.')[0]} bytes, each", [f"{m.units[unit] * GB / n:.0f}" for m, n, _ in runs.values()])
    columns("completions a recorder's batch", [f"{together:.0f}" for _, _, together in runs.values()])
    say()
    return totals


def _units(service: Any) -> list[str]:
    return list(service) if isinstance(service, dict) else []


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--records", type=int, default=1000, help="at least so many completions are counted")
    arguments.add_argument("--rate", type=float, default=100.0, help="completions a second")
    wanted = arguments.parse_args()
    os.environ.update(ENVIRONMENT)
    prices = orjson.loads((REPOSITORY / "infra/aws-prices.json").read_bytes())
    stack = Stack.of_template()
    runs = {case.name: run(case, stack, least=wanted.records, rate=wanted.rate) for case in CASES}
    say(f"price of capture, {BYTES / 1000:g} kB completions with three tags, {wanted.rate:g} a second; prices of")
    say(
        f"{prices['as_of']}, {prices['region']}; {stack.ingest_mb} MB for ingest, {stack.recorder_mb} for the recorder,"
    )
    say(f"{AWS_CALL_MS:g} ms an AWS call; batches of up to {stack.batch_size} messages within {stack.window_s} s")
    say()
    totals = report(prices, runs)
    lines = [Line(case.name, totals[case.name], peer=case.most, most=case.most) for case in CASES]
    sys.exit(not show("$ per million, no backups", lines, peer="limit"))


if __name__ == "__main__":
    main()
