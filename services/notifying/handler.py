"""Entry point: deliver an event to whoever asks for its type."""

from __future__ import annotations

from typing import Any

from foundation.consumer import consume
from foundation.events import DeliverEvent, Delivery
from notifying.deliver import deliver


def entry(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda gives it
    return consume(event, _handle)


def _handle(delivery: Delivery) -> None:
    if not isinstance(delivery, DeliverEvent):
        raise TypeError(f"webhooks takes no {type(delivery).__name__}")
    deliver(delivery)
