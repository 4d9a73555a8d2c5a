"""Graders tried on a few rows before anything is kept: each grade with its reason, and what asking the models costs.

In: criteria, and rows as a run has them. Out: for each row a grade of each criterion. Where models are not to be asked,
the graders that ask some are passed over; the estimate says what they would be paid. A row that cannot be graded has
the reason in its grade. An estimate takes a token for four bytes of each grader's first request, and so long an answer
as judges give.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from foundation.document import Document
from graders.grade import AnswerLacks, GraderModel, NotGradable
from graders.namespace import namespace
from graders.trial import COMPUTING_FAILED, CountedModels
from providers import Provider, ProviderRefused
from providers.prices import cost_nanodollars
from providers.usage import ModelUsage

_BYTES_A_TOKEN = 4
_TOKENS_OF_AN_ANSWER = 100


class PreviewedGrade(Document):
    """What one criterion says of a row."""

    name: str
    type: str
    passed: bool | None
    """Null where the row was not graded."""
    score: float | None
    sample: dict[str, Any] | None
    """What the grade rests on, as in output items."""
    error: str | None
    """Why the row could not be graded."""
    skipped: bool
    """Whether it asks a model, and none was to be asked."""


class PreviewedRow(Document):
    """A completion with what every criterion says of it."""

    completion_id: str
    item: dict[str, Any]
    """The row's fields, as graders see them under `item`."""
    output: list[dict[str, Any]]
    """The messages that the model answered with."""
    grades: list[PreviewedGrade]
    """In the order of the criteria."""


class AskedModel(Document):
    """A model that the graders ask."""

    model: str
    calls: int
    estimated_usd: float | None
    """Null where the price is not known."""


class EvalPreview(Document):
    """What criteria say of a few rows. Nothing of it is kept."""

    object: str = "eval.preview"
    rows: list[PreviewedRow]
    models: list[AskedModel]
    """Those that grading these rows asks, with what that is estimated to cost."""
    estimated_usd: float | None
    """What asking them costs together, in US dollars; null where a price is not known."""
    cost_usd: float | None
    """What was paid for this preview; null where a price is not known."""


class RowToPreview(NamedTuple):
    """A completion as graders see it. `asked_json` is whether the request asked for JSON."""

    completion_id: str
    item: dict[str, Any]
    response: dict[str, Any]
    asked_json: bool

    @property
    def seen(self) -> dict[str, Any]:
        return namespace(self.response, asked_json=self.asked_json)


async def preview(
    criteria: Sequence[GraderModel],
    rows: Sequence[RowToPreview],
    provider: Provider,
    *,
    ask_models: bool,
    deadline_s: float,
) -> EvalPreview:
    """Grade the rows within the deadline."""
    models = CountedModels(provider, time.monotonic() + deadline_s)
    asked = [_grade(criterion, row, models, ask_models=ask_models) for row in rows for criterion in criteria]
    grades = iter(await asyncio.gather(*asked))
    previewed = [
        PreviewedRow(
            completion_id=row.completion_id,
            item=row.item,
            output=[choice["message"] for choice in row.response.get("choices") or []],
            grades=[next(grades) for _ in criteria],
        )
        for row in rows
    ]
    estimate = await _estimate(criteria, rows)
    paid = [
        ModelUsage(
            model_name=name,
            invocation_count=1,
            prompt_tokens=usage["prompt_tokens"],
            completion_tokens=usage["completion_tokens"],
        )
        for name, usage in models.usage.items()
    ]
    return EvalPreview(
        rows=previewed,
        models=[
            AskedModel(model=used.model_name, calls=used.invocation_count, estimated_usd=_dollars([used]))
            for used in estimate
        ],
        estimated_usd=_dollars(estimate),
        cost_usd=_dollars(paid),
    )


async def _grade(
    criterion: GraderModel, row: RowToPreview, models: CountedModels, *, ask_models: bool
) -> PreviewedGrade:
    named = {"name": criterion.name, "type": criterion.type}
    bare = {"passed": None, "score": None, "sample": None}
    if criterion.asks_models() and not ask_models:
        return PreviewedGrade(**named, **bare, error=None, skipped=True)
    try:
        grade = await criterion.grade(row.item, row.seen, models)
    except AnswerLacks as lacking:
        sample = {"errors": [str(lacking)]}
        return PreviewedGrade(**named, passed=False, score=0.0, sample=sample, error=None, skipped=False)
    except (NotGradable, ProviderRefused, *COMPUTING_FAILED) as error:
        reason = error.message if isinstance(error, ProviderRefused) else str(error)
        return PreviewedGrade(**named, **bare, error=reason, skipped=False)
    return PreviewedGrade(**named, **grade.model_dump(), error=None, skipped=False)


class _Estimated(NotGradable):
    """The request is counted; nothing is asked."""


class _CountingModels:
    """Counts what a grader would ask first, and asks nothing."""

    def __init__(self) -> None:
        self.usage: dict[str, ModelUsage] = {}

    async def complete(self, request: dict[str, Any]) -> dict[str, Any]:
        self._count(request["model"], request["messages"], _TOKENS_OF_AN_ANSWER)
        raise _Estimated("not asked")

    async def embed(self, request: dict[str, Any]) -> dict[str, Any]:
        self._count(request["model"], request["input"], 0)
        raise _Estimated("not asked")

    async def run_source(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - a source asks no model
        raise _Estimated("not run")

    def _count(self, model: str, prompt: Any, answer: int) -> None:
        used = self.usage.setdefault(model, ModelUsage(model_name=model))
        tokens = len(orjson.dumps(prompt)) // _BYTES_A_TOKEN + 1
        used.merge(ModelUsage(model_name=model, invocation_count=1, prompt_tokens=tokens, completion_tokens=answer))


async def _estimate(criteria: Sequence[GraderModel], rows: Sequence[RowToPreview]) -> list[ModelUsage]:
    """What the models that these graders ask are asked, by model."""
    counting = _CountingModels()
    by_itself = [part for criterion in criteria for part in (criterion.parts().values() or [criterion])]
    for row in rows:
        for grader in by_itself:
            if grader.asks_models():
                try:
                    await grader.grade(row.item, row.seen, counting)
                except (NotGradable, *COMPUTING_FAILED):
                    continue
    return list(counting.usage.values())


def _dollars(usage: Sequence[ModelUsage]) -> float | None:
    cost = cost_nanodollars(usage)
    return None if cost is None else cost / 1e9
