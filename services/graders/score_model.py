"""`score_model`: a judge model reasons in steps and ends with a number, which is clamped to `range`.

Structured output demands the answer `{"steps": [{description, conclusion}], "result": number}`; another answer raises
`NotGradable`. With `swap` the number says how far the first answer is to be preferred: the judge is asked in both
orders, the second number is mirrored in the range, and the score is the mean of the two.
Sources: OpenAI's guide to graders; Wang et al. (2023), "Large Language Models are not Fair Evaluators".
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, FiniteFloat, StrictFloat, StrictInt, ValidationError, model_validator

from graders.grade import Grade, Models, NotGradable, Scale
from graders.judging import JudgeModel, strict_object


class _Step(BaseModel):
    description: str
    conclusion: str


class _Scored(BaseModel):
    steps: list[_Step] = []
    result: Annotated[StrictFloat | StrictInt, Field(allow_inf_nan=False)]


class ScoreModel(JudgeModel):
    """Passes at `pass_threshold` and above, by default the middle of `range`."""

    type: Literal["score_model"]
    range: list[FiniteFloat] = Field(default=[0.0, 1.0], min_length=2, max_length=2)
    pass_threshold: FiniteFloat | None = None

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

    def scale(self) -> Scale:
        return Scale(pass_threshold=self.pass_threshold, judge=self.model)

    async def grade(self, item: dict[str, Any], sample: dict[str, Any], models: Models) -> Grade:
        judged, *swapped = await self.judgements({"item": item, "sample": sample}, models, self._schema(), self._scored)
        score, shown = self._clamped(judged.finding), {**judged.shown, "steps": _steps(judged.finding)}
        if swapped:
            scores = [score, sum(self.range) - self._clamped(swapped[0].finding)]
            shown["scores"] = scores
            shown["position_consistent"] = self._passes(scores[0]) == self._passes(scores[1])
            shown["swapped"] = {**swapped[0].shown, "steps": _steps(swapped[0].finding)}
            score = sum(scores) / 2
        return Grade(passed=self._passes(score), score=score, sample=shown)

    def _passes(self, score: float) -> bool:
        return self.pass_threshold is not None and score >= self.pass_threshold

    def _clamped(self, scored: _Scored) -> float:
        low, high = self.range
        return min(max(float(scored.result), low), high)

    def _scored(self, text: str) -> _Scored:
        try:
            return _Scored.model_validate_json(text)
        except ValidationError as error:
            raise NotGradable(f"judge '{self.model}' did not answer with steps and a number as result") from error

    def _schema(self) -> dict[str, Any]:
        step = strict_object({"description": {"type": "string"}, "conclusion": {"type": "string"}})
        result = {"type": "number", "description": f"From {self.range[0]} to {self.range[1]}."}
        return strict_object({"steps": {"type": "array", "items": step}, "result": result})


def _steps(scored: _Scored) -> list[dict[str, Any]]:
    return [step.model_dump() for step in scored.steps]
