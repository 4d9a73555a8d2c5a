"""What changed between two attempts at one task.

In: two distillations of one eval. Out: the settings that differ, by their dotted names; how many completions each
training set has alone; the scores row by row, where rows are shared; the costs. What cannot be told is null, with the
reason beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Literal

import orjson

from api.dataset_diff import diff_of
from distillations.dataset import Dataset
from distillations.distillation import Distillation
from evals.compare_runs import compare_runs
from evals.comparison import Comparison
from evals.figures import Finding
from evals.stored_figures import completed_run, refuse_too_many_rows, stored_or_computed
from foundation import blobs
from foundation.bounds import CutText
from foundation.document import Document
from foundation.errors import ApiError
from stats import Interval

_MOST_ROWS = 100_000
"""The most rows that both training sets may have together to be compared within a request."""
_MOST_SETTINGS = 100
_SETTINGS = (
    "teacher",
    "student",
    "students",
    "trainer",
    "hyperparameters",
    "checkpoints",
    "train",
    "test",
    "seed",
    "gate",
)
"""What decides how an attempt comes out, beside its recipe."""


class Changed(Document):
    """A setting that differs. Null stands for one that was not given."""

    name: str
    """Its dotted name, such as `hyperparameters.n_epochs` or `recipe.steps.near_duplicates.least`."""
    attempt: Any
    baseline: Any


class DataDifference(Document):
    """How the training sets differ, by completions; `/v1/datasets/{id}/diff/{other}` names them."""

    dataset_id: str
    baseline_dataset_id: str
    same: int
    """Completions that ended alike in both."""
    alone: int
    """Completions that only the attempt's has looked at."""
    baseline_alone: int
    """Completions that only the baseline's has looked at."""
    changed: int
    """Completions of both that train or validate in one of them alone, or were dropped by another rule."""


class ScoreChange(Document):
    """The distilled models of both on the rows that both runs graded."""

    rows: int
    attempt: float
    """Its pass rate on these rows, from 0 to 1."""
    baseline: float
    gain: float
    """`attempt` minus `baseline`."""
    interval: Interval | None
    """The 95% interval of the gain."""
    p_value: float
    won: int
    """Rows that only the attempt's model passed."""
    lost: int
    finding: Finding
    run_id: str
    baseline_run_id: str


class ExperimentDifference(Document):
    """What changed between two attempts."""

    object: Literal["experiment.difference"] = "experiment.difference"
    eval_id: str
    attempt: str
    """The distillation that is looked at."""
    baseline: str
    settings: list[Changed]
    """At most a hundred of them, by name."""
    more_settings: bool
    """Whether more differ."""
    data: DataDifference | None
    data_left_out: CutText | None = None
    """Why `data` is null."""
    score: ScoreChange | None
    score_left_out: CutText | None = None
    """Why `score` is null."""
    cost_usd: float | None
    """What the attempt cost more than the baseline, training and evals together; null where one is not known."""


def difference(attempt: Distillation, baseline: Distillation, *, check: Callable[[], None]) -> ExperimentDifference:
    """Compare two attempts. `check` is called between the steps of the work; an error that it raises ends the work."""
    ours, theirs = _settings(attempt), _settings(baseline)
    names = [name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]
    changed = [Changed(name=name, attempt=ours.get(name), baseline=theirs.get(name)) for name in names]
    data, no_data = _told(lambda: _data(attempt, baseline))
    score, no_score = _told(lambda: _score(attempt, baseline, check))
    return ExperimentDifference(
        eval_id=attempt.eval_id,
        attempt=attempt.id,
        baseline=baseline.id,
        settings=changed[:_MOST_SETTINGS],
        more_settings=len(changed) > _MOST_SETTINGS,
        data=data,
        data_left_out=no_data,
        score=score,
        score_left_out=no_score,
        cost_usd=_more(_spent(attempt), _spent(baseline)),
    )


def _told[Told](tell: Callable[[], Told]) -> tuple[Told | None, str | None]:
    """What can be told, or why it cannot."""
    try:
        return tell(), None
    except ApiError as refusal:
        return None, refusal.message


def _settings(made: Distillation) -> dict[str, Any]:
    """The settings by their dotted names. Steps of a recipe are named by their rules, since their order is no name."""
    fields = made.model_dump(mode="json", include=set(_SETTINGS), exclude_none=True)
    recipe = made.used_recipe.model_dump(mode="json", exclude_none=True)
    steps = recipe.pop("steps", None) or []
    recipe["steps"] = {step["rule"]: {**step, "rule": "on"} for step in steps}
    return dict(_flat({**fields, "recipe": recipe}, ""))


def _flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif value != []:
        yield name, value


def _data(attempt: Distillation, baseline: Distillation) -> DataDifference:
    """Raises ApiError where there is nothing to compare, or more than a request can read."""
    mine, other = _ready(attempt), _ready(baseline)
    if mine.id == other.id:
        rows = mine.card.selected if mine.card else None
        return DataDifference(
            dataset_id=mine.id, baseline_dataset_id=other.id, same=rows or 0, alone=0, baseline_alone=0, changed=0
        )
    if sum(dataset.card.selected or dataset.card.rows for dataset in (mine, other) if dataset.card) > _MOST_ROWS:
        raise ApiError(f"The training sets have more than {_MOST_ROWS:,} rows together: compare them by themselves.")
    diff = diff_of(partial(_rows, mine), partial(_rows, other), mine.id, other.id)
    return DataDifference(
        dataset_id=mine.id,
        baseline_dataset_id=other.id,
        same=diff.same,
        alone=diff.alone,
        baseline_alone=diff.other_alone,
        changed=diff.changed,
    )


def _ready(made: Distillation) -> Dataset:
    dataset = Dataset.find(made.dataset_id) if made.dataset_id else None
    if dataset is None or dataset.card is None:
        raise ApiError(f"{made.name or made.id} has no training set.")
    return dataset


def _rows(dataset: Dataset) -> Iterator[dict[str, Any]]:
    return map(orjson.loads, blobs.lines(dataset.key("rows.jsonl")))


def _score(attempt: Distillation, baseline: Distillation, check: Callable[[], None]) -> ScoreChange:
    """Raises ApiError where a run is missing or open, or they have no row in common."""
    runs = []
    for made in (attempt, baseline):
        if "distilled" not in made.runs:
            raise ApiError(f"The model of {made.name or made.id} was not measured.")
        runs.append(completed_run(made.eval_id, made.runs["distilled"], param="attempt"))
    run, other = runs
    if run.id == other.id:
        raise ApiError("An attempt is not compared with itself.")
    refuse_too_many_rows(run, other)
    compared = stored_or_computed(
        Comparison,
        run,
        "comparisons",
        [other.id, None, []],
        lambda: compare_runs(run, other, check=check),
    )
    return ScoreChange(
        rows=compared.rows,
        attempt=compared.run.pass_rate,
        baseline=compared.baseline.pass_rate,
        gain=compared.gain,
        interval=compared.interval,
        p_value=compared.p_value,
        won=compared.won,
        lost=compared.lost,
        finding=compared.finding,
        run_id=run.id,
        baseline_run_id=other.id,
    )


def _spent(made: Distillation) -> float | None:
    costs = made.costs
    if costs is None or costs.training_usd is None or costs.evals_usd is None:
        return None
    return costs.training_usd + costs.evals_usd


def _more(attempt: float | None, baseline: float | None) -> float | None:
    return None if attempt is None or baseline is None else round(attempt - baseline, 4)
