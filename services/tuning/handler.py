"""Entry points: `start_entry` for cards that landed (and cancellations), `watch_entry` for the clock."""

from __future__ import annotations

from typing import Any

from foundation.consumer import consume
from foundation.events import CancelJob, Delivery, ObjectsLanded
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

    return consume(event, handle)


def watch_entry(event: dict[str, Any], context: Any) -> None:  # noqa: ARG001 - Lambda's signature
    watch()
