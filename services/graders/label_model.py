"""`label_model`: a judge model chooses one of the labels; some of them pass.

The judge is held to the labels by structured output. An answer that is none of them raises `NotGradable`. With `swap`
it is asked in both orders: the row passes if both labels pass, its score is the mean of the two, and it has a label
only where they agree.
"""

from __future__ import annotations

from typing import Any, Literal, Self

import orjson
from pydantic import Field, model_validator

from graders.grade import Grade, Models, NotGradable, Scale
from graders.judging import JudgeModel, strict_object
from graders.swap import LabelSwap


class LabelModel(JudgeModel):
    """`sampling_params` are an addition of ours: OpenAI has them only for `score_model`."""

    type: Literal["label_model"]
    labels: list[str] = Field(min_length=1)
    passing_labels: list[str] = Field(min_length=1)
    swap: LabelSwap | None = None

    @model_validator(mode="after")
    def _labels_agree(self) -> Self:
        unknown = sorted(set(self.passing_labels) - set(self.labels))
        if unknown:
            raise ValueError(f"passing_labels {unknown} are not among labels")
        if self.swap:
            self.swap.check_labels(self.labels)
        return self

    def scale(self) -> Scale:
        return Scale(labels=self.labels, passing_labels=self.passing_labels, judge=self.model)

    async def grade(self, item: dict[str, Any], sample: dict[str, Any], models: Models) -> Grade:
        schema = strict_object({"label": {"type": "string", "enum": self.labels}})
        judged, *swapped = await self.judgements({"item": item, "sample": sample}, models, schema, self._label)
        label = judged.finding
        passed = label in self.passing_labels
        if not self.swap:
            return Grade(passed=passed, score=float(passed), sample={**judged.shown, "label": label})
        other = self.swap.turned(swapped[0].finding)
        passed_too = other in self.passing_labels
        sample = {
            **judged.shown,
            "label": label if label == other else None,
            "labels": [label, other],
            "position_consistent": label == other,
            "swapped": swapped[0].shown,
        }
        return Grade(passed=passed and passed_too, score=(passed + passed_too) / 2, sample=sample)

    def _label(self, text: str) -> str:
        try:
            label = orjson.loads(text)["label"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise NotGradable(f"judge '{self.model}' did not answer with a label") from error
        if label not in self.labels:
            raise NotGradable(f"judge '{self.model}' answered with a label that is not one of {self.labels}")
        return str(label)
