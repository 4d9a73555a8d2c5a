"""Convert model-graded asserts to judges of Stillhouse.

In: a rubric, criterion or reference as a template. Out: a `label_model`, or a `score_model` if the assert has a
threshold. The judged answer stands in the user's message, which Stillhouse encloses in a fence.
"""

from __future__ import annotations

from typing import Any

from stillhouse.importing.promptfoo.parts import OUTPUT

_RUBRIC = "You grade an answer by a rubric. Choose pass if the answer meets the rubric, and fail if it does not."
_SCORED = "You grade an answer by a rubric. Give a score from 0 to 1 for how far the answer meets the rubric."
_CLOSED = "You decide whether an answer to a task meets a criterion. Choose pass if it does, and fail if it does not."
_FACTS = (
    "You compare the facts of an answer with those of an expert's answer. Ignore style, grammar and punctuation. "
    "Choose subset if the answer is a subset of the expert's and consistent with it, superset if it is a superset and "
    "consistent, equivalent if both have the same details, disagree if they contradict each other, and "
    "differ_but_factual if they differ in what does not matter for the facts."
)
_AGREEING = ["subset", "superset", "equivalent", "differ_but_factual"]


def rubric(model: str, text: str, threshold: float | None) -> dict[str, Any]:
    asked = f"Rubric:\n{text}\n\nAnswer:\n{OUTPUT}"
    if threshold is None:
        return _labelled(model, _RUBRIC, asked)
    return {"type": "score_model", "model": model, "input": _messages(_SCORED, asked), "pass_threshold": threshold}


def closed_qa(model: str, text: str, task: str | None) -> dict[str, Any]:
    return _labelled(model, _CLOSED, f"{_task(task)}Criterion:\n{text}\n\nAnswer:\n{OUTPUT}")


def factuality(model: str, text: str, task: str | None) -> dict[str, Any]:
    asked = f"{_task(task)}Expert's answer:\n{text}\n\nAnswer:\n{OUTPUT}"
    return {**_labelled(model, _FACTS, asked), "labels": [*_AGREEING, "disagree"], "passing_labels": _AGREEING}


def _task(task: str | None) -> str:
    return f"Task:\n{task}\n\n" if task else ""


def _labelled(model: str, system: str, asked: str) -> dict[str, Any]:
    return {
        "type": "label_model",
        "model": model,
        "input": _messages(system, asked),
        "labels": ["pass", "fail"],
        "passing_labels": ["pass"],
    }


def _messages(system: str, asked: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": system}, {"role": "user", "content": asked}]
