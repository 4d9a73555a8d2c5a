"""Entry point: decide a distillation."""

from __future__ import annotations

from typing import Any

from foundation.consumer import consume
from foundation.events import DecideVerdict, Delivery
from verdict.decide import decide


def entry(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda gives it
    return consume(event, _handle)


def _handle(delivery: Delivery) -> None:
    if not isinstance(delivery, DecideVerdict):
        raise TypeError(f"verdict takes no {type(delivery).__name__}")
    decide(delivery.distillation_id)
