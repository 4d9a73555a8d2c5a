"""Compare the grades that Stillhouse computed with those that were recorded in the rows.

In: runs in Stillhouse. Out: counts by kind of criterion, in the report. Waits up to `wait_s` seconds until the runs
have ended; a run that has not ended by then is named in the report.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from stillhouse.importing.evals.receiver import Receiver
from stillhouse.importing.evals.report import Report
from stillhouse.wording import counted

_POLL_S = 2.0
_OPEN = frozenset({"queued", "in_progress"})


def check_grades(
    receiver: Receiver,
    runs: list[dict[str, Any]],
    report: Report,
    *,
    wait_s: float,
    pause: Callable[[float], None],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    until = clock() + wait_s
    for run in runs:
        ended = run
        while ended["status"] in _OPEN and clock() < until:
            pause(_POLL_S)
            ended = receiver.run(run)
        if ended["status"] == "completed":
            _count(receiver, ended, report)
        else:
            why = (ended.get("error") or {}).get("message") or "compare it later by the same command"
            report.change(f"run {ended['id']} “{ended['name']}”", f"{ended['status']} here: {why}")


def _count(receiver: Receiver, run: dict[str, Any], report: Report) -> None:
    kinds: dict[str, str] = {}
    differing = 0
    for item in receiver.items(run):
        for result in item["results"]:
            kind = kinds.setdefault(result["name"], _kind(result))
            if result.get("recorded"):
                report.kept[kind] += 1
            elif "recorded_grade" in result:
                same = result["recorded_grade"]["passed"] == result["passed"]
                report.compared[kind] += 1
                report.agreed[kind] += same
                differing += not same
    if differing:
        report.differing.append(f"{counted(differing, 'grade')} of run {run['id']} “{run['name']}”")


def _kind(result: dict[str, Any]) -> str:
    metric = (result.get("sample") or {}).get("metric")
    return f"{result['type']} {metric}" if metric else str(result["type"])
