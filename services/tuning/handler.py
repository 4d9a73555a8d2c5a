"""Entry points: `start_entry` for cards that landed (and cancellations), `watch_entry` for the clock."""

from __future__ import annotations

from typing import Any

from distillations.dataset import Dataset
from foundation import bus
from foundation.consumer import consume
from foundation.events import CancelJob, Delivery, ObjectsLanded, StepFailed
from tuning.cancel import cancel
from tuning.start import start
from tuning.watch import watch


def start_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    def handle(delivery: Delivery) -> None:
        match delivery:
            case ObjectsLanded(keys=keys):
                for key in keys:
                    start(key, context)
            case CancelJob(job_id=job_id):
                cancel(job_id, context)
            case _:
                raise TypeError(f"tuning takes no {type(delivery).__name__}")

    return consume(event, handle, _give_up)


def _give_up(delivery: Delivery, reason: str) -> None:
    keys = delivery.keys if isinstance(delivery, ObjectsLanded) else []
    for key in keys:
        dataset = Dataset.find(key.split("/")[1])
        if dataset:
            message = f"The fine-tuning job could not be started: {reason}."
            failed = StepFailed(
                distillation_id=dataset.distillation_id, during="assembling", code="start_failed", message=message
            )
            bus.send(failed)


def watch_entry(event: dict[str, Any], context: Any) -> None:  # noqa: ARG001 - Lambda's signature
    watch()
