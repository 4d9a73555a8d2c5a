"""What is wrong with the attempts that a distillation asks for: unknown students, nothing to choose by, no checkpoints.

In: fields of a request. Out: nothing, or an ApiError naming the field and the remedy.
"""

from __future__ import annotations

from distillations.attempts import Checkpoints, most_models
from distillations.recipe import Recipe
from distillations.trainers import entry_of
from foundation.errors import ApiError
from providers.required_model import require_model


def refuse_students(student: str | list[str]) -> None:
    """Raises what the lookup of a model raises where a student is unknown."""
    if isinstance(student, str):
        require_model(student, param="student")
        return
    for number, each in enumerate(student):
        require_model(each, param=f"student[{number}]")


def refuse_choice(orders: int, checkpoints: Checkpoints, trainer: str, recipe: Recipe) -> None:
    """Raises ApiError where one of several models should be chosen, and there is nothing to choose by, or among."""
    if checkpoints == "best" and not entry_of(trainer).checkpoints:
        raise ApiError(
            f"Invalid 'checkpoints': the trainer '{trainer}' keeps no checkpoints that answer as models. Leave it out.",
            code="unsupported",
            param="checkpoints",
        )
    if most_models(orders, checkpoints) and not recipe.validation_share:
        raise ApiError(
            "Invalid 'recipe.validation_share': the best of several models is chosen on the validation rows, and with "
            "0 there are none.",
            code="invalid_value",
            param="recipe.validation_share",
        )
