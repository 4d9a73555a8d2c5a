"""Entry point: messages about a distillation, and the S3 events of run summaries that landed."""

from __future__ import annotations

from typing import Any

import orjson

from distilling import curves
from distilling.advance import advance, fail, resend
from evals.run import Run
from foundation import blobs, bus
from foundation.consumer import consume
from foundation.curve_messages import AdvanceLearningCurve
from foundation.events import AdvanceDistillation, AssembleDataset, Delivery, StepFailed
from foundation.landed import ObjectsLanded


def entry(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda gives it
    return consume(event, _handle, _give_up)


def _handle(delivery: Delivery) -> None:
    match delivery:
        case AdvanceDistillation(distillation_id=distillation_id, resend=again):
            if again:
                resend(distillation_id)
            advance(distillation_id)
        case ObjectsLanded(keys=keys):
            for key in keys:
                # The summary of a run that was deleted since is gone, and nobody waited for that run.
                summary = orjson.loads(blobs.find(key) or b"{}")
                _tell_who_waits(summary)
        case AdvanceLearningCurve(learning_curve_id=curve_id):
            curves.advance(curve_id)
        case StepFailed():
            fail(delivery.distillation_id, delivery.code, delivery.message, during=delivery.during)
        case _:
            raise TypeError(f"distilling takes no {type(delivery).__name__}")


def _tell_who_waits(summary: dict[str, Any]) -> None:
    """A run has ended: have the dataset made that waits for its grades, or who waits for the run go on."""
    distillation_id, dataset_id = summary.get("distillation_id"), summary.get("dataset_id")
    if dataset_id:
        bus.send(AssembleDataset(distillation_id=distillation_id or "", dataset_id=dataset_id))
    elif distillation_id:
        advance(distillation_id)
    elif summary.get("learning_curve_id"):
        curves.advance(summary["learning_curve_id"])


def _give_up(delivery: Delivery, reason: str) -> None:
    match delivery:
        case AdvanceDistillation(distillation_id=distillation_id) | StepFailed(distillation_id=distillation_id):
            waiting = {distillation_id}
        case ObjectsLanded(keys=keys):
            runs = [Run.find(key.split("/")[1]) for key in keys]
            waiting = {run.distillation_id for run in runs if run and run.distillation_id}
        case _:
            return
    for distillation_id in waiting:
        fail(distillation_id, "step_failed", f"Its next step could not be taken: {reason}.")
