"""Entry points: `start_entry` for starts, landed cards, cancellations, retirements, `watch_entry` for the clock."""

from __future__ import annotations

from typing import Any

from distillations.dataset import Dataset, dataset_of
from foundation import bus
from foundation.consumer import consume
from foundation.events import CancelJob, Delivery, RetireModel, StartJob, StepFailed
from foundation.landed import ObjectsLanded
from tuning.cancel import cancel
from tuning.daily import daily
from tuning.retire import retire
from tuning.start import start
from tuning.watch import watch


def start_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    def handle(delivery: Delivery) -> None:
        match delivery:
            case ObjectsLanded(keys=keys):
                for key in keys:
                    start(StartJob(dataset_id=dataset_of(key)), context)
            case StartJob():
                start(delivery, context)
            case CancelJob():
                cancel(delivery, context)
            case RetireModel():
                retire(delivery)
            case _:
                raise TypeError(f"tuning takes no {type(delivery).__name__}")

    return consume(event, handle, _give_up)


def _give_up(delivery: Delivery, reason: str) -> None:
    match delivery:
        case ObjectsLanded(keys=keys):
            dataset_ids = [dataset_of(key) for key in keys]
        case StartJob(dataset_id=dataset_id):
            dataset_ids = [dataset_id]
        case _:
            return
    for dataset_id in dataset_ids:
        dataset = Dataset.find(dataset_id)
        if dataset:
            message = f"The fine-tuning job could not be started: {reason}."
            failed = StepFailed(
                distillation_id=dataset.distillation_id, during="assembling", code="start_failed", message=message
            )
            bus.send(failed)


def watch_entry(event: dict[str, Any], context: Any) -> None:
    if event.get("due") == "daily":
        daily()
    else:
        watch(context)
