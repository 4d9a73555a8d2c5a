"""What it costs at most to have rows graded, before anybody is asked.

In: criteria, and completions. Out: the mean cost of grading one of them in nano-dollars, None where a model has no
price. Each criterion is put together as for a real grading, with models that answer nothing: so the length of what they
would be asked is known. OpenAI's rule of thumb for English gives the tokens: one for four bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn

import orjson

from completions.completion import Completion
from foundation import loop
from graders import GraderModel, NotGradable
from graders.namespace import namespace
from providers.prices import cost_nanodollars
from providers.usage import ModelUsage

BYTES_A_TOKEN = 4
ANSWER_TOKENS = 500
"""What a judge is taken to answer at most where its definition has no limit; scores come with their steps."""
_ESTIMATED = 50
_ODD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class _NotAsked(NotGradable):
    """The request is known; nobody is asked."""


class _Nobody:
    """The `Models` of a grader that keep what they would be asked."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    async def complete(self, request: dict[str, Any]) -> NoReturn:
        self._keep(request)

    async def embed(self, request: dict[str, Any]) -> NoReturn:
        self._keep(request)

    async def run_source(self, request: dict[str, Any]) -> NoReturn:  # noqa: ARG002 - it costs nothing
        raise _NotAsked("nobody is asked")

    def _keep(self, request: dict[str, Any]) -> NoReturn:
        self.requests.append(request)
        raise _NotAsked("nobody is asked")


def sample_of(ids: Sequence[str], completions: Callable[[], Iterable[Completion]]) -> list[Completion]:
    """Some fifty of the completions, evenly spaced, whose cost stands for that of all."""
    wanted = set(ids[:: -(-len(ids) // _ESTIMATED)]) if ids else set()
    found = []
    for completion in completions() if wanted else ():
        if completion.id in wanted:
            found.append(completion)
            wanted.discard(completion.id)
        if not wanted:
            break
    return found


def grading_nanodollars(criteria: Sequence[GraderModel], completions: Sequence[Completion]) -> float | None:
    """The mean cost of grading one of these completions by all criteria; 0 where no model is asked."""
    graders = [grader for criterion in criteria for grader in _asking(criterion)]
    if not graders or not completions:
        return 0.0
    usage = [use for completion in completions for use in _usage(graders, completion)]
    cost = cost_nanodollars(usage)
    return None if cost is None else cost / len(completions)


def asking_nanodollars(model: str, completions: Sequence[Completion]) -> float | None:
    """The mean cost of asking a model again what these completions were asked; None where it has no price."""
    used = ModelUsage(model_name=model)
    for completion in completions:
        prompt, _, answer = completion.tokens
        asked = _tokens(completion.messages) if prompt is None else prompt
        used.add({"prompt_tokens": asked, "completion_tokens": ANSWER_TOKENS if answer is None else answer})
    cost = cost_nanodollars([used])
    return None if cost is None else cost / max(1, len(completions))


def _asking(criterion: GraderModel) -> Iterator[GraderModel]:
    """The graders of a criterion that ask models, those that it is made of in place of itself."""
    parts = criterion.parts()
    for part in parts.values():
        yield from _asking(part)
    if not parts and criterion.asks_models():
        yield criterion


def _usage(graders: Iterable[GraderModel], completion: Completion) -> Iterator[ModelUsage]:
    row = completion.row()
    sample = namespace(completion.response, asked_json=None)
    for grader in graders:
        for request in _asked(grader, row["item"], sample):
            # With `swap` a judge is asked in both orders.
            for _ in range(2 if getattr(grader, "swap", None) else 1):
                yield _used(request)


def _asked(grader: GraderModel, item: dict[str, Any], sample: dict[str, Any]) -> list[dict[str, Any]]:
    """What the models of a grader would be asked; nothing where the row cannot be graded."""
    nobody = _Nobody()
    try:
        loop.run(grader.grade(item, sample, nobody))
    except (NotGradable, *_ODD):
        pass
    return nobody.requests


def _used(request: dict[str, Any]) -> ModelUsage:
    answer = 0 if "input" in request else request.get("max_completion_tokens") or ANSWER_TOKENS
    used = ModelUsage(model_name=request["model"])
    used.add(
        {"prompt_tokens": _tokens(request.get("messages") or request.get("input") or ""), "completion_tokens": answer}
    )
    return used


def _tokens(content: Any) -> int:
    return -(-len(orjson.dumps(content)) // BYTES_A_TOKEN)
