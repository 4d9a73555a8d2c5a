"""Try one grader on one answer, outside of a run: OpenAI's `alpha/graders/run`.

In: a grader, an item and the text of an answer. Out: the reward, and in `errors` why there is none: then the reward is
0. What models and the sandbox cost is paid for each trial anew, and summed by model.
"""

from __future__ import annotations

import time
from typing import Any

from pydantic import Field

from foundation.document import Document
from graders import sandbox
from graders.grade import Grade, GraderModel, InvalidVariable, NotGradable
from graders.judging import JudgeRefused
from graders.namespace import namespace
from graders.python import SandboxFailed, SourceFailed
from providers import Provider, ProviderAway, ProviderRefused

_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
COMPUTING_FAILED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What computing on an odd item raises."""


class TrialErrors(Document):
    """Why there is no reward: what is true of these, and in `message` how it came."""

    formula_parse_error: bool = False
    sample_parse_error: bool = False
    truncated_observation_error: bool = False
    unresponsive_reward_error: bool = False
    invalid_variable_error: bool = False
    """A template names what item and sample do not have."""
    other_error: bool = False
    python_grader_server_error: bool = False
    """The sandbox ended, or was busy."""
    python_grader_server_error_type: str | None = None
    python_grader_runtime_error: bool = False
    """The source raised, or returned no number."""
    python_grader_runtime_error_details: str | None = None
    model_grader_server_error: bool = False
    """The provider of the judge refused, or was away."""
    model_grader_server_error_details: str | None = None
    model_grader_refusal_error: bool = False
    model_grader_parse_error: bool = False
    """The judge's answer was not what it was asked for."""
    message: str | None = None
    """What happened, for people."""


class TrialMetadata(Document):
    """What is known of a trial beside its reward."""

    name: str
    type: str
    errors: TrialErrors
    execution_time: float
    """Seconds."""
    scores: dict[str, float] = Field(default_factory=dict)
    """Those of the graders that a `multi` is made of."""
    token_usage: int | None
    """The tokens of all judges together; null where no model was asked."""
    sampled_model_name: str | None
    """The model that judged, by the name that it gave itself."""


class Trial(Document):
    """The result of a trial."""

    reward: float
    """The score; 0 where the answer could not be graded."""
    metadata: TrialMetadata
    sub_rewards: dict[str, float] = Field(default_factory=dict)
    """The scores of the graders that a `multi` is made of."""
    model_grader_token_usage_per_model: dict[str, dict[str, int]] = Field(default_factory=dict)
    """The tokens by the model that used them."""


async def run_trial(
    grader: GraderModel, item: dict[str, Any], text: str, provider: Provider, *, deadline_s: float
) -> Trial:
    """Grade the text within the deadline."""
    started = time.monotonic()
    models = CountedModels(provider, started + deadline_s)
    grade, errors = Grade(passed=False, score=0.0), TrialErrors()
    try:
        grade = await grader.grade(item, namespace(_completion(text), asked_json=None), models)
    except (NotGradable, ProviderRefused, *COMPUTING_FAILED) as error:
        errors = _errors_of(error, grader)
    scores = _scores_of(grade)
    metadata = TrialMetadata(
        name=grader.name,
        type=grader.type,
        errors=errors,
        execution_time=round(time.monotonic() - started, 3),
        scores=scores,
        token_usage=sum(usage["total_tokens"] for usage in models.usage.values()) if models.usage else None,
        sampled_model_name=next(iter(models.usage), None),
    )
    return Trial(
        reward=grade.score, metadata=metadata, sub_rewards=scores, model_grader_token_usage_per_model=models.usage
    )


class CountedModels:
    """What a grader can call. Each call is made when it is asked for, and counted in `usage`."""

    def __init__(self, provider: Provider, ends: float) -> None:
        self.usage: dict[str, dict[str, int]] = {}
        self._provider = provider
        self._ends = ends

    async def complete(self, request: dict[str, Any]) -> dict[str, Any]:
        answer = await self._provider.complete(request, deadline_s=self._left_s())
        return self._counted(request["model"], answer.body)

    async def embed(self, request: dict[str, Any]) -> dict[str, Any]:
        answer = await self._provider.embed(request, deadline_s=self._left_s())
        return self._counted(request["model"], answer.body)

    async def run_source(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return (await sandbox.grade(request, deadline_s=self._left_s())).body
        except ProviderAway as away:
            raise SandboxFailed(away.message) from away

    def _left_s(self) -> float:
        return max(0.5, self._ends - time.monotonic())

    def _counted(self, asked: str, body: dict[str, Any]) -> dict[str, Any]:
        model, usage = body.get("model"), body.get("usage")
        name = model if isinstance(model, str) else asked
        used = self.usage.setdefault(name, dict.fromkeys(_COUNTS, 0))
        for count in _COUNTS:
            tokens = usage.get(count) if isinstance(usage, dict) else None
            used[count] += tokens if isinstance(tokens, int) else 0
        return body


def _completion(text: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}]}


def _scores_of(grade: Grade) -> dict[str, float]:
    parts = (grade.sample or {}).get("graders")
    return {name: part["score"] for name, part in parts.items()} if isinstance(parts, dict) else {}


def _errors_of(error: Exception, grader: GraderModel) -> TrialErrors:
    match error:
        case ProviderRefused():
            details = f"status {error.status}: {error.message}"
            return TrialErrors(
                model_grader_server_error=True, model_grader_server_error_details=details, message=details
            )
        case InvalidVariable():
            kind = "invalid_variable_error"
        case SourceFailed():
            return TrialErrors(
                python_grader_runtime_error=True, python_grader_runtime_error_details=str(error), message=str(error)
            )
        case SandboxFailed():
            return TrialErrors(
                python_grader_server_error=True, python_grader_server_error_type=error.code, message=str(error)
            )
        case JudgeRefused():
            kind = "model_grader_refusal_error"
        case NotGradable() if grader.asks_models():
            kind = "model_grader_parse_error"
        case _:
            kind = "other_error"
    return TrialErrors(**{kind: True}, message=str(error))
