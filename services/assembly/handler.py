"""Entry points: assemble a dataset, look at the traffic of an alias; a piece of a very large dataset."""

from __future__ import annotations

from typing import Any

from assembly import parts
from assembly.assemble import assemble
from assembly.drift.look import look
from assembly.make import give_up, make
from assembly.part import Piece, work_on
from assembly.time_left import GoesOn, HandedOver
from foundation import bus
from foundation.consumer import come_again_soon, consume
from foundation.drift_messages import LookForDrift
from foundation.events import AssembleDataset, Delivery, StepFailed


def entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    def handle(delivery: Delivery) -> None:
        match delivery:
            case AssembleDataset():
                _assemble(delivery, context)
            case LookForDrift():
                look(delivery, context)
            case _:
                raise TypeError(f"assembly takes no {type(delivery).__name__}")

    come_again_soon(event, AssembleDataset.QUEUE, context)
    return consume(event, handle, _give_up)


def _assemble(delivery: AssembleDataset, context: Any) -> None:
    try:
        assemble(delivery, context) if delivery.distillation_id else make(delivery.dataset_id, context)
    except HandedOver:
        return
    except GoesOn:
        about = delivery.model_dump(include={"distillation_id", "dataset_id", "at", "correlation_id"})
        bus.send(AssembleDataset(**about))


def part_entry(event: dict[str, Any], context: Any) -> None:  # noqa: ARG001
    work_on(Piece.model_validate(event))


def _give_up(delivery: Delivery, reason: str) -> None:
    if not isinstance(delivery, AssembleDataset):
        return
    if not delivery.distillation_id:
        give_up(delivery.dataset_id, reason)
    else:
        message = f"The training set could not be assembled: {reason}."
        failed = StepFailed(
            distillation_id=delivery.distillation_id, during="assembling", code="assembly_failed", message=message
        )
        bus.send(failed)
        parts.discard(delivery.dataset_id)
