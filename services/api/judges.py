"""The models that graders ask: each is there, and is one model for ever.

In: a grader, or a recipe with some. Out: the same, a model in the place of each alias that it names, since a measure
must not move. Raises ApiError where a name is neither.
"""

from __future__ import annotations

from aliases.alias import Alias
from distillations.grading_steps import Augment, Graded
from distillations.recipe import Recipe
from graders.grade import GraderModel
from providers.required_model import require_model


def take_judges(grader: GraderModel, *, param: str) -> None:
    """Let the model judge that answers most calls of an alias. `param` is the field in which the grader stands."""
    grader.rename_models(_judge_of)
    for field, model in grader.models():
        require_model(model, param=f"{param}.{field}")


def take_judges_of_steps(recipe: Recipe) -> None:
    """The same for the criteria that steps of a recipe bring. Whether their models are there, their runs tell."""
    for step in recipe.steps_of(Graded):
        written = step.input_criteria if isinstance(step, Augment) else None
        for criterion in (*(step.criteria or ()), *(written or ())):
            criterion.rename_models(_judge_of)


def _judge_of(name: str) -> str:
    alias = Alias.find(name)
    return alias.routing.main if alias else name
