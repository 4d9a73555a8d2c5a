"""Entry point: messages about a distillation, and the S3 events of run summaries that landed."""

from __future__ import annotations

from typing import Any

from distilling import curves, ended_runs
from distilling.advance import advance, fail, resend
from foundation.consumer import consume
from foundation.curve_messages import AdvanceLearningCurve
from foundation.events import AdvanceDistillation, Delivery, StepFailed
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
            ended_runs.tell(keys)
        case AdvanceLearningCurve(learning_curve_id=curve_id):
            curves.advance(curve_id)
        case StepFailed():
            fail(delivery.distillation_id, delivery.code, delivery.message, during=delivery.during)
        case _:
            raise TypeError(f"distilling takes no {type(delivery).__name__}")


def _give_up(delivery: Delivery, reason: str) -> None:
    match delivery:
        case AdvanceDistillation(distillation_id=distillation_id) | StepFailed(distillation_id=distillation_id):
            fail(distillation_id, "step_failed", f"Its next step could not be taken: {reason}.")
        case AdvanceLearningCurve(learning_curve_id=curve_id):
            curves.give_up(curve_id, reason)
        case ObjectsLanded(keys=keys):
            ended_runs.give_up(keys, reason)
