"""Choose among the models of a distillation: by the eval's own graders, on the validation rows.

In: the jobs that have ended, and the checkpoints that their trainers kept. Out: the attempt that goes to the eval. The
test rows take no part: the best of several on the rows that it is claimed on would look better than it is. Of attempts
with the same score the one that cost less is taken, then the one that was named first, then the end of its training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from distillations import lineage
from distillations.attempts import MOST_CHECKPOINTS, Attempt
from distillations.checkpoints import checkpoints_of
from distillations.contender import NO_ROW, why_no_result
from distillations.distillation import Distillation
from distillations.job import Job
from distillations.lineage import Node
from distillations.model_score import ModelScore
from distillations.spent import spent_so_far
from distilling import runs, validation_rows
from distilling.transition import Transition, eval_deleted, failed
from evals.eval import Eval
from evals.gains import OutcomeByRow, Score
from evals.outcomes import row_outcomes
from evals.run import Run


def trained(distillation: Distillation, jobs: Mapping[str, Job]) -> list[Attempt]:
    """The attempts with their models, or why they have none; behind them the checkpoints that are to be compared."""
    ends = [_at_its_end(attempt, jobs[attempt.job_id]) for attempt in distillation.attempts if attempt.step is None]
    early = [kept for end in ends if end.model and distillation.checkpoints == "best" for kept in _early(end)]
    return [*ends, *early]


def go_on(distillation: Distillation, attempts: Sequence[Attempt]) -> Transition:
    """Have the only model evaluated, or the models compared where there are several."""
    models = [attempt for attempt in attempts if attempt.model]
    if len(models) == 1:
        return _evaluate(distillation, attempts, models[0])
    file = validation_rows.freeze(distillation)
    if file is None:
        # Each of its completions was deleted meanwhile.
        without = [attempt.model_copy(update={"error": NO_ROW}) if attempt.model else attempt for attempt in attempts]
        return _evaluate(distillation, without, _best(without))
    measured = [_measured(distillation, file.id, number, attempt) for number, attempt in enumerate(attempts)]
    return Transition(
        "choosing",
        {"attempts": measured, "validation_file_id": file.id},
        [runs.plan(distillation, attempt.run_id) for attempt in measured if attempt.run_id],
    )


def await_choice(distillation: Distillation) -> Transition | None:
    """Wait until the runs over the validation rows have ended; then evaluate the best model, or fail without a result.

    A run that gave no result ends its attempt alone.
    """
    ended = {attempt.run_id: Run.find(attempt.run_id) for attempt in distillation.attempts if attempt.run_id}
    if not all(run.ended for run in ended.values() if run):
        return None
    if Eval.find(distillation.eval_id) is None:
        return eval_deleted(distillation)
    completed = {run_id: run for run_id, run in ended.items() if run and run.status == "completed"}
    if not completed:
        reason = why_no_result(next(iter(ended.values())))
        return failed(distillation, "run_failed", f"No attempt could be measured on the validation rows: {reason}")
    attempts = _scored(distillation.attempts, ended, {run_id: row_outcomes(run) for run_id, run in completed.items()})
    return _evaluate(distillation, attempts, _best(attempts))


def _at_its_end(attempt: Attempt, job: Job) -> Attempt:
    if job.status == "succeeded" and job.fine_tuned_model:
        return attempt.model_copy(update={"model": job.fine_tuned_model, "cost_usd": job.cost_usd})
    error = job.error.message if job.error else f"Its job ended as {job.status}."
    return Attempt(**attempt.model_dump(exclude={"error"}), error=error)


def _early(end: Attempt) -> list[Attempt]:
    """The latest checkpoints of a training before its end, the latest first."""
    kept = [checkpoint for checkpoint in checkpoints_of(end.job_id) if checkpoint.model != end.model]
    return [
        Attempt(**end.model_dump(exclude={"step", "model"}), step=checkpoint.step, model=checkpoint.model)
        for checkpoint in kept[:MOST_CHECKPOINTS]
    ]


def _measured(distillation: Distillation, file_id: str, number: int, attempt: Attempt) -> Attempt:
    """The attempt with its run over the validation rows."""
    if attempt.model is None:
        return attempt
    run_id = distillation.attempt_run_id(number)
    runs.start(distillation, run_id, file_id, f"attempt {number + 1}", attempt.model, trained=True)
    lineage.link([(Node("model", attempt.model), Node("run", run_id))])
    return attempt.model_copy(update={"run_id": run_id})


def _scored(
    attempts: Sequence[Attempt], ended: Mapping[str, Run | None], outcomes: Mapping[str, OutcomeByRow]
) -> list[Attempt]:
    """The attempts with their scores on the rows that all of them graded."""
    graded = {
        run_id: {row: outcome for row, outcome in rows.items() if not outcome.errored}
        for run_id, rows in outcomes.items()
    }
    some = [set(rows) for rows in graded.values() if rows]
    common = set.intersection(*some) if some else set()
    scored = []
    for attempt in attempts:
        if attempt.run_id is None or attempt.model is None:
            scored.append(attempt)
        elif attempt.run_id not in graded:
            scored.append(attempt.model_copy(update={"error": why_no_result(ended[attempt.run_id])}))
        elif not common or not graded[attempt.run_id]:
            scored.append(attempt.model_copy(update={"error": NO_ROW}))
        else:
            score = Score.of([graded[attempt.run_id][row].passed for row in sorted(common)])
            scored.append(attempt.model_copy(update={"score": ModelScore.of(attempt.model, score)}))
    return scored


def _best(attempts: Sequence[Attempt]) -> Attempt:
    """The attempt with the best score; of equals the cheapest, and of these the first."""
    return min(
        (attempt for attempt in attempts if attempt.model),
        key=lambda attempt: (
            -attempt.score.score if attempt.score else math.inf,
            math.inf if attempt.cost_usd is None else attempt.cost_usd,
        ),
    )


def _evaluate(distillation: Distillation, attempts: Sequence[Attempt], best: Attempt) -> Transition:
    """Have the chosen model measured on the test rows, beside its own base."""
    model = best.model or ""
    run_id = distillation.run_id("distilled")
    runs.start(distillation, run_id, distillation.test_file_id or "", "distilled", model, trained=True, sure=True)
    lineage.link([(Node("model", model), Node("run", run_id))])
    baseline = distillation.baseline_runs.get(best.student, distillation.runs.get("baseline", ""))
    return Transition(
        "evaluating",
        {
            "student": best.student,
            "job_id": best.job_id,
            "model": model,
            "attempts": [attempt.model_copy(update={"chosen": attempt is best}) for attempt in attempts],
            "costs": spent_so_far(distillation),
            "runs": {**distillation.runs, "baseline": baseline, "distilled": run_id},
        },
        [runs.plan(distillation, run_id)],
    )
