"""Entry point: assemble a dataset."""

from __future__ import annotations

from typing import Any

from assembly.assemble import assemble
from foundation import bus
from foundation.consumer import consume
from foundation.events import AssembleDataset, Delivery, StepFailed


def entry(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda gives it
    return consume(event, _handle, _give_up)


def _handle(delivery: Delivery) -> None:
    if not isinstance(delivery, AssembleDataset):
        raise TypeError(f"assembly takes no {type(delivery).__name__}")
    assemble(delivery)


def _give_up(delivery: Delivery, reason: str) -> None:
    if isinstance(delivery, AssembleDataset):
        message = f"The training set could not be assembled: {reason}."
        failed = StepFailed(
            distillation_id=delivery.distillation_id, during="assembling", code="assembly_failed", message=message
        )
        bus.send(failed)
