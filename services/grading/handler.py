"""Entry points: `plan_entry` fans a run out, `grade_entry` grades its chunks."""

from __future__ import annotations

from typing import Any

from foundation.consumer import consume
from foundation.events import Delivery, GradeChunk, PlanRun
from grading.grade import grade_chunk
from grading.plan import plan


def plan_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda gives it
    return consume(event, _plan)


def grade_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    def grade(delivery: Delivery) -> None:
        if not isinstance(delivery, GradeChunk):
            raise TypeError(f"grade takes no {type(delivery).__name__}")
        grade_chunk(delivery, context)

    return consume(event, grade)


def _plan(delivery: Delivery) -> None:
    if not isinstance(delivery, PlanRun):
        raise TypeError(f"plan takes no {type(delivery).__name__}")
    plan(delivery.run_id)
