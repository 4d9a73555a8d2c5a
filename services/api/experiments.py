"""Experiments: the attempts at one task beside each other, and what changed between two of them.

A task is an eval, an attempt a distillation that was measured by it. In: distillations as they stand. Out: what each
was made of, what it scored and what it cost; attempts on the same frozen test rows have the same `test_rows_id`.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import Any, Literal

from api.experiment_difference import ExperimentDifference, difference
from distillations import lineage
from distillations.costs import DistillationCosts
from distillations.dataset import Dataset
from distillations.distillation import Distillation, Status
from distillations.model_score import ModelScore
from distillations.verdict import Decision
from evals.data_sources import FileId
from evals.eval import Eval
from evals.stored_figures import time_check
from foundation import http, table
from foundation.document import Document
from foundation.errors import ApiError, NotFound
from foundation.routes import AFTER, LIMIT, Query, Routes
from stats import Interval

router = Routes("Experiments")
_NEWEST = 200
"""The newest distillations that the list of tasks is made of."""


class Best(Document):
    """The attempt with the highest score, on whatever rows it was measured."""

    distillation_id: str
    score: ModelScore


class Experiment(Document):
    """A task: an eval, and how often a model was distilled for it."""

    id: str
    """The eval's id."""
    object: Literal["experiment"] = "experiment"
    name: str
    """The eval's name; empty where the eval was deleted."""
    attempts: int
    """How many of the 200 newest distillations were measured by it."""
    best: Best | None
    """Null until an attempt has a verdict."""
    last_at: int
    """When the newest attempt was begun, in seconds since the epoch."""


class ExperimentAttempt(Document):
    """A distillation as an attempt at its task."""

    id: str
    """The distillation's id."""
    object: Literal["experiment.attempt"] = "experiment.attempt"
    name: str
    status: Status
    created_at: int
    """Seconds since the epoch."""
    repeats: str | None
    """The distillation that it repeats."""
    test_rows_id: str
    """The same for attempts on the same frozen rows: the id of the file that these lie in, or its own until then."""
    test_rows: int | None
    teacher: str
    student: str
    trainer: str
    hyperparameters: dict[str, Any] | list[dict[str, Any]]
    """What its trainer was asked for: that of the chosen model, once one is chosen."""
    models_tried: int
    """How many models were trained, of which one was chosen."""
    dataset_id: str | None
    method: str | None
    """How it trains, `supervised` or on pairs; null until there is a dataset."""
    train_rows: int | None
    """The examples that train, each once; null until the dataset is ready."""
    model: str | None
    outcome: Decision | None
    """The verdict's; null until there is one, like the next."""
    score: ModelScore | None
    baseline: ModelScore | None
    gain: float | None
    """The distilled model's score minus the baseline's."""
    interval: Interval | None
    """The 95% interval of `gain`."""
    costs: DistillationCosts | None
    run_id: str | None
    """The run of the distilled model."""


@router.get("/v1/experiments", scope="read", lists=Experiment, query=(AFTER, LIMIT))
def list_experiments() -> dict[str, Any]:
    """List the tasks that models were distilled for, the one with the newest attempt first."""
    attempts: dict[str, list[Distillation]] = defaultdict(list)
    for distillation in islice(Distillation.every(descending=True), _NEWEST):
        attempts[distillation.eval_id].append(distillation)
    keys = [(Eval.KIND, eval_id) for eval_id in attempts]
    rows = table.get_all(keys)
    names = {key[1]: Eval.from_row(rows[key]).name for key in keys if key in rows}
    return http.page_of(
        router, [_experiment(eval_id, names.get(eval_id) or "", made) for eval_id, made in attempts.items()]
    )


@router.get("/v1/experiments/<eval_id>", scope="read", lists=ExperimentAttempt, query=(AFTER, LIMIT))
def list_attempts(eval_id: str) -> dict[str, Any]:
    """List the attempts at a task, the newest first: data, trainer, hyperparameters, score with interval, cost."""
    return http.page_of(router, _attempts(eval_id), _attempt)


@router.get(
    "/v1/experiments/<eval_id>/difference",
    scope="read",
    query=(
        Query("attempt", "The distillation that is looked at.", required=True),
        Query("baseline", "The one that it is compared with.", required=True),
    ),
)
def show_difference(eval_id: str) -> ExperimentDifference:
    """Show what changed between two attempts at a task: settings, training data, score, cost.

    Scores are compared row by row where both were measured on rows that they have in common.
    """
    attempt, baseline = (_asked(eval_id, name) for name in ("attempt", "baseline"))
    return difference(attempt, baseline, check=time_check(router.lambda_context))


def _asked(eval_id: str, name: str) -> Distillation:
    given = http.query_of(router, name)
    if not given:
        raise ApiError(f"Missing required parameter: '{name}'.", code="missing_required_parameter", param=name)
    distillation = Distillation.load(given, param=name)
    if distillation.eval_id != eval_id:
        raise NotFound("attempt at this task", given, param=name)
    return distillation


def _attempts(eval_id: str) -> list[Distillation]:
    """The distillations that this eval went into. Raises NotFound where there is neither one nor the eval."""
    keys = [(Distillation.KIND, made) for made in lineage.went_into(eval_id, "distillation")]
    if not keys:
        Eval.load(eval_id, param="eval_id")
    rows = table.get_all(keys)
    made = [Distillation.from_row(rows[key]) for key in keys if key in rows]
    return sorted(made, key=lambda distillation: (distillation.created_at, distillation.id), reverse=True)


def _experiment(eval_id: str, name: str, made: list[Distillation]) -> Experiment:
    scored = [(one.verdict.scores["distilled"], one.id) for one in made if one.verdict]
    best = max(scored, key=lambda pair: pair[0].score, default=None)
    return Experiment(
        id=eval_id,
        name=name,
        attempts=len(made),
        best=Best(distillation_id=best[1], score=best[0]) if best else None,
        last_at=made[0].created_at,
    )


def _attempt(made: Distillation) -> ExperimentAttempt:
    verdict = made.verdict
    dataset = Dataset.find(made.dataset_id) if made.dataset_id else None
    chosen = next((attempt for attempt in made.attempts if attempt.chosen), None)
    return ExperimentAttempt(
        **made.model_dump(
            include={
                "id",
                "name",
                "status",
                "created_at",
                "repeats",
                "test_rows",
                "teacher",
                "trainer",
                "dataset_id",
                "model",
            }
        ),
        test_rows_id=made.test.id if isinstance(made.test, FileId) else made.test_file_id or made.id,
        student=chosen.student if chosen else made.student,
        hyperparameters=chosen.hyperparameters if chosen else made.hyperparameters,
        models_tried=len(made.attempts),
        method=dataset.method if dataset and dataset.card else None,
        train_rows=dataset.card.train_rows if dataset and dataset.card else None,
        outcome=verdict.outcome if verdict else None,
        score=verdict.scores["distilled"] if verdict else None,
        baseline=verdict.scores["baseline"] if verdict else None,
        gain=verdict.gain if verdict else None,
        interval=verdict.interval if verdict else None,
        costs=made.costs,
        run_id=made.runs.get("distilled"),
    )
