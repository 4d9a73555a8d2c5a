"""Take the steps of a learning curve that are due: train on parts of a dataset, grade, read the forecast.

In: a hint that something has changed. Out: the curve as it stands then. Its jobs are fine-tuning jobs of files, its
runs those of an eval: both go on by themselves where a message is lost, and tell the curve when they end. A step sends
what it asks for before it is written down, so that a step that broke off is taken again; to ask for work again changes
nothing. All parts are written before the first job: what they may cost together is shared by their sizes. A training
that fails leaves out its point alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from completions.system_prompt import SystemPrompt
from distillations import lineage
from distillations.contender import NO_ROW, why_no_result
from distillations.dataset import Dataset
from distillations.failure import Failure
from distillations.job import Job
from distillations.learning_curve import (
    DONE,
    SHARES,
    TIMES,
    LearningCurve,
    LearningForecast,
    LearningPoint,
    sentence_of,
)
from distillations.lineage import Node
from distillations.model_score import ModelScore
from distilling import subsets, validation_rows
from evals.data_sources import CompletionsSource, FileId, ItemReference
from evals.eval import Eval
from evals.files import File
from evals.gains import Score
from evals.outcomes import row_outcomes
from evals.run import Run, new_run
from foundation import blobs, bus
from foundation.events import PlanRun, StartJob
from foundation.ids import now
from stats.learning_curve import CurvePoint, forecast


def advance(curve_id: str) -> None:
    """Take every step that is due; nothing for a curve that was deleted."""
    while curve := LearningCurve.find(curve_id):
        step = STEPS.get(curve.status)
        changes = step(curve) if step else None
        if changes is None or not curve.change(changes, where={"status": curve.status}):
            return


def give_up(curve_id: str, reason: str) -> None:
    """End a curve whose next step could not be taken. Its jobs end by themselves."""
    curve = LearningCurve.find(curve_id)
    if curve and curve.status not in DONE:
        failed = _failed("step_failed", f"Its next step could not be taken: {reason}.")
        curve.change(failed, where={"status": curve.status})


def _train(curve: LearningCurve) -> dict[str, Any]:
    """Write the parts, and have a job learn from each."""
    dataset = Dataset.find(curve.dataset_id)
    if dataset is None:
        return _failed("dataset_deleted", f"The dataset {curve.dataset_id} was deleted.")
    parts = subsets.parts_of(dataset, SHARES, curve.seed)
    files = [_write_part(curve, dataset, parts, number) for number in range(len(SHARES))]
    whole = sum(file.bytes for file in files)
    points = [
        LearningPoint(
            share=share,
            examples=examples,
            job_id=_start_job(curve, dataset, number, file, _budget(curve.max_cost_usd, file.bytes / whole)),
        )
        for number, (share, examples, file) in enumerate(zip(SHARES, parts.examples, files, strict=True))
    ]
    return {"status": "training", "points": points}


def _budget(limit: float | None, share: float) -> float | None:
    """What one training may cost of what all may, in US dollars, to the next cent: estimates are in cents.

    An estimate follows the size of the file, so each training keeps to its share just where all keep to the limit.
    """
    return None if limit is None else math.ceil(100 * limit * share) / 100


def _write_part(curve: LearningCurve, dataset: Dataset, parts: subsets.Parts, number: int) -> File:
    key = curve.key(f"part-{number}.jsonl")
    if not blobs.exists(key):
        blobs.put_new_lines(key, subsets.lines_of(dataset, parts, number), content_type="application/jsonl")
    file = File(
        id=curve.file_id(f"part-{number}"),
        created_at=now(),
        bytes=blobs.size(key),
        filename=f"{curve.id}-{number}.jsonl",
        purpose="fine-tune",
        key=key,
    )
    file.create()
    return file


def _start_job(curve: LearningCurve, dataset: Dataset, number: int, file: File, max_cost_usd: float | None) -> str:
    job = Job(
        id=curve.job_id(number),
        created_at=now(),
        learning_curve_id=curve.id,
        training_file=file.id,
        trainer=curve.trainer,
        model=curve.student,
        hyperparameters=curve.hyperparameters,
        method=dataset.method,
        seed=curve.seed,
        suffix="curve",
        max_cost_usd=max_cost_usd,
    )
    nodes = [Node("dataset", dataset.id), Node("file", file.id), Node("job", job.id)]
    lineage.link(pairwise(nodes))
    job.create()
    bus.send(StartJob(job_id=job.id, correlation_id=curve.id))
    return job.id


def _grade(curve: LearningCurve) -> dict[str, Any] | None:
    """Wait until each job has ended, then have each model graded on the validation rows."""
    jobs = {point.job_id: Job.find(point.job_id) for point in curve.points}
    if not all(job.ended for job in jobs.values() if job):
        return None
    if Eval.find(curve.eval_id) is None:
        return _failed("eval_deleted", f"The eval {curve.eval_id} was deleted.")
    if not any(job and job.fine_tuned_model for job in jobs.values()):
        return {**_failed("job_failed", "No training has made a model."), "points": _without_models(curve, jobs)}
    dataset = Dataset.find(curve.dataset_id)
    key = curve.key("validation.jsonl")
    file = validation_rows.frozen(curve.file_id("rows"), key, dataset.id, curve.seed) if dataset else None
    if file is None:
        return _failed("no_validation_rows", "No validation row of the dataset is left to grade.")
    prompt = dataset.card.recipe.student_prompt if dataset and dataset.card else None
    points = [
        _graded(curve, file.id, number, point, prompt) for number, point in enumerate(_without_models(curve, jobs))
    ]
    return {"status": "grading", "points": points}


def _without_models(curve: LearningCurve, jobs: dict[str, Job | None]) -> list[LearningPoint]:
    """The points with their models, or why there is none."""
    return [_trained(point, jobs[point.job_id]) for point in curve.points]


def _trained(point: LearningPoint, job: Job | None) -> LearningPoint:
    if job and job.fine_tuned_model:
        return point.model_copy(update={"model": job.fine_tuned_model, "cost_usd": job.cost_usd})
    ended = f"Its job ended as {job.status}." if job else "Its job was deleted."
    error = job.error.message if job and job.error else ended
    return LearningPoint(**point.model_dump(exclude={"error"}), error=error)


def _graded(
    curve: LearningCurve, file_id: str, number: int, point: LearningPoint, prompt: SystemPrompt | None
) -> LearningPoint:
    """The point with its run, whose model is asked with the prompt that it learnt, where the set has one of its own."""
    if point.model is None:
        return point
    source = CompletionsSource(
        type="completions",
        source=FileId(type="file_id", id=file_id),
        model=point.model,
        input_messages=ItemReference(type="item_reference", item_reference="item.input"),
        system_prompt=prompt,
    )
    name = f"learning curve of {curve.dataset_id}: {point.share:g}"
    run = new_run(
        curve.run_id(number), Eval.load(curve.eval_id), name=name, data_source=source, learning_curve_id=curve.id
    )
    run.create()
    lineage.link_run(run)
    lineage.link([(Node("model", point.model), Node("run", run.id))])
    bus.send(PlanRun(run_id=run.id, correlation_id=curve.id))
    return point.model_copy(update={"run_id": run.id})


def _read(curve: LearningCurve) -> dict[str, Any] | None:
    """Wait until each run has ended, then read the forecast from the points that have a score."""
    runs = [Run.find(point.run_id) if point.run_id else None for point in curve.points]
    if not all(run.ended for run in runs if run):
        return None
    points = _scored(curve.points, runs)
    scores = [(point.examples, point.score) for point in points if point.score]
    found = forecast([CurvePoint(examples, score.passed, score.total) for examples, score in scores], TIMES)
    told = LearningForecast(**found._asdict()) if found else None
    return {"status": "completed", "points": points, "forecast": told, "sentence": sentence_of(told)}


def _scored(points: Sequence[LearningPoint], runs: Sequence[Run | None]) -> list[LearningPoint]:
    """The points with their scores on the rows that all of them graded."""
    outcomes = [row_outcomes(run) if run and run.status == "completed" else {} for run in runs]
    graded = [{row: outcome for row, outcome in rows.items() if not outcome.errored} for rows in outcomes]
    some = [set(rows) for rows in graded if rows]
    common = sorted(set.intersection(*some)) if some else []
    scored = []
    for point, run, rows in zip(points, runs, graded, strict=True):
        if point.run_id is None or point.model is None:
            scored.append(point)
        elif not rows or not common:
            error = NO_ROW if run and run.status == "completed" else why_no_result(run)
            scored.append(point.model_copy(update={"error": error}))
        else:
            score = Score.of([rows[row].passed for row in common])
            scored.append(point.model_copy(update={"score": ModelScore.of(point.model, score)}))
    return scored


def _failed(code: str, message: str) -> dict[str, Any]:
    return {"status": "failed", "error": Failure(code=code, message=message)}


STEPS: dict[str, Callable[[LearningCurve], dict[str, Any] | None]] = {
    "queued": _train,
    "training": _grade,
    "grading": _read,
}
