"""What is asked of training on pairs, and what is wrong with it: the trainer, the runs, and the hyperparameter `beta`.

In: a method, and the names that a caller gave. Out: nothing, or an ApiError naming the field and the remedy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from distillations.formats import Method
from distillations.recipe import Recipe
from distillations.trainers import TRAINERS, entry_of
from evals.data_sources import FileId
from evals.files import File
from evals.run import Run
from foundation.errors import ApiError

_BETA = "beta"
_DISTILLATIONS = "distillations/"
"""Where the frozen rows of distillations lie."""


def refuse_method(method: Method, trainer: str, *, param: str) -> None:
    """Raises ApiError where the trainer does not train by the method."""
    if method not in entry_of(trainer).formats:
        able = ", ".join(name for name, entry in TRAINERS.items() if method in entry.formats)
        raise ApiError(
            f"Invalid '{param}': the trainer '{trainer}' does not train by the method '{method}'. Use one of {able}.",
            code="unsupported_method",
            param=param,
        )


def refuse_beta(method: Method, hyperparameters: Mapping[str, Any], *, param: str = "hyperparameters") -> None:
    """Raises ApiError for a `beta` where no pairs are trained on."""
    if method != "dpo" and _BETA in hyperparameters:
        raise ApiError(
            f"Invalid '{param}.{_BETA}': it is one of the method 'dpo'. Leave it out, or train on pairs.",
            code="invalid_value",
            param=f"{param}.{_BETA}",
        )


def refuse_pairs(recipe: Recipe, trainer: str, *, param: str = "recipe") -> None:
    """Raises ApiError where the recipe's method is none of the trainer's, or a run gives no answers for pairs."""
    refuse_method(recipe.method, trainer, param=f"{param}.method")
    for number, run_id in enumerate(recipe.runs):
        _refuse_run(run_id, f"{param}.runs[{number}]")


def _refuse_run(run_id: str, param: str) -> None:
    run = Run.load(run_id, param=param)
    if run.status != "completed":
        raise ApiError(
            f"Invalid '{param}': the run {run_id} is {run.status}. Name one that is completed.",
            code="run_not_completed",
            param=param,
        )
    if run.distillation_id or _asks_test_rows(run):
        raise ApiError(
            f"Invalid '{param}': the rows of the run {run_id} are the test rows of a distillation, and test rows never "
            "train. Run the eval on other completions: first on their stored answers, then with the student.",
            code="test_rows",
            param=param,
        )


def _asks_test_rows(run: Run) -> bool:
    """Whether its rows lie in a file that a distillation keeps for its test rows."""
    source = getattr(run.data_source, "source", None)
    file = File.find(source.id) if isinstance(source, FileId) else None
    return file is not None and file.key.startswith(_DISTILLATIONS)
