"""Entry point: decide a distillation."""

from __future__ import annotations

from typing import Any

from foundation import bus
from foundation.consumer import consume
from foundation.events import DecideVerdict, Delivery, StepFailed
from verdict.decide import decide


def entry(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda gives it
    return consume(event, _handle, _give_up)


def _handle(delivery: Delivery) -> None:
    if not isinstance(delivery, DecideVerdict):
        raise TypeError(f"verdict takes no {type(delivery).__name__}")
    decide(delivery.distillation_id)


def _give_up(delivery: Delivery, reason: str) -> None:
    if isinstance(delivery, DecideVerdict):
        message = f"The verdict could not be decided: {reason}."
        failed = StepFailed(
            distillation_id=delivery.distillation_id, during="deciding", code="verdict_failed", message=message
        )
        bus.send(failed)
