"""What a training will take, before anything is made: `/v1/fine_tuning/estimate`.

In: the model, the trainer, the tokens of the examples. Out: dollars by the price list, and minutes by how long the
trainer's last jobs took for a token; each null where nobody knows. Nothing is written.
"""

from __future__ import annotations

from itertools import islice
from statistics import median
from typing import Literal

from distillations.job import Job
from distillations.trainers import entry_of
from foundation import http
from foundation.document import Document
from foundation.errors import ApiError
from foundation.routes import Query, Routes
from providers import prices

router = Routes("Fine-tuning jobs")
_MOST_TOKENS = 1 << 53
_MOST_EPOCHS = 100
_JOBS_READ = 50
_JOBS_USED = 5
_TOKENS = {"type": "integer", "minimum": 1, "maximum": _MOST_TOKENS}
_EPOCHS = {"type": "integer", "minimum": 1, "maximum": _MOST_EPOCHS}


class TrainingEstimate(Document):
    """What a training would take."""

    object: Literal["fine_tuning.estimate"] = "fine_tuning.estimate"
    model: str
    trainer: str
    tokens: int
    """The tokens of the examples, each once."""
    epochs: int | None
    """How often the trainer goes through them; null where it chooses by itself and nobody knows."""
    cost_usd: float | None
    """US dollars by the price list; null without a price, or without `epochs`."""
    minutes: float | None
    """By the median time for a token of the trainer's last five trainings that succeeded; null before the first one."""
    minutes_from: int
    """How many trainings that rests on."""
    prices_as_of: str
    """The date of the price list."""


@router.get(
    "/v1/fine_tuning/estimate",
    scope="read",
    query=(
        Query("model", "The model to train."),
        Query("trainer", "The trainer, or the provider that trains: `default` if absent."),
        Query("tokens", "The tokens of the examples, each once.", _TOKENS),
        Query("n_epochs", "How often they are gone through: the trainer's own choice if absent.", _EPOCHS),
    ),
)
def estimate_training() -> TrainingEstimate:
    """Estimate what a training costs and how long it takes, before there is a file to train on."""
    model, trainer = http.query_of(router, "model"), http.query_of(router, "trainer") or "default"
    tokens = _whole("tokens", _MOST_TOKENS)
    if not model or tokens is None:
        missing = "tokens" if model else "model"
        raise ApiError(f"Missing '{missing}'.", code="missing_required_parameter", param=missing)
    epochs = _whole("n_epochs", _MOST_EPOCHS) or _own_epochs(trainer)
    price = prices.training_nanodollars(model)
    seconds = _seconds_a_token(trainer)
    return TrainingEstimate(
        model=model,
        trainer=trainer,
        tokens=tokens,
        epochs=epochs,
        cost_usd=None if price is None or epochs is None else round(tokens * epochs * price / 1e9, 4),
        minutes=round(median(seconds) * tokens * (epochs or 1) / 60, 1) if seconds else None,
        minutes_from=len(seconds),
        prices_as_of=prices.as_of(),
    )


def _own_epochs(trainer: str) -> int | None:
    try:
        return entry_of(trainer).hyperparameters.DEFAULT_EPOCHS
    except KeyError as unknown:
        raise ApiError(f"There is no trainer '{trainer[:64]}'.", code="invalid_value", param="trainer") from unknown


def _seconds_a_token(trainer: str) -> list[float]:
    """How long the trainer's last trainings took for each token that they were trained on."""
    newest = islice(Job.every(descending=True), _JOBS_READ)
    ended = (job for job in newest if job.trainer == trainer and job.status == "succeeded")
    times = (
        (job.finished_at - job.created_at) / job.trained_tokens
        for job in ended
        if job.finished_at and job.trained_tokens
    )
    return list(islice(times, _JOBS_USED))


def _whole(name: str, most: int) -> int | None:
    text = http.query_of(router, name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        raise ApiError(f"Invalid '{name}': use a whole number from 1 to {most}.", code="invalid_value", param=name)
    return int(text)
