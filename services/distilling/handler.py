"""Entry point: messages about a distillation, and the S3 events of run summaries that landed."""

from __future__ import annotations

from typing import Any

import orjson

from distilling.advance import advance
from foundation import blobs
from foundation.consumer import consume
from foundation.events import AdvanceDistillation, Delivery, ObjectsLanded


def entry(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda gives it
    return consume(event, _handle)


def _handle(delivery: Delivery) -> None:
    match delivery:
        case AdvanceDistillation(distillation_id=distillation_id):
            advance(distillation_id)
        case ObjectsLanded(keys=keys):
            for key in keys:
                summary = orjson.loads(blobs.get(key))
                if summary["distillation_id"]:
                    advance(summary["distillation_id"])
        case _:
            raise TypeError(f"distilling takes no {type(delivery).__name__}")
