"""`label_model`: a judge model chooses one of the labels; some of them pass.

The judge is held to the labels by structured output. An answer that is none of them raises `NotGradable`.
"""

from __future__ import annotations

from typing import Any, Literal, Self

import orjson
from pydantic import Field, model_validator

from foundation.graders.grade import Grade, GraderModel, Models, NotGradable
from foundation.graders.judging import JudgeMessages, ask, strict_object
from foundation.graders.template import render_messages


class LabelModel(GraderModel):
    """`input` holds the messages that the judge reads, with template places."""

    type: Literal["label_model"]
    model: str = Field(min_length=1)
    input: JudgeMessages
    labels: list[str] = Field(min_length=1)
    passing_labels: list[str] = Field(min_length=1)

    @model_validator(mode="after")
    def _labels_agree(self) -> Self:
        unknown = sorted(set(self.passing_labels) - set(self.labels))
        if unknown:
            raise ValueError(f"passing_labels {unknown} are not among labels")
        return self

    async def grade(self, item: dict[str, Any], sample: dict[str, Any], models: Models) -> Grade:
        messages = render_messages(self.input, {"item": item, "sample": sample})
        request = {"model": self.model, "messages": messages, "temperature": 0}
        schema = strict_object({"label": {"type": "string", "enum": self.labels}})
        judged = await ask(models, request, schema, self._label)
        passed = judged.finding in self.passing_labels
        return Grade(passed=passed, score=float(passed), sample={**judged.shown, "label": judged.finding})

    def _label(self, text: str) -> str:
        try:
            label = orjson.loads(text)["label"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise NotGradable(f"judge '{self.model}' did not answer with a label") from error
        if label not in self.labels:
            raise NotGradable(f"judge '{self.model}' answered with a label that is not one of {self.labels}")
        return str(label)
