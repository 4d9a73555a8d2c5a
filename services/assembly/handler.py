"""Entry point: assemble a dataset."""

from __future__ import annotations

from typing import Any

from assembly.assemble import assemble
from foundation.consumer import consume
from foundation.events import AssembleDataset, Delivery


def entry(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda gives it
    return consume(event, _handle)


def _handle(delivery: Delivery) -> None:
    if not isinstance(delivery, AssembleDataset):
        raise TypeError(f"assembly takes no {type(delivery).__name__}")
    assemble(delivery)
