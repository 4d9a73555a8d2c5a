"""What the runs of a step are to grade or to ask, and what that costs at most.

In: a step, its rows, and what the dataset is made of. Out: a `Wanted` that `runs.py` begins, or `unpaid.py` only tells.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from assembly.budget import Afforded, afforded
from assembly.criteria import criterion_of, eval_of
from assembly.grading import Completions
from assembly.making import Making
from assembly.row import Row
from completions.completion import Completion
from completions.messages import text_of
from completions.same_input import answer_key
from distillations.grades import DatasetRun
from distillations.grading_steps import Consensus, Quality
from evals.estimate import asking_nanodollars, grading_nanodollars, sample_of
from evals.eval import Eval
from foundation.errors import ApiError

ANSWER_KEY = "answer_key"
"""The field of an item that has the key of the stored answer, with which a repeated one is compared."""


@dataclass(frozen=True)
class Wanted:
    """The runs that a step needs. All have the same rows; those that ask a model ask it each anew."""

    names: Sequence[str]
    """One of each run, by which it is known in the dataset."""
    eval_: Eval
    rows: Afforded
    lines: Callable[[Completions], Iterator[dict[str, Any]]]
    """The rows of a run, of the completions of the dataset."""
    linked: Sequence[str]
    """The completions that go into the runs."""
    model: str | None = None
    """Who is asked; None where the stored answers are graded."""
    parameters: dict[str, Any] = field(default_factory=dict)
    """Sampling parameters that go before those of the rows."""
    fresh: bool = False
    """Whether each run asks anew what was paid for before."""

    def run(self, name: str, run_id: str | None = None) -> DatasetRun:
        """One of the runs, as dataset and card show it."""
        usd = self.rows.estimated_usd
        return DatasetRun(
            name=name,
            eval_id=self.eval_.id,
            run_id=run_id,
            rows=len(self.rows.ids),
            left_out=self.rows.left_out,
            estimated_usd=None if usd is None else round(usd / len(self.names), 6),
        )


def names_of(number: int, settings: Quality | Consensus) -> list[str]:
    """The names of the runs of a step."""
    name = f"{number}-{settings.rule}"
    return [f"{name}-{turn + 1}" for turn in range(settings.times)] if isinstance(settings, Consensus) else [name]


def to_grade(
    number: int, settings: Quality, rows: Sequence[Row], making: Making, earlier: Iterable[DatasetRun]
) -> Wanted:
    """The run that grades the stored answers of the rows. Raises ApiError where there can be none."""
    eval_ = eval_of(settings)
    criterion_of(eval_, settings.criterion)
    ids = [row.id for row in rows]
    each = grading_nanodollars(eval_.testing_criteria, sample_of(ids, making.completions))
    graded = afforded(ids, each, settings, making.recipe, earlier)
    lines = partial(_of_completions, graded.ids, Completion.row)
    return Wanted(names_of(number, settings), eval_, graded, lines, graded.ids)


def to_repeat(
    number: int,
    settings: Consensus,
    rows: Sequence[Row],
    making: Making,
    earlier: Iterable[DatasetRun],
    *,
    teacher: str | None,
) -> Wanted:
    """The runs that ask the teacher again what it was asked. Raises ApiError where it is not known who that is."""
    model = asked_model(settings.rule, settings.model or teacher)
    eval_ = eval_of(settings)
    ids = _drawn([row.id for row in rows], settings.sample, making.recipe.seed)
    some = sample_of(ids, making.completions)
    costs = asking_nanodollars(model, some), grading_nanodollars(eval_.testing_criteria, some)
    each = None if None in costs else settings.times * sum(cost or 0 for cost in costs)
    asked = afforded(ids, each, settings, making.recipe, earlier)
    parameters = {} if settings.temperature is None else {"temperature": settings.temperature}
    lines = partial(_of_completions, asked.ids, _question)
    return Wanted(names_of(number, settings), eval_, asked, lines, asked.ids, model, parameters, fresh=True)


def asked_model(rule: str, model: str | None) -> str:
    """The model that a step asks. Raises ApiError where nobody has named one."""
    if model is None:
        raise ApiError(
            f"The step '{rule}' asks the teacher, and the source names no model. Name one in 'model'.",
            code="missing_required_parameter",
            param="recipe.steps",
        )
    return model


def _of_completions(
    ids: Sequence[str], row: Callable[[Completion], dict[str, Any]], completions: Completions
) -> Iterator[dict[str, Any]]:
    """A row of each of these completions, in their order."""
    wanted = set(ids)
    for completion in completions():
        if completion.id in wanted:
            wanted.discard(completion.id)
            yield row(completion)


def _question(completion: Completion) -> dict[str, Any]:
    """A row that asks again. Its reference is the stored answer, which a new one is held against."""
    row = completion.row(with_sample=False)
    message = completion.choice["message"]
    stored = {"reference": text_of(message.get("content")), ANSWER_KEY: answer_key(message)}
    return {**row, "item": {**row["item"], **stored}}


def _drawn(ids: Sequence[str], most: int | None, seed: int) -> list[str]:
    """At most so many of the ids, by lot, in their order."""
    if most is None or most >= len(ids):
        return list(ids)
    chosen = set(sorted(ids, key=lambda row: hashlib.sha256(f"asked:{seed}:{row}".encode()).digest())[:most])
    return [row for row in ids if row in chosen]
