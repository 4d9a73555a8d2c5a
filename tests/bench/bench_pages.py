"""The web pages over 100,000 completions, runs of 10,000 rows and 50 models: server time, and its growth from 1,000.

In: `--records`, `--rounds`. Out: a table on standard output; exit 1 where a target is missed. Every page that links
lead to is asked for by the real handler, which asks the API's real handler over HTTP. AWS is in process (moto), whose
own time is in the figure, as is that of both functions on one interpreter. So CPU is judged: the clock has what else
the machine does. A page's figure is the median of `--rounds` visits after one that is not counted. The peer is the same
page over a hundredth of the completions and of the rows. The first page after a cold start is a new process, AWS cut
away, that imports both handlers and serves the sign-in and a list.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from moto import mock_aws

from foundation.ids import now
from foundation.settings import settings
from providers.model_version import ModelVersion
from tests import moves
from tests.bench.apart import apart
from tests.bench.cut import ENVIRONMENT
from tests.bench.lambdas import REPOSITORY
from tests.bench.stored import fill
from tests.bench.table import Line, say, show
from tests.dashboard.browser import Browser, api_of
from tests.dashboard.crawl import crawled, kind_of
from tests.flow.system import System, deploy
from tests.gateway.provider import Scripted, served
from tests.quick_aws import quicken

WARM_S, COLD_S = 0.3, 1.5
_ROWS_OF_RECORDS = 10
_SMALL, _SMALLEST = 100, 20
_NAMED = 2000
_CHECK = {
    "type": "string_check",
    "name": "right",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference }}",
    "operation": "eq",
}
_COLD = """
import json, sys, time
from tests.bench.cut import Context, cut
started = time.process_time()
from dashboard import handler
account = cut()
event = json.loads(sys.argv[1])
page = handler.http_entry(event, Context())
took = time.process_time() - started
assert page["statusCode"] == 200, page
started = time.process_time()
from api import handler
from tests.bench.cut import KEY
event["headers"]["authorization"] = f"Bearer {KEY}"
answer = handler.http_entry({**event, "rawPath": "/v1/chat/completions"}, Context())
assert answer["statusCode"] == 200, answer
print(json.dumps(took + time.process_time() - started))
"""


@contextmanager
def stack(records: int, models: int) -> Iterator[tuple[str, Browser]]:
    """A system with so many completions and models, two runs of a tenth as many rows, and a visitor."""
    script = Scripted()
    script.models = [f"model-{number}" for number in range(models)]
    with mock_aws(), served(script) as provider:
        system = deploy(os.environ.__setitem__, provider_url=provider)
        fill(records, named=min(records, _NAMED))
        for number in range(models):
            ModelVersion(id=f"ft:model-{number}", created_at=now(), base="model-1", trainer="default").create()
        comparison = measure(system, max(10, records // _ROWS_OF_RECORDS))
        with api_of(system) as address:
            os.environ["API_URL"] = address
            settings.cache_clear()
            browser = Browser()
            browser.sign_in()
            yield comparison, browser


def measure(system: System, rows: int) -> str:
    """Make two runs of one eval, each over so many rows with their answers; the page that has them side by side."""
    config = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
    body = {"name": "bench", "data_source_config": config, "testing_criteria": [_CHECK]}
    eval_id = system.ok("POST", "/v1/evals", body)["id"]
    runs = []
    for wrong in (3, 4):
        content = [
            {"item": {"reference": "yes"}, "sample": {"output_text": "no" if number % wrong == 0 else "yes"}}
            for number in range(rows)
        ]
        source = {"type": "jsonl", "source": {"type": "file_content", "content": content}}
        run = system.ok("POST", f"/v1/evals/{eval_id}/runs", {"name": f"of {wrong}", "data_source": source})
        runs.append(run["id"])
        system.settle(rounds=2000)
    return f"/evals/{eval_id}/compare?run={runs[0]}&baseline={runs[1]}"


def warm(records: int, models: int, visits: int) -> dict[str, float]:
    """By the kind of a page, the seconds of its slowest one."""
    os.environ.update(ENVIRONMENT)
    quicken()
    moves.install()
    slowest: dict[str, float] = {}
    with stack(records, models) as (comparison, browser):
        for path in crawled(browser, "/", "/distillations/new", "/evals/new", comparison):
            seconds = [_asked(browser, path) for _ in range(visits)]
            kind = kind_of(path)
            slowest[kind] = max(slowest.get(kind, 0.0), statistics.median(seconds))
    return slowest


def _target(kind: str) -> float | None:
    """A page's own; none for what says beforehand that it counts everything, and takes seconds."""
    return None if kind.endswith("?all") else WARM_S


def _asked(browser: Browser, path: str) -> float:
    started = time.process_time()
    browser.page(path)
    return time.process_time() - started


def cold() -> float:
    """Seconds of the first page, the sign-in, and of the API's first answer, in a process that has imported nothing."""
    event = {
        "version": "2.0",
        "rawPath": "/sign-in",
        "rawQueryString": "",
        "headers": {},
        "requestContext": {"http": {"method": "GET", "path": "/v1/chat/completions"}, "stage": "$default"},
        "isBase64Encoded": False,
    }
    return float(_in_a_new_process("-c", _COLD, orjson.dumps(event).decode()))


def _in_a_new_process(*arguments: str) -> Any:
    """What a Python of its own writes as its last line."""
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **ENVIRONMENT, "API_URL": "https://example.org/v1", "PYTHONPATH": "client:services:."},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise SystemExit(ended.stderr)
    return json.loads(ended.stdout.splitlines()[-1])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--records", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=3, help="visits of each page, and cold starts")
    arguments.add_argument("--models", type=int, default=50)
    arguments.add_argument("--no-cold", action="store_true", help="without cold starts")
    asked = arguments.parse_args()
    records = asked.records
    firsts = [cold() for _ in range(0 if asked.no_cold else asked.rounds)]
    sizes = dict.fromkeys((max(_SMALLEST, records // _SMALL), records))
    of_size = {size: apart(warm, size, asked.models, asked.rounds) for size in sizes}
    small, large = of_size[next(iter(sizes))], of_size[records]
    say(f"pages over {records:,} completions, runs of {records // _ROWS_OF_RECORDS:,} rows, {asked.models} models")
    lines = [Line(kind, seconds, peer=small.get(kind), most=_target(kind)) for kind, seconds in sorted(large.items())]
    if firsts:
        lines.append(Line("the first page after a cold start", statistics.median(firsts), most=COLD_S))
    sys.exit(not show("seconds", lines, peer=f"{records // _SMALL:,} completions"))


if __name__ == "__main__":
    main()
