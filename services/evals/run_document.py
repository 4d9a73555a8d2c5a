"""A run as it is shown: OpenAI's fields, and ours beside them."""

from __future__ import annotations

from typing import Literal

from evals.call_costs import cost_of_a_call, mean_latency_ms
from evals.counts import ResultCounts, graded_chunks, totals
from evals.data_sources import DataSource
from evals.figures import RunFigures, run_figures
from evals.run import Run, RunStatus
from foundation.document import Document
from foundation.later import Pause
from foundation.settings import settings
from providers.prices import cost_nanodollars
from providers.usage import ModelUsage


class CriterionCounts(Document):
    """How many rows a criterion passed and failed."""

    testing_criteria: str
    """The criterion's id."""
    passed: int
    failed: int
    """With those that it could not grade."""


class RunDocument(RunFigures):
    """One pass of an eval over rows."""

    id: str
    object: Literal["eval.run"] = "eval.run"
    created_at: int
    """Seconds UTC."""
    eval_id: str
    status: RunStatus
    model: str
    """The model under test; empty where the rows bring their samples and nobody said whose."""
    name: str
    data_source: DataSource
    result_counts: ResultCounts
    per_model_usage: list[ModelUsage]
    cost_usd: float | None
    """What the run has paid for so far, its judges' calls among it, in US dollars; null where a price is not known."""
    call_cost_usd: float | None
    """What one call of the model under test costs, whoever paid for it; null where price or usage is not known."""
    latency_ms: float | None
    """The mean latency of the graded answers, of those whose latency is known."""
    per_testing_criteria_results: list[CriterionCounts]
    error: dict[str, str] | None
    """Code and message of what ended the run as failed."""
    metadata: dict[str, str] | None
    served_by: dict[str, str]
    """By the name of each model that is asked, `provider/model` of who answers; decided once, when it is planned."""
    paused: Pause | None
    """Null unless the run waits for a provider that is away."""
    warnings: list[str]
    """What makes a completed run's figures doubtful: the criteria that gave one answer on all rows of all models."""
    report_url: str
    """Its page, for people."""


def run_document(run: Run) -> RunDocument:
    """The run with the counts so far; a chunk at work may raise those of a run after it was canceled or failed."""
    if run.status != "completed":
        run = Run.model_validate({**run.model_dump(), **totals(graded_chunks(run.id))})
    criteria = [
        CriterionCounts(testing_criteria=result.testing_criteria, passed=result.passed, failed=result.failed)
        for result in run.per_testing_criteria_results
    ]
    return RunDocument(
        id=run.id,
        created_at=run.created_at,
        eval_id=run.eval_id,
        status=run.status,
        model=run.model,
        name=run.name,
        data_source=run.data_source,
        result_counts=run.result_counts,
        per_model_usage=run.per_model_usage,
        cost_usd=_dollars(cost_nanodollars(run.per_model_usage)),
        call_cost_usd=_dollars(cost_of_a_call(run)),
        latency_ms=mean_latency_ms(run),
        per_testing_criteria_results=criteria,
        error=run.error,
        metadata=run.metadata,
        served_by={name: f"{pin.provider}/{pin.model}" for name, pin in run.pins.items()},
        paused=run.paused,
        warnings=run.warnings,
        report_url=f"{settings().API_URL.removesuffix('/v1')}/evals/{run.eval_id}/runs/{run.id}",
        **dict(run_figures(run)),
    )


def _dollars(nanodollars: float | None) -> float | None:
    return None if nanodollars is None else nanodollars / 1e9
