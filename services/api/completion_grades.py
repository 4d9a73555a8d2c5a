"""The grades of a stored completion: which runs had it as a row, and what each of their criteria found and why."""

from __future__ import annotations

from typing import Any, Literal

from api.completions import reference_of
from distillations.completion_grades import GradedIn, grades_of
from evals.eval import Eval
from evals.output_item import ItemGrade
from evals.run import Answers
from foundation import http
from foundation.document import Document
from foundation.errors import ApiError
from foundation.routes import AFTER, LIMIT, Query, Routes

router = Routes("Stored completions")
_MOST_RUNS, _USUAL_RUNS = 100, 20


class CriterionGrade(ItemGrade):
    """What one criterion found. Graders add fields of their own; `sample` says why."""

    criterion: str | None
    """The criterion's name in the eval; null where the eval has it no longer."""


class CompletionGrade(Document):
    """What one run found in the completion."""

    id: str
    """The id of the run's output item."""
    object: Literal["chat.completion.grade"] = "chat.completion.grade"
    completion_id: str
    created_at: int
    """When the run was made, in seconds UTC."""
    eval_id: str
    eval_name: str | None
    """Null where the eval was deleted."""
    run_id: str
    run_name: str
    answers: Answers
    """`stored`: its own answer was graded. `sampled`: that of the model, which was asked the same."""
    model: str
    """The model that was asked; empty where none was."""
    status: Literal["pass", "fail"]
    errored: bool
    """Whether it could not be sampled, or not be graded by every criterion."""
    results: list[CriterionGrade]


class CompletionGrades(Document):
    """The grades of a completion, those of the newest run first."""

    object: Literal["list"] = "list"
    data: list[CompletionGrade]
    first_id: str | None
    last_id: str | None
    has_more: bool
    runs_looked_at: int
    """In how many of its runs was looked."""
    runs_left_out: int
    """In how many was not: the older ones, those under way, and those of more than 20,000 rows."""


@router.get(
    "/v1/chat/completions/<completion_id>/grades",
    scope="read",
    query=(
        Query(
            "runs",
            f"In how many of its runs is looked, the newest first: 1 to {_MOST_RUNS}, {_USUAL_RUNS} if absent.",
            {"type": "integer", "minimum": 1, "maximum": _MOST_RUNS},
        ),
        AFTER,
        LIMIT,
    ),
)
def list_completion_grades(completion_id: str) -> CompletionGrades:
    """List what runs found in a stored completion, criterion by criterion.

    A run that asked a model anew graded that model's answer to the same question.
    """
    most = _runs()
    reference_of(completion_id)
    looked = grades_of(completion_id, most=most)
    evals = {eval_id: Eval.find(eval_id) for eval_id in dict.fromkeys(graded.run.eval_id for graded in looked.found)}
    grades = [grade for graded in looked.found for grade in _shown(completion_id, graded, evals[graded.run.eval_id])]
    page = http.page_of(router, grades)
    return CompletionGrades(**page, runs_looked_at=looked.runs, runs_left_out=looked.left_out)


def _shown(completion_id: str, graded: GradedIn, eval_: Eval | None) -> list[CompletionGrade]:
    run = graded.run
    names = _names(eval_)
    return [
        CompletionGrade(
            id=item["id"],
            completion_id=completion_id,
            created_at=item["created_at"],
            eval_id=run.eval_id,
            eval_name=eval_.name if eval_ else None,
            run_id=run.id,
            run_name=run.name,
            answers=run.answers,
            model=run.model,
            status=item["status"],
            errored=item["errored"],
            results=[
                CriterionGrade.model_validate({**result, "criterion": names.get(result["name"])})
                for result in item["results"]
            ],
        )
        for item in graded.items
    ]


def _names(eval_: Eval | None) -> dict[str, Any]:
    """The names of an eval's criteria by their ids."""
    return {criterion.id: criterion.name for criterion in eval_.testing_criteria} if eval_ else {}


def _runs() -> int:
    text = http.query_of(router, "runs")
    if text is None:
        return _USUAL_RUNS
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_MOST_RUNS)) and 1 <= int(text) <= _MOST_RUNS):
        raise ApiError(f"Invalid 'runs': use 1 to {_MOST_RUNS}.", code="invalid_value", param="runs")
    return int(text)
