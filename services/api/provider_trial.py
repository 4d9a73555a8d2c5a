"""Try a provider with one short call, and say what it saw.

In: a provider's name and a model's. Out: the first words of the answer with its latency and usage, or the error with
its status. A failure of the provider is an answer here: the caller wants to know what is wrong.
"""

from __future__ import annotations

from typing import Any, Literal

from completions.messages import text_of
from foundation import loop
from foundation.bounds import cut
from foundation.document import Document
from foundation.errors import ApiError, NotFound
from providers import registry
from providers.provider import ProviderRefused, has_message
from providers.registry import Known
from providers.saved import SavedProvider
from providers.usage import ModelUsage

_DEADLINE_S = 24.0
_ONCE_S = 0.01
_LONGEST_WORD = 256
_QUESTION = [{"role": "user", "content": "Answer with one word: ready"}]


class ProviderTrial(Document):
    """What one call of a provider saw."""

    object: Literal["provider.test"] = "provider.test"
    provider: str
    model: str
    ok: bool
    """Whether the model answered with a message."""
    status: int
    """The status of its answer; 504 where none came in time."""
    latency_ms: int | None = None
    answer: str | None = None
    """The first words of the answer."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    code: str | None = None
    """The provider's code for the error."""
    message: str | None = None
    """What is wrong, in the provider's words."""


def tried(name: str, model: str | None) -> ProviderTrial:
    """Ask the provider of this name. Raises NotFound, and ApiError where it is open which model to ask."""
    known = next((known for known in registry.read_now() if known.name == name), None)
    if known is None:
        raise NotFound(SavedProvider.NAME, name, param="name")
    asked = model or next(iter(known.entry.models), None)
    if asked is None:
        raise ApiError(
            "Missing required parameter: 'model'. This provider lists no models, so say which one to ask.",
            code="missing_required_parameter",
            param="model",
        )
    return loop.run(_trial(known, asked))


async def _trial(known: Known, model: str) -> ProviderTrial:
    # One of its own, so that the trial sees the key as it is now.
    provider = known.made(paced=False)
    try:
        answer = await provider.complete(
            {"model": model, "messages": _QUESTION}, deadline_s=_DEADLINE_S, retry_s=_ONCE_S
        )
    except ProviderRefused as refusal:
        code = None if refusal.code is None else cut(str(refusal.code), _LONGEST_WORD)
        return _failed(known, model, refusal.status, code, refusal.message)
    finally:
        await provider.close()
    if not has_message(answer.body):
        return _failed(known, model, 200, "no_message", "It answered, but not with a chat completion.")
    return _answered(known, model, answer.body, answer.latency_ms)


def _answered(known: Known, model: str, body: dict[str, Any], latency_ms: int) -> ProviderTrial:
    used = ModelUsage(model_name=model)
    used.add(body["usage"] if isinstance(body.get("usage"), dict) else {})
    return ProviderTrial(
        provider=known.name,
        model=model,
        ok=True,
        status=200,
        latency_ms=latency_ms,
        answer=cut(text_of(body["choices"][0]["message"].get("content")), _LONGEST_WORD),
        prompt_tokens=used.prompt_tokens if used.counted else None,
        completion_tokens=used.completion_tokens if used.counted else None,
    )


def _failed(known: Known, model: str, status: int, code: str | None, message: str) -> ProviderTrial:
    return ProviderTrial(provider=known.name, model=model, ok=False, status=status, code=code, message=cut(message))
