"""`score_model`: a judge model reasons in steps and ends with a number, which is clamped to `range`.

The answer is held by structured output to `{"steps": [{description, conclusion}], "result": number}`. One that is
not raises `NotGradable`. Source: OpenAI's guide to graders.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypedDict

from pydantic import BaseModel, Field, FiniteFloat, StrictFloat, StrictInt, ValidationError, model_validator

from foundation.graders.grade import Grade, GraderModel, Models, NotGradable
from foundation.graders.judging import JudgeMessages, ask, strict_object
from foundation.graders.template import render_messages

_RENAMED = {"max_completions_tokens": "max_completion_tokens"}


class SamplingParams(TypedDict, total=False):
    """How the judge is sampled, in OpenAI's spelling. A parameter given as null is not sent."""

    seed: int | None
    temperature: float | None
    top_p: float | None
    max_completions_tokens: int | None
    reasoning_effort: str | None


class _Step(BaseModel):
    description: str
    conclusion: str


class _Scored(BaseModel):
    steps: list[_Step] = []
    result: Annotated[StrictFloat | StrictInt, Field(allow_inf_nan=False)]


class ScoreModel(GraderModel):
    """Passes at `pass_threshold` and above; where it is not given, at the middle of `range`.

    Without `temperature` the judge is asked for 0. Models that take none are asked with `"temperature": null`.
    """

    type: Literal["score_model"]
    model: str = Field(min_length=1)
    input: JudgeMessages
    range: list[FiniteFloat] = Field(default=[0.0, 1.0], min_length=2, max_length=2)
    pass_threshold: FiniteFloat | None = None
    sampling_params: SamplingParams | None = None

    @model_validator(mode="after")
    def _threshold_in_range(self) -> Self:
        low, high = self.range
        if low >= high:
            raise ValueError("range is [lowest, highest], the lowest first")
        if self.pass_threshold is None:
            self.pass_threshold = (low + high) / 2
        if not low <= self.pass_threshold <= high:
            raise ValueError(f"pass_threshold {self.pass_threshold} lies outside of range {self.range}")
        return self

    async def grade(self, item: dict[str, Any], sample: dict[str, Any], models: Models) -> Grade:
        messages = render_messages(self.input, {"item": item, "sample": sample})
        request = {"model": self.model, "messages": messages, **self._sampling()}
        judged = await ask(models, request, self._schema(), self._scored)
        low, high = self.range
        score = min(max(float(judged.finding.result), low), high)
        passed = self.pass_threshold is not None and score >= self.pass_threshold
        steps = [step.model_dump() for step in judged.finding.steps]
        return Grade(passed=passed, score=score, sample={**judged.shown, "steps": steps})

    def _sampling(self) -> dict[str, Any]:
        parameters = {"temperature": 0, **(self.sampling_params or {})}
        return {_RENAMED.get(name, name): value for name, value in parameters.items() if value is not None}

    def _scored(self, text: str) -> _Scored:
        try:
            return _Scored.model_validate_json(text)
        except ValidationError as error:
            raise NotGradable(f"judge '{self.model}' did not answer with steps and a number as result") from error

    def _schema(self) -> dict[str, Any]:
        step = strict_object({"description": {"type": "string"}, "conclusion": {"type": "string"}})
        result = {"type": "number", "description": f"From {self.range[0]} to {self.range[1]}."}
        return strict_object({"steps": {"type": "array", "items": step}, "result": result})
