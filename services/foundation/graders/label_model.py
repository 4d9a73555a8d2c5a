"""`label_model`: a judge model chooses one of the labels; some of them pass.

The judge is held to the labels by structured output. An answer that is none of them raises `NotGradable`.
"""

from __future__ import annotations

from typing import Any, Literal, Self

import orjson
from pydantic import Field, model_validator

from foundation.graders.grade import Grade, GraderModel, Judge, NotGradable
from foundation.graders.template import render_messages


class LabelModel(GraderModel):
    """`input` holds the messages that the judge reads, with template places."""

    type: Literal["label_model"]
    model: str = Field(min_length=1)
    input: list[dict[str, Any]] = Field(min_length=1)
    labels: list[str] = Field(min_length=1)
    passing_labels: list[str] = Field(min_length=1)

    @model_validator(mode="after")
    def _labels_agree(self) -> Self:
        unknown = sorted(set(self.passing_labels) - set(self.labels))
        if unknown:
            raise ValueError(f"passing_labels {unknown} are not among labels")
        if any("role" not in message or "content" not in message for message in self.input):
            raise ValueError("each message of input needs role and content")
        return self

    async def grade(self, item: dict[str, Any], sample: dict[str, Any], judge: Judge) -> Grade:
        request = {
            "model": self.model,
            "messages": render_messages(self.input, {"item": item, "sample": sample}),
            "temperature": 0,
            "response_format": self._response_format(),
        }
        answer = await judge(request)
        text = answer["choices"][0]["message"].get("content") or ""
        label = self._label(text)
        passed = label in self.passing_labels
        usage = answer.get("usage") or {}
        return Grade(
            passed=passed,
            score=float(passed),
            sample={"model": self.model, "output": text, "label": label, "usage": usage},
        )

    def _label(self, text: str) -> str:
        try:
            label = orjson.loads(text)["label"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise NotGradable(f"judge '{self.model}' did not answer with a label") from error
        if label not in self.labels:
            raise NotGradable(f"judge '{self.model}' answered with a label that is not one of {self.labels}")
        return str(label)

    def _response_format(self) -> dict[str, Any]:
        schema = {
            "type": "object",
            "properties": {"label": {"type": "string", "enum": self.labels}},
            "required": ["label"],
            "additionalProperties": False,
        }
        return {
            "type": "json_schema",
            "json_schema": {"name": "label", "strict": True, "schema": schema},
        }
