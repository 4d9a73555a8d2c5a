"""How sure a model was of its answer: the mean log-probability of its tokens, where the provider tells it.

In: an answer, a chat completion or a response of the Responses API. Out: a number from -9999 to 0, or None where nobody
can say: an answer without log-probabilities or with what can be none, one that was cut short, or one that calls tools,
whose tokens no provider tells. Of several choices the least sure one counts. The same is read of the frozen rows of a
distillation, on which the threshold of a cascade is chosen, and of each call that the cascade answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import fsum
from typing import Any

_WHOLE = "stop"
_COMPLETED = "completed"
_MESSAGE = "message"
# What a response may hold besides, as far as it calls no tool, ours or the provider's own.
_OF_ONE_MODEL = frozenset({_MESSAGE, "reasoning"})
# OpenAI writes the least for a token that cannot be; above 0 there is rounding alone. What is beyond is no logarithm of
# a probability, and could not be summed or be a cascade's threshold.
_LEAST, _MOST = -9999.0, 0.01


def of_completion(body: Any) -> float | None:
    """The confidence of a chat completion."""
    choices = _list(body, "choices")
    sure = [_of_choice(choice) for choice in choices]
    return _least(sure)


def of_response(body: Any) -> float | None:
    """The confidence of a response."""
    items = _list(body, "output")
    if _member(body, "status") != _COMPLETED or any(_member(item, "type") not in _OF_ONE_MODEL for item in items):
        return None
    parts = [part for item in items if _member(item, "type") == _MESSAGE for part in _list(item, "content")]
    return _least([_mean(_list(part, "logprobs")) for part in parts])


def _of_choice(choice: Any) -> float | None:
    message = _member(choice, "message")
    if _member(choice, "finish_reason") != _WHOLE or _member(message, "tool_calls") or _member(message, "refusal"):
        return None
    return _mean(_list(_member(choice, "logprobs"), "content"))


def _mean(tokens: list[Any]) -> float | None:
    said = list(_logprobs(tokens))
    return min(0.0, fsum(said) / len(said)) if said and len(said) == len(tokens) else None


def _logprobs(tokens: list[Any]) -> Iterator[float]:
    for token in tokens:
        said = _member(token, "logprob")
        if isinstance(said, int | float) and not isinstance(said, bool) and _LEAST <= said <= _MOST:
            yield float(said)


def _least(sure: list[float | None]) -> float | None:
    known = [one for one in sure if one is not None]
    return min(known) if known and len(known) == len(sure) else None


def _list(value: Any, name: str) -> list[Any]:
    found = _member(value, name)
    return found if isinstance(found, list) else []


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None
