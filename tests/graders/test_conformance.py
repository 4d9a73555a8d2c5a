"""What every grader of the registry says of itself, held against what it does on its own examples."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any, get_args

import pytest

import graders
from graders import Criterion, GraderModel, NotGradable
from tests.graders.asking import Models, criterion, grade

FOLDER = Path(graders.__file__).parent
KINDS = [get_args(grader.model_fields["type"].annotation)[0] for grader in get_args(get_args(Criterion.__value__)[0])]


def examples(kind: str) -> list[dict[str, Any]]:
    text = (FOLDER / f"{kind}.json").read_text(encoding="utf-8")
    return [{**example, "grader": {"type": kind, "name": "n", **example["grader"]}} for example in json.loads(text)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_grader_asks_models_only_where_it_says_so(kind: str) -> None:
    for example in examples(kind):
        models = Models(example.get("judge") or "", embeddings=example.get("embeddings") or ())
        with contextlib.suppress(NotGradable):
            grade(example["grader"], example["item"], example["sample"], models)
        named = {model for _, model in criterion(example["grader"]).models()}
        assert {request["model"] for request in models.asked} <= named


@pytest.mark.parametrize("kind", KINDS)
def test_the_models_of_a_grader_stand_in_the_fields_that_it_names(kind: str) -> None:
    for example in examples(kind):
        defined = criterion(example["grader"])
        for field, model in defined.models():
            value = defined.model_dump()
            for step in field.split("."):
                value = value[step]
            assert value == model
        assert defined.asks_models() is bool(list(defined.models()))


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"recorded"}))
def test_the_scale_of_a_grader_is_that_of_its_definition(kind: str) -> None:
    for example in examples(kind):
        defined: GraderModel = criterion(example["grader"])
        fields, scale = defined.model_dump(), defined.scale()
        assert scale.pass_threshold == fields.get("pass_threshold")
        assert list(scale.labels) == fields.get("labels", [])
        assert list(scale.passing_labels) == fields.get("passing_labels", [])
        assert scale.judge == fields.get("model")
        assert bool(defined.wording()) is bool(fields.get("fence"))
        assert set(defined.parts()) == set(fields.get("graders", {}))


def test_a_multi_asks_the_models_of_its_parts() -> None:
    check = {"type": "string_check", "input": "a", "reference": "a", "operation": "eq"}
    judge = {"type": "score_model", "model": "judge-1", "input": [{"role": "user", "content": "x"}]}
    multi = {"type": "multi", "name": "m", "calculate_output": "a", "pass_threshold": 1}
    assert not criterion({**multi, "graders": {"a": check}}).asks_models()
    assert criterion({**multi, "graders": {"a": check, "b": judge}}).asks_models()


@pytest.mark.parametrize(
    ("definition", "labels", "threshold", "judge"),
    [
        ({"labels": ["a", "b"], "passing_labels": ["a"], "model": "gpt-x"}, ["a", "b"], None, "gpt-x"),
        ({"pass_threshold": 0.5}, [], 0.5, None),
        ({"labels": "a", "passing_labels": None, "pass_threshold": "high", "model": 7}, [], None, None),
        (None, [], None, None),
    ],
)
def test_recorded_grades_are_read_by_the_definition_that_came_with_them(
    definition: dict[str, Any] | None, labels: list[str], threshold: float | None, judge: str | None
) -> None:
    scale = criterion({"type": "recorded", "name": "n", "definition": definition}).scale()
    assert (list(scale.labels), scale.pass_threshold, scale.judge) == (labels, threshold, judge)
