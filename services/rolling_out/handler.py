"""Entry point: captured completions that landed, runs that ended, and the clock, for open rollouts."""

from __future__ import annotations

from typing import Any

from foundation.consumer import consume
from foundation.events import Delivery


def entry(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda gives it
    return consume(event, _handle)


def _handle(delivery: Delivery) -> None:
    raise TypeError(f"rolling_out takes no {type(delivery).__name__}")
