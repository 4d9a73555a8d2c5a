"""Ask a trained model one question: a job has succeeded once its model answers."""

from __future__ import annotations

from typing import Any

from foundation import loop
from providers import Answer, ProviderAway, ProviderRefused, has_message, providers
from tuning.trainers import TrainerAway

_QUESTION: dict[str, Any] = {"messages": [{"role": "user", "content": "Answer with one word."}]}
_SHORT: dict[str, Any] = {**_QUESTION, "max_completion_tokens": 16}
_INVALID = 400
REFUSED = "model_refused"
"""The code of a silence that is the provider's refusal."""
# The watcher looks at several jobs within its 120 s, and comes again.
_SECONDS = 20


class ModelSilent(TrainerAway):
    """A trained model gives no answer yet. `code` says whether its provider is away, or refuses it.

    A provider may refuse a model for a while: not every part of it knows a new one at once.
    """

    def __init__(self, model: str, error: ProviderRefused) -> None:
        super().__init__(f"The model '{model}' was trained and does not answer: {error.message}")
        self.code = "model_away" if isinstance(error, ProviderAway) else REFUSED


def ask(model: str) -> None:
    """Return once the model has answered. Raises ModelSilent with its provider's words."""
    try:
        answer = _answer(model)
    except ProviderRefused as refusal:
        raise ModelSilent(model, refusal) from refusal
    if not has_message(answer.body):
        empty = ProviderRefused(200, b'{"error": {"message": "its answer holds no message"}}', {})
        raise ModelSilent(model, empty)


def _answer(model: str) -> Answer:
    """A short answer; where the model does not take the bound on its length, one as long as it likes."""
    try:
        return _asked(model, _SHORT)
    except ProviderRefused as refusal:
        if refusal.status != _INVALID:
            raise
    return _asked(model, _QUESTION)


def _asked(model: str, question: dict[str, Any]) -> Answer:
    return loop.run(providers().complete({"model": model, **question}, deadline_s=_SECONDS, retry_s=1))
