"""Entry point: captured completions that landed, runs that ended, and the clock, for open rollouts."""

from __future__ import annotations

from typing import Any

from foundation.consumer import consume
from foundation.events import Delivery
from foundation.rollout_messages import AdvanceRollout, LookAtRollouts, ObjectCreated
from rolling_out.advance import advance, look
from rolling_out.observe import observe


def entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    def handle(delivery: Delivery) -> None:
        match delivery:
            case ObjectCreated(key=key):
                observe(key, context)
            case AdvanceRollout(rollout_id=rollout_id, resend=resend):
                advance(rollout_id, context, resend=resend)
            case LookAtRollouts():
                look(context)
            case _:
                raise TypeError(f"rolling_out takes no {type(delivery).__name__}")

    return consume(event, handle)
