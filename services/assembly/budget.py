"""How many rows of a step the budget reaches for, and which.

In: what a row costs at most, and the budgets of the step and of the recipe. Out: the rows, chosen by lot, so that they
are not those of one time; ApiError where a budget cannot be held or reaches for no row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from distillations.grades import DatasetRun
from distillations.grading_steps import Graded
from distillations.recipe import Recipe
from foundation.errors import ApiError
from providers.spending import cap_is_reached

_PARAM = "recipe.steps"


class Afforded(NamedTuple):
    """The ids of the rows that are graded, how many others there are, and what they cost at most in US dollars."""

    ids: list[str]
    left_out: int
    estimated_usd: float | None


def afforded(
    ids: Sequence[str], each: float | None, settings: Graded, recipe: Recipe, earlier: Iterable[DatasetRun]
) -> Afforded:
    """The rows that the budget reaches for; `each` is the most that one costs in nano-dollars, None where unknown.

    `earlier` are the runs that steps before this one needed: what they cost is no longer there for this one.
    """
    limit = _left(settings, recipe, earlier)
    if limit is None:
        return Afforded(list(ids), 0, _dollars(each, len(ids)))
    if each is None:
        raise ApiError(
            f"The step '{settings.rule}' asks a model without a known price, so its budget of ${limit:.2f} cannot be "
            "held. Leave the budget out, or add the price to the stack's parameter Prices.",
            code="no_price",
            param=_PARAM,
        )
    count = len(ids) if each == 0 else min(len(ids), int(limit * 1e9 / each))
    if ids and not count:
        raise ApiError(
            f"The budget of ${limit:.4f} for the step '{settings.rule}' does not reach for one row, which costs up to "
            f"${each / 1e9:.4f}. Raise max_cost_usd.",
            code="budget_too_small",
            param=_PARAM,
        )
    chosen = set(sorted(ids, key=lambda row: _lot(recipe.seed, row))[:count])
    return Afforded([row for row in ids if row in chosen], len(ids) - count, _dollars(each, count))


def refuse_over_cap() -> None:
    """Raise ApiError where trainings, evals and rollouts have cost what they may this month."""
    spent = cap_is_reached()
    if spent:
        raise ApiError(
            f"The recipe has rows graded, and trainings, evals and rollouts have cost ${spent.total_usd:.2f} in "
            f"{spent.month}, of ${spent.monthly_cap_usd:.2f} a month. Raise the cap (POST /v1/costs), or make it "
            "next month.",
            code="monthly_cap_reached",
        )


def _left(settings: Graded, recipe: Recipe, earlier: Iterable[DatasetRun]) -> float | None:
    """What this step may cost in US dollars; None for no limit."""
    limits = [settings.max_cost_usd] if settings.max_cost_usd is not None else []
    if recipe.max_cost_usd is not None:
        spent = sum(run.usd for run in earlier)
        limits.append(max(0.0, recipe.max_cost_usd - spent))
    return min(limits) if limits else None


def _dollars(each: float | None, count: int) -> float | None:
    return None if each is None else round(each * count / 1e9, 6)


def _lot(seed: int, row: str) -> bytes:
    return hashlib.sha256(f"graded:{seed}:{row}".encode()).digest()
