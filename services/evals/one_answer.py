"""Criteria that tell nothing apart: they gave one answer on every row of different models.

In: completed runs of one eval. Out: a sentence for each such criterion, which says where to look. Ten graded rows are
the least that say so.
"""

from __future__ import annotations

from evals.counts import CriterionResult
from evals.eval import Eval
from evals.run import Run

_LEAST_ROWS = 10
_RUNS_LOOKED_AT = 20
_MOST_NAMED = 10


def warnings_of(run: Run) -> list[str]:
    """What is to be said of a completed run beside the newest runs of other models; nothing without such."""
    eval_ = Eval.find(run.eval_id)
    if eval_ is None or not run.model:
        return []
    newest: dict[str, Run] = {}
    for other in Run.page(parent=run.eval_id, limit=_RUNS_LOOKED_AT, descending=True).data:
        if other.status == "completed" and other.model and other.model != run.model:
            newest.setdefault(other.model, other)
    return one_answer(eval_, [run, *newest.values()])


def one_answer(eval_: Eval, runs: list[Run]) -> list[str]:
    """A sentence for each criterion that gave one answer on all rows of all these runs, of which there must be two."""
    if len(runs) < 2:  # noqa: PLR2004 - one model alone may be that good, or that bad
        return []
    by_run = [{result.testing_criteria: _only(result) for result in run.per_testing_criteria_results} for run in runs]
    models = ", ".join(run.model for run in runs)
    sentences = []
    for criterion in eval_.testing_criteria:
        answers = {of_run.get(criterion.id) for of_run in by_run}
        if len(answers) == 1 and (answer := answers.pop()):
            sentences.append(
                f"The criterion '{criterion.name}' {answer} every row of every model ({models}): it tells nothing "
                "apart. Look at what it is shown and what it expects before you rely on it."
            )
    return sentences[:_MOST_NAMED]


def _only(result: CriterionResult) -> str | None:
    """The answer that the criterion gave on every row that it could grade; None where it gave both, or few rows."""
    graded = result.passed + result.failed - result.errored
    if graded < _LEAST_ROWS or 0 < result.passed < graded:
        return None
    return "passed" if result.passed else "failed"
