"""Which stages the steps of a recipe become: steps that look at the same shares of the rows are one stage."""

from __future__ import annotations

from typing import Any, NamedTuple

from distillations.recipe import SET_STEPS, Recipe

_KINDS = {
    "near_leaks": "shard",
    "language": "question",
    "contradictions": "question",
    "duplicates": "question",
    "near_duplicates": "near",
    "doubtful": "doubtful",
    "balance": "slices",
}


class Stage(NamedTuple):
    """Steps that follow each other, and what must stand in one share for them."""

    number: int
    """From 1."""
    kind: str
    steps: list[Any]

    def name(self, what: str) -> str:
        return f"{self.number:02}-{what}"


def is_staged(recipe: Recipe) -> bool:
    """Whether all steps of the recipe can be taken stage by stage. Those that have rows graded or written cannot."""
    return all(step.rule in _KINDS for step in recipe.steps_of(*SET_STEPS))


def stages_of(recipe: Recipe) -> list[Stage]:
    """The stages, in order."""
    stages: list[Stage] = []
    for step in recipe.steps_of(*SET_STEPS):
        kind = _KINDS[step.rule]
        # Languages are counted over all rows that come to the step.
        if stages and kind in {stages[-1].kind} & {"question", "shard"} and step.rule != "language":
            stages[-1].steps.append(step)
        else:
            stages.append(Stage(len(stages) + 1, kind, [step]))
    return stages
