"""Sum up a run's graded rows: counts, usage by model, results and scores by criterion.

Each graded chunk writes one row with its sums to the table, once; a run shows the total of those rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, Self

from pydantic import BaseModel, Field

from foundation import table
from providers.usage import ModelUsage
from stats.moments import Moments
from stats.quantile import nearest_rank

_A_FEW = 4


class ResultCounts(BaseModel):
    """How many rows passed, failed or could not be graded."""

    total: int = 0
    passed: int = 0
    failed: int = 0
    errored: int = 0


class CriterionResult(BaseModel):
    """A criterion's results over a run. `failed` includes the `errored` rows, which have no score."""

    testing_criteria: str
    passed: int = 0
    failed: int = 0
    errored: int = 0
    scores: Moments = Moments()
    fractions: bool = False
    """Whether some score is neither 0 nor 1, so that their mean says more than the pass rate."""

    def add(self, result: dict[str, Any]) -> None:
        """Add one result of an output item."""
        self.passed += result["passed"]
        self.failed += not result["passed"]
        score = result["score"]
        if "error" in (result.get("sample") or {}):
            self.errored += 1
        elif math.isfinite(score):
            self.scores = self.scores.plus(Moments.of([score]))
            self.fractions |= score not in {0, 1}

    def merge(self, other: Self) -> None:
        """Add the results of the same criterion in another chunk."""
        self.passed += other.passed
        self.failed += other.failed
        self.errored += other.errored
        self.scores = self.scores.plus(other.scores)
        self.fractions |= other.fractions


class ChunkCounts(BaseModel):
    """What one graded chunk adds to its run."""

    chunk: int
    chunks: int
    first_row: int
    counts: ResultCounts
    usage: list[ModelUsage]
    """What this run paid for."""
    answers: list[ModelUsage] = Field(default_factory=list)
    """What the graded answers took, whoever paid for them, none of them by batch."""
    criteria: list[CriterionResult]
    latency_ms: int = 0
    timed: int = 0
    """Rows whose latency is known; `latency_ms` is their sum."""
    latencies_ms: list[int] = Field(default_factory=list)
    """Those latencies, in ascending order."""

    def write_once(self, run_id: str) -> None:
        table.put_new({"pk": run_id, "sk": f"CHUNK#{self.chunk:06d}", "doc": self.model_dump_json()})


def is_graded(run_id: str, chunk: int) -> bool:
    return table.get(run_id, f"CHUNK#{chunk:06d}") is not None


def all_graded(run_id: str, chunk: int, chunks: int) -> bool:
    """Tell whether every chunk of a run is graded; called after each graded chunk.

    Chunks are counted by hundreds, so that a run of thousands is not read as a whole after each of them.
    """
    hundred = chunk // 100
    graded = sum(1 for _ in table.query(run_id, prefix=f"CHUNK#{hundred:04d}"))
    if graded < min(100, chunks - 100 * hundred):
        return False
    hundreds = -(-chunks // 100)
    if hundreds == 1:
        return True
    table.put({"pk": run_id, "sk": f"HUNDRED#{hundred:04d}"})
    return sum(1 for _ in table.query(run_id, prefix="HUNDRED#")) == hundreds


def graded_chunks(run_id: str) -> list[ChunkCounts]:
    """The chunks graded so far, in order."""
    return [ChunkCounts.model_validate_json(row["doc"]) for row in table.query(run_id, prefix="CHUNK#")]


def chunks_from(run_id: str, first: int | None, *, descending: bool = False) -> Iterator[ChunkCounts]:
    """The chunks graded so far from this one on, or all of them, read a few at a time."""
    at = None if first is None else f"CHUNK#{first + 1 if descending else first - 1:06d}"
    while True:
        before, after = (at, None) if descending else (None, at)
        page = table.query(run_id, prefix="CHUNK#", after=after, before=before, descending=descending, limit=_A_FEW)
        rows = list(page)
        yield from (ChunkCounts.model_validate_json(row["doc"]) for row in rows)
        if len(rows) < _A_FEW:
            return
        at = rows[-1]["sk"]


def totals(chunks: list[ChunkCounts]) -> dict[str, Any]:
    """The sums that a run shows: counts, usage by model, results by criterion, latency."""
    counts = ResultCounts()
    criteria: dict[str, CriterionResult] = {}
    for chunk in chunks:
        for name in ("total", "passed", "failed", "errored"):
            setattr(counts, name, getattr(counts, name) + getattr(chunk.counts, name))
        for result in chunk.criteria:
            seen = criteria.setdefault(
                result.testing_criteria, CriterionResult(testing_criteria=result.testing_criteria)
            )
            seen.merge(result)
    return {
        "result_counts": counts.model_dump(),
        "per_model_usage": _merged(used for chunk in chunks for used in chunk.usage),
        "answer_usage": _merged(used for chunk in chunks for used in chunk.answers),
        "per_testing_criteria_results": [result.model_dump() for result in criteria.values()],
        "latency_ms": sum(chunk.latency_ms for chunk in chunks),
        "timed_rows": sum(chunk.timed for chunk in chunks),
        **_quantiles(sorted(latency for chunk in chunks for latency in chunk.latencies_ms)),
    }


def _quantiles(latencies: list[int]) -> dict[str, int | None]:
    return {
        f"latency_{name}_ms": nearest_rank(latencies, share) if latencies else None
        for name, share in (("p50", 0.5), ("p95", 0.95))
    }


def _merged(usages: Iterable[ModelUsage]) -> list[dict[str, Any]]:
    by_model: dict[tuple[str, bool], ModelUsage] = {}
    for used in usages:
        fresh = ModelUsage(model_name=used.model_name, batch=used.batch)
        by_model.setdefault((used.model_name, used.batch), fresh).merge(used)
    return [used.model_dump() for used in by_model.values()]
