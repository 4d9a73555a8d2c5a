"""The criteria that the steps of a recipe bring: an alias among their judges is the model behind it from then on."""

from __future__ import annotations

from typing import Any

from api.judges import take_judges_of_steps
from distillations.recipe import Recipe
from tests.flow.system import System

JUDGE: dict[str, Any] = {
    "type": "label_model",
    "name": "polite",
    "id": "polite",
    "model": "our-judge",
    "input": [{"role": "user", "content": "Is it polite? {{ sample.output_text }}"}],
    "labels": ["yes", "no"],
    "passing_labels": ["yes"],
}


def test_each_judge_of_each_step_is_one_model(system: System) -> None:
    system.ok("PUT", "/v1/aliases/our-judge", {"targets": [{"model": "lab-judge"}]})
    graded = {"criteria": [JUDGE]}
    written = {"by": "answer", "at_least": 20, "input_criteria": [JUDGE, {**JUDGE, "model": "lab-large"}]}
    recipe = Recipe.model_validate({"steps": [{"rule": "quality", **graded}, {"rule": "augment", **graded, **written}]})
    take_judges_of_steps(recipe)
    quality, augment = recipe.model_dump()["steps"]
    assert [criterion["model"] for criterion in quality["criteria"]] == ["lab-judge"]
    assert [criterion["model"] for criterion in augment["criteria"]] == ["lab-judge"]
    assert [criterion["model"] for criterion in augment["input_criteria"]] == ["lab-judge", "lab-large"]
