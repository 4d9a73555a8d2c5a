"""Entry point: assemble a dataset."""

from __future__ import annotations

from typing import Any

from assembly.assemble import assemble
from assembly.make import give_up, make
from foundation import bus
from foundation.consumer import consume
from foundation.events import AssembleDataset, Delivery, StepFailed


def entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    def handle(delivery: Delivery) -> None:
        match delivery:
            case AssembleDataset(distillation_id="", dataset_id=dataset_id):
                make(dataset_id, context)
            case AssembleDataset():
                assemble(delivery, context)
            case _:
                raise TypeError(f"assembly takes no {type(delivery).__name__}")

    return consume(event, handle, _give_up)


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
