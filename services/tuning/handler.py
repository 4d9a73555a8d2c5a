"""Entry points: `start_entry` for what a trainer is asked for, and landed cards; `watch_entry` for the clock."""

from __future__ import annotations

from typing import Any

from distillations.dataset import dataset_of
from foundation.consumer import consume
from foundation.events import CancelJob, Delivery, RetireModel, StartJob
from foundation.job_messages import LookAtJob, PauseJob
from foundation.landed import ObjectsLanded
from tuning import cancel, hold, retire, start
from tuning.daily import daily
from tuning.watch import job_of, watch


def start_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    def handle(delivery: Delivery) -> None:
        match delivery:
            case ObjectsLanded(keys=keys):
                for key in keys:
                    start.start(StartJob(dataset_id=dataset_of(key)), context)
            case StartJob():
                start.start(delivery, context)
            case CancelJob():
                cancel.cancel(delivery, context)
            case PauseJob():
                hold.hold(delivery)
            case RetireModel():
                retire.retire(delivery)
            case LookAtJob(job_id=job_id):
                watch(context, only=job_id)
            case _:
                raise TypeError(f"tuning takes no {type(delivery).__name__}")

    return consume(event, handle, _give_up)


def _give_up(delivery: Delivery, reason: str) -> None:
    match delivery:
        case ObjectsLanded(keys=keys):
            for key in keys:
                start.give_up(StartJob(dataset_id=dataset_of(key)), reason)
        case StartJob():
            start.give_up(delivery, reason)
        case CancelJob():
            cancel.give_up(delivery, reason)
        case PauseJob():
            hold.give_up(delivery, reason)
        case RetireModel():
            retire.give_up(delivery, reason)


def watch_entry(event: dict[str, Any], context: Any) -> None:
    if event.get("due") == "daily":
        daily()
    else:
        watch(context, only=job_of(event))
