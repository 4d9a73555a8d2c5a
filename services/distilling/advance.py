"""Take the steps of a distillation that are due. Only this module writes its status.

In: a hint that something has changed (a message, or a run's summary that landed); the state itself is read from the
table. Every step is one conditional write `from -> to` that also records the messages to send. They are sent after the
write, and sent again with each later delivery until the row says that they were sent.
"""

from __future__ import annotations

from collections.abc import Callable

from distillations.distillation import TERMINAL, Distillation, Status, Step
from distilling import choosing, steps, training
from distilling.transition import Transition
from evals.run import Run
from foundation import bus, events
from foundation.ids import now

STEPS: dict[Status, Callable[[Distillation], Transition | None]] = {
    "queued": steps.measure,
    "measuring": steps.judge_readiness,
    "blocked": steps.await_approval,
    "assembling": training.await_job,
    "training": training.await_model,
    "choosing": choosing.await_choice,
    "evaluating": steps.await_evaluation,
    "deciding": steps.await_verdict,
}


def advance(distillation_id: str) -> None:
    """Take every step that is due."""
    while True:
        distillation = Distillation.load(distillation_id)
        _send(distillation)
        step = STEPS.get(distillation.status)
        if step is None:
            _close(distillation)
            return
        cancelled = distillation.cancel_requested_at is not None
        transition = steps.cancel(distillation) if cancelled else step(distillation)
        if transition is None:
            return
        _move(distillation, transition)


def resend(distillation_id: str) -> None:
    """Send again the messages that the distillation waits for. Work that is done already is not done again."""
    bus.send_all(steps.owed(Distillation.load(distillation_id)))


def fail(distillation_id: str, code: str, message: str, *, during: str | None = None) -> None:
    """End a distillation as failed: an open one, or only one that is still in the status `during`."""
    distillation = Distillation.load(distillation_id)
    if distillation.status not in TERMINAL and during in {None, distillation.status}:
        _move(distillation, steps.fail(distillation, code, message))
    advance(distillation_id)


def _close(distillation: Distillation) -> None:
    """Cancel the runs that are open at the end: another delivery may have made one while the end was written."""
    runs = [Run.find(run_id) for run_id in distillation.run_ids]
    for run in runs:
        if run and not run.ended and run.cancel():
            plan = events.PlanRun(run_id=run.id, correlation_id=distillation.id)
            bus.send(plan)
    distillation.close()


def _move(distillation: Distillation, transition: Transition) -> None:
    """Write the step if the status is still the one it started from; otherwise another delivery took a step first."""
    at = Step(status=transition.to, at=now())
    distillation.change(
        {
            **transition.changes,
            "paused": None,
            "stalled_since": None,
            "status": transition.to,
            "history": [step.model_dump() for step in (*distillation.history, at)],
            "outbox": [message.model_dump(mode="json") for message in transition.messages],
        },
        where={"status": distillation.status},
    )


def _send(distillation: Distillation) -> None:
    """Send what the last step left in the outbox, then empty it."""
    if not distillation.outbox:
        return
    for document in distillation.outbox:
        bus.send(events.parse_work(document))
    distillation.change({"outbox": []}, where={"status": distillation.status})
