"""Sample and grade one chunk of a run.

In: `GradeChunk`. Out: an object of output items, a row of counts that is written once, and the end of the run if every
chunk is graded now. A row that a model or a grader cannot answer is errored with the reason. While a provider is away,
the chunk goes back to its queue with its paid answers kept, and the run shows that it waits (`pause.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from typing import Any

import orjson

from evals.counts import ChunkCounts, CriterionResult, ResultCounts, all_graded, graded_chunks, is_graded, totals
from evals.eval import Eval
from evals.one_answer import warnings_of
from evals.output_items import items_key
from evals.run import Run
from foundation import blobs, lease, loop
from foundation.events import GradeChunk
from grading import pause
from grading.calls import Calls, opened
from grading.ended import end, tell_again
from grading.item import GradedRow, Use, grade_row
from grading.paid import Paid
from providers import OverLimit, Provider, ProviderAway, registry
from providers.pins import Pinned
from providers.usage import ModelUsage

_MARGIN_S = 5.0
# While the provider is away a call is repeated for so long, before the chunk is put back and another takes its place.
_RETRY_S = 60.0
_RETRY_PAUSED_S = 5.0


def grade_chunk(message: GradeChunk, context: Any, provider: Provider | None = None) -> None:
    """Grade the chunk unless it is graded already; end the run if it was the last one."""
    run = Run.find(message.run_id)
    if run is None or run.status == "canceled":
        return
    if run.ended:
        tell_again(run)
        return
    if not is_graded(run.id, message.chunk):
        with lease.held(run.id, f"CHUNK#{message.chunk}", context):
            if pause.put_off(run, message) or not _grade(run, message, context, provider or _pinned(run)):
                return
    if all_graded(run.id, message.chunk, message.chunks):
        _complete(run)


def _pinned(run: Run) -> Provider:
    return Pinned(registry.paced_providers(), run.pins)


def _complete(run: Run) -> None:
    summed = totals(graded_chunks(run.id))
    warnings = warnings_of(Run.model_validate({**run.model_dump(), **summed}))
    end(run, status="completed", warnings=warnings, **summed)


def _grade(run: Run, message: GradeChunk, context: Any, provider: Provider) -> bool:
    """Grade the chunk's rows. Returns False if the provider was away and the chunk was put back."""
    eval_ = Eval.load(run.eval_id)
    body = blobs.get(message.key, offset=message.offset, length=message.length)
    rows = [orjson.loads(line) for line in body.splitlines() if line.strip()]
    deadline_s = context.get_remaining_time_in_millis() / 1000 - _MARGIN_S
    prefix = f"runs/{run.id}/calls/{message.chunk:06d}/"
    retry_s = _RETRY_PAUSED_S if run.paused else _RETRY_S
    calls = Calls(
        prefix,
        provider,
        deadline_s,
        paid=Paid.of(run),
        retry_s=retry_s,
        gives_up=pause.over(run),
        pins=run.pins,
    )

    async def work() -> list[GradedRow]:
        async with opened(calls):
            first = message.first_row
            return await _all([grade_row(run, eval_, number, row, calls) for number, row in enumerate(rows, first)])

    try:
        graded = loop.run(work())
    except ProviderAway as away:
        pause.pause(run, message, away, answered=calls.answered, failed=calls.failed)
        return False
    lines = b"\n".join(orjson.dumps(row.item) for row in graded)
    blobs.put(items_key(run.id, message.chunk), lines, content_type="application/jsonl")
    _counts(message, graded).write_once(run.id)
    if not calls.failed:
        pause.go_on(run)
    return True


async def _all(rows: Sequence[Awaitable[GradedRow]]) -> list[GradedRow]:
    """Every row's result. Raises an error only after all rows have ended, so that each paid answer is stored."""
    graded: list[GradedRow] = []
    failures: list[BaseException] = []
    for result in await asyncio.gather(*rows, return_exceptions=True):
        if isinstance(result, BaseException):
            failures.append(result)
        else:
            graded.append(result)
    if failures:
        raise _most_telling(failures)
    return graded


def _most_telling(failures: list[BaseException]) -> BaseException:
    """The failure to report: one of ours before the provider's, the provider's before a limit that has no room."""
    for failure in failures:
        if not isinstance(failure, ProviderAway):
            return failure
    for failure in failures:
        if not isinstance(failure, OverLimit):
            return failure
    return failures[0]


def _counts(message: GradeChunk, graded: list[GradedRow]) -> ChunkCounts:
    criteria: dict[str, CriterionResult] = {}
    for row in graded:
        for result in row.item["results"]:
            name = result["name"]
            criteria.setdefault(name, CriterionResult(testing_criteria=name)).add(result)
    latencies = sorted(row.latency_ms for row in graded if row.latency_ms > 0)
    errored = sum(row.errored for row in graded)
    passed = sum(row.passed and not row.errored for row in graded)
    counts = ResultCounts(total=len(graded), passed=passed, failed=len(graded) - passed - errored, errored=errored)
    return ChunkCounts(
        chunk=message.chunk,
        chunks=message.chunks,
        first_row=message.first_row,
        counts=counts,
        usage=_summed(use for row in graded for use in row.usage),
        answers=_summed(row.answered._replace(batch=False) for row in graded if row.answered),
        criteria=list(criteria.values()),
        latency_ms=sum(latencies),
        timed=len(latencies),
        latencies_ms=latencies,
    )


def _summed(uses: Iterable[Use]) -> list[ModelUsage]:
    by_model: dict[tuple[str, bool], ModelUsage] = {}
    for model, usage, batch in uses:
        by_model.setdefault((model, batch), ModelUsage(model_name=model, batch=batch)).add(usage)
    return list(by_model.values())
