"""The hyperparameters of Nova's customization: names, ranges and defaults as AWS documents them."""

from __future__ import annotations

from typing import NamedTuple

from local.fakes.wire import AwsError


class _Range(NamedTuple):
    low: float
    high: float
    default: str
    whole: bool


_NOVA = {
    "epochCount": _Range(1, 5, "2", whole=True),
    "learningRate": _Range(1e-6, 1e-4, "1.00E-5", whole=False),
    "learningRateWarmupSteps": _Range(0, 100, "10", whole=True),
}


def with_defaults(given: dict[str, str]) -> dict[str, str]:
    """All hyperparameters of a job. Raises AWS's refusal for a name or a value that the model does not take."""
    for name, text in given.items():
        known = _NOVA.get(name)
        if known is None:
            raise AwsError("ValidationException", f"The hyperparameter {name} is not supported by the model.")
        if not _within(known, text):
            raise AwsError("ValidationException", f"{name} must be from {known.low} to {known.high}, and is {text}.")
    return {name: given.get(name, known.default) for name, known in _NOVA.items()}


def _within(known: _Range, text: str) -> bool:
    try:
        value = int(text) if known.whole else float(text)
    except ValueError:
        return False
    return known.low <= value <= known.high
