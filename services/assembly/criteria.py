"""The eval by whose criteria a step has rows graded: the one that it names, or one of its own.

A step that brings criteria gets an eval that follows from them: all recipes with the same criteria share it, and what
it has paid for.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from distillations.grading_steps import Graded
from evals.eval import Eval
from foundation.errors import ApiError
from foundation.ids import derived_id, now
from graders import Criterion

_NAME = "Criteria of a recipe"


def eval_of(settings: Graded) -> Eval:
    """The eval of a step; one of its own is not written yet. Raises ApiError where the eval that it names is gone."""
    if settings.eval_id is None:
        return own_eval(settings.criteria or [])
    found = Eval.find(settings.eval_id)
    if found is None:
        raise ApiError(
            f"No eval found with id '{settings.eval_id}', which the step '{settings.rule}' grades by.",
            code="eval_deleted",
            param="recipe.steps",
        )
    return found


def criterion_of(eval_: Eval, name: str | None) -> str | None:
    """The id of the criterion with this id or name. Raises ApiError where the eval has none."""
    if name is None:
        return None
    for criterion in eval_.testing_criteria:
        if name in {criterion.id, criterion.name}:
            return criterion.id
    names = ", ".join(criterion.name for criterion in eval_.testing_criteria)
    raise ApiError(f"No criterion is called '{name}'; there are: {names}.", code="invalid_value", param="recipe.steps")


def own_eval(criteria: Sequence[Criterion]) -> Eval:
    """The eval of these criteria, which follows from them; it is not written yet."""
    named = [
        criterion.model_copy(update={"id": criterion.id or f"{criterion.name}-{number}"})
        for number, criterion in enumerate(criteria, start=1)
    ]
    cause = orjson.dumps([criterion.model_dump(mode="json") for criterion in named]).decode()
    return Eval(
        id=derived_id("eval_", cause),
        created_at=now(),
        name=_NAME,
        data_source_config={"type": "custom", "schema": {"type": "object"}},
        testing_criteria=named,
    )
