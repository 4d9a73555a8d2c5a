"""End a run, and announce it: its summary in S3 tells a waiting distillation, an event tells the webhooks.

In: an open run and how it ends, or a run that has ended. Out: the summary, what the run has cost in the month's book,
and the event. All may be sent more than once: a delivery that dies between the write to the table and the sending is
repeated. Of the many small runs of a rollout no event tells, and whoever tallies them books what they cost.
"""

from __future__ import annotations

from typing import Any

from distillations.failure import Failure
from evals.run import Run
from foundation import bus
from foundation.events import DeliverEvent
from notifications.event_types import EventType
from notifications.spending_cap import tell_if_reached
from providers import spending
from providers.prices import cost_nanodollars

_EVENTS: dict[str, EventType] = {
    "completed": "eval.run.succeeded",
    "failed": "eval.run.failed",
    "canceled": "eval.run.canceled",
}


def end(run: Run, *, status: str, error: Failure | None = None, **changes: Any) -> None:
    """End the run, unless it was canceled meanwhile, and announce how it has ended."""
    reason = {"error": error.model_dump()} if error else {}
    run.finish(status=status, **reason, **changes)
    ended = Run.find(run.id)
    if ended:
        _book(ended)
    if ended and not ended.rollout_id:
        event = DeliverEvent(event_type=_EVENTS[ended.status], object_id=run.id)
        bus.send(event)


def _book(run: Run) -> None:
    """Book what the run has paid for; a run of stored answers without a judge has paid for nothing."""
    paid = [] if run.rollout_id else run.paid()
    if paid:
        spending.book("eval", run.id, run.created_at, cost_nanodollars(paid))
        tell_if_reached()


def tell_again(run: Run) -> None:
    """Announce once more how the run has ended."""
    end(run, status=run.status)


def give_up(run_id: str, code: str, message: str) -> None:
    """End an open run as failed, after a message about it failed on its last delivery."""
    run = Run.find(run_id)
    if run and not run.ended:
        end(run, status="failed", error=Failure(code=code, message=message))
    elif run:
        tell_again(run)
