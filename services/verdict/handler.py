"""Entry point: decide a distillation, or tell people that it is blocked or has failed."""

from __future__ import annotations

from typing import Any

from distillations.distillation import Distillation
from foundation.consumer import consume
from foundation.events import DecideVerdict, Delivery, DistillationBlocked, DistillationFailed
from verdict.decide import decide
from verdict.notify import notify_blocked, notify_failed


def entry(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda gives it
    return consume(event, _handle)


def _handle(delivery: Delivery) -> None:
    match delivery:
        case DecideVerdict(distillation_id=distillation_id):
            decide(distillation_id)
        case DistillationBlocked(distillation_id=distillation_id):
            notify_blocked(Distillation.load(distillation_id))
        case DistillationFailed(distillation_id=distillation_id):
            notify_failed(Distillation.load(distillation_id))
        case _:
            raise TypeError(f"verdict takes no {type(delivery).__name__}")
