"""How a run ends: those who wait for it hear of it by its summary, everybody else by an event for webhooks.

In: an open run and its end, or a run that has ended. Out: summary and event. Both may come again: the delivery that
ended the run may have died after the table said so and before they were out.
"""

from __future__ import annotations

from typing import Any

from evals.run import Run
from foundation import bus
from foundation.events import DeliverEvent
from notifications.endpoints import EventType

_EVENTS: dict[str, EventType] = {
    "completed": "eval.run.succeeded",
    "failed": "eval.run.failed",
    "canceled": "eval.run.canceled",
}


def end(run: Run, *, status: str, **changes: Any) -> None:
    """End the run, unless it was canceled meanwhile, and tell how it has ended."""
    run.finish(status=status, **changes)
    ended = Run.find(run.id)
    if ended:
        event = DeliverEvent(event_type=_EVENTS[ended.status], object_id=run.id)
        bus.send(event)


def tell_again(run: Run) -> None:
    """Say once more how it has ended."""
    end(run, status=run.status)


def give_up(run_id: str, code: str, message: str) -> None:
    """End an open run as failed after work for it has failed for the last time."""
    run = Run.find(run_id)
    if run and not run.ended:
        end(run, status="failed", error={"code": code, "message": message})
    elif run:
        tell_again(run)
