"""Sample and grade one chunk of a run.

In: `GradeChunk`. Out: an object of output items, a row of counts written once, and, by whoever finds the last
chunk done, the end of the run. A row that a model or a grader cannot answer is errored with the reason; a
provider that is away sends the chunk back to its queue with nothing lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

import orjson

from foundation import blobs, lease, models
from foundation.errors import RetryLater
from foundation.evals import (
    ChunkCounts,
    CriterionResult,
    Eval,
    ModelUsage,
    ResultCounts,
    Run,
    graded_chunks,
    items_key,
    totals,
)
from foundation.events import GradeChunk
from foundation.models import Provider, ProviderAway
from grading.calls import opened
from grading.ended import end, tell_again
from grading.item import Graded, grade_row

_MARGIN_S = 5.0


def grade_chunk(message: GradeChunk, context: Any, provider: Provider | None = None) -> None:
    """Grade the chunk unless it is graded; end the run if nothing is left."""
    run = Run.find(message.run_id)
    if run is None or run.status == "canceled":
        return
    if run.ended:
        tell_again(run)
        return
    if message.chunk not in {chunk.chunk for chunk in graded_chunks(run.id)}:
        with lease.held(run.id, f"CHUNK#{message.chunk}", context):
            _grade(run, message, context, provider or models.providers())
    _finish_if_done(run, message.chunks)


def _grade(run: Run, message: GradeChunk, context: Any, provider: Provider) -> None:
    eval_ = Eval.load(run.eval_id)
    body = blobs.get(message.key, offset=message.offset, length=message.length)
    rows = [orjson.loads(line) for line in body.splitlines() if line.strip()]
    deadline_s = context.get_remaining_time_in_millis() / 1000 - _MARGIN_S
    prefix = f"runs/{run.id}/calls/{message.chunk:06d}/"

    async def work() -> list[Graded]:
        async with opened(prefix, provider, deadline_s) as calls:
            graded = [
                grade_row(run, eval_, message.first_row + position, row, calls) for position, row in enumerate(rows)
            ]
            return await _all(graded)

    try:
        graded = models.run(work())
    except ProviderAway as away:
        raise RetryLater(f"the model provider answers {away.status}") from away
    lines = b"\n".join(orjson.dumps(row.item) for row in graded)
    blobs.put(items_key(run.id, message.chunk), lines, content_type="application/jsonl")
    _counts(message, graded).write_once(run.id)


async def _all(rows: Sequence[Awaitable[Graded]]) -> list[Graded]:
    """Every row's result; an error only after all rows have ended, so that each paid answer is kept."""
    graded: list[Graded] = []
    failures: list[BaseException] = []
    for result in await asyncio.gather(*rows, return_exceptions=True):
        if isinstance(result, BaseException):
            failures.append(result)
        else:
            graded.append(result)
    if failures:
        raise failures[0]
    return graded


def _counts(message: GradeChunk, graded: list[Graded]) -> ChunkCounts:
    counts = ResultCounts(total=len(graded))
    usage: dict[str, ModelUsage] = {}
    criteria: dict[str, CriterionResult] = {}
    for row in graded:
        counts.errored += row.errored
        counts.passed += row.passed and not row.errored
        counts.failed += not row.passed and not row.errored
        for model, used in row.usage:
            usage.setdefault(model, ModelUsage(model_name=model)).add(used)
        for result in row.item["results"]:
            name = result["name"]
            seen = criteria.setdefault(name, CriterionResult(testing_criteria=name))
            seen.passed += result["passed"]
            seen.failed += not result["passed"]
    return ChunkCounts(
        chunk=message.chunk,
        chunks=message.chunks,
        first_row=message.first_row,
        counts=counts,
        usage=list(usage.values()),
        criteria=list(criteria.values()),
        latency_ms=sum(row.latency_ms for row in graded),
    )


def _finish_if_done(run: Run, chunks: int) -> None:
    graded = graded_chunks(run.id)
    if len(graded) == chunks:
        end(run, status="completed", **totals(graded))
