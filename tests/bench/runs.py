"""Runs for the benches: one `string_check` over rows of an uploaded file, planned and graded by the real entries."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import orjson

from evals.data_sources import CompletionsSource, FileId
from evals.eval import Eval
from evals.files import File, file_key
from evals.run import Run, new_run
from foundation import blobs
from foundation.ids import now
from grading.handler import grade_entry, plan_entry
from tests.bench.account import Account
from tests.bench.cut import Context, cut
from tests.bench.lambdas import queue_event
from tests.bench.upstream import MODEL, TEXT

_QUEUES = "https://sqs.us-east-1.amazonaws.com/123456789012/"
_CHECK = {
    "type": "string_check",
    "name": "not the question",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.question }}",
    "operation": "ne",
}

type Invoke = Callable[[Callable[[], dict[str, Any]]], dict[str, Any]]


def question(number: int) -> str:
    return f"{number}. {TEXT[:300]}"


class Runs:
    """Runs of one eval, in an account of its own."""

    def __init__(self, account: Account) -> None:
        cut(account)
        for name in ("PLAN", "GRADE", "NOTIFY"):
            os.environ[f"{name}_QUEUE_URL"] = f"{_QUEUES}{name}"
        self._account = account
        self._count = 0
        self._eval = Eval.model_validate(
            {"id": "eval_1", "created_at": now(), "name": "e", "data_source_config": {}, "testing_criteria": [_CHECK]}
        )
        self._eval.create()

    def started(self, rows: int) -> Run:
        """A new run over a file of so many rows, not yet planned. It samples anew what earlier runs have asked."""
        self._count += 1
        file_id = f"file-{self._count}"
        blobs.put_new_lines(file_key(file_id), (_line(number) for number in range(rows)))
        File(id=file_id, created_at=now(), bytes=0, filename="rows", purpose="evals", key=file_key(file_id)).create()
        source = CompletionsSource(
            type="completions", model=MODEL, fresh=True, source=FileId(type="file_id", id=file_id)
        )
        run = new_run(f"evalrun_{self._count}", self._eval, name="r", data_source=source)
        run.create()
        return run

    def plan(self, run: Run, invoke: Invoke | None = None) -> list[str]:
        """The messages of its chunks."""
        self._account.sent.clear()
        _deliver(plan_entry, f'{{"type": "PlanRun", "run_id": "{run.id}"}}', invoke)
        return list(self._account.sent)

    def grade(self, run: Run, chunks: list[str], invoke: Invoke | None = None) -> None:
        for chunk in chunks:
            _deliver(grade_entry, chunk, invoke)
        ended = Run.load(run.id)
        if (ended.status, ended.result_counts.passed) != ("completed", ended.rows):
            raise SystemExit(f"the run is wrong: {ended.status}, {ended.result_counts}")


def _line(number: int) -> bytes:
    item = {"input": [{"role": "user", "content": question(number)}], "question": question(number)}
    return orjson.dumps({"item": item}) + b"\n"


def _deliver(entry: Callable[[dict[str, Any], Any], dict[str, Any]], body: str, invoke: Invoke | None) -> None:
    def deliver() -> dict[str, Any]:
        return entry(queue_event([body]), Context())

    if (invoke(deliver) if invoke else deliver())["batchItemFailures"]:
        raise SystemExit("a message failed")
