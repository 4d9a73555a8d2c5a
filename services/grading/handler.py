"""Entry points: `plan_entry` plans runs and samples them through Batch APIs, `grade_entry` grades chunks of rows."""

from __future__ import annotations

from typing import Any

from foundation.consumer import consume
from foundation.events import Delivery, GradeChunk, PlanRun, SampleBatch
from grading.batch import sample_batch
from grading.ended import give_up
from grading.grade import grade_chunk
from grading.plan import plan


def plan_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    def prepare(delivery: Delivery) -> None:
        match delivery:
            case PlanRun(run_id=run_id):
                plan(run_id)
            case SampleBatch():
                sample_batch(delivery, context)
            case _:
                raise TypeError(f"plan takes no {type(delivery).__name__}")

    return consume(event, prepare, _give_up)


def grade_entry(event: dict[str, Any], context: Any) -> dict[str, Any]:
    def grade(delivery: Delivery) -> None:
        if not isinstance(delivery, GradeChunk):
            raise TypeError(f"grade takes no {type(delivery).__name__}")
        grade_chunk(delivery, context)

    return consume(event, grade, _give_up)


def _give_up(delivery: Delivery, reason: str) -> None:
    match delivery:
        case PlanRun():
            give_up(delivery.run_id, "plan_failed", f"The rows of the run could not be planned: {reason}.")
        case SampleBatch():
            give_up(delivery.run_id, "batch_failed", f"The batch {delivery.part} could not be sampled: {reason}.")
        case GradeChunk(first_row=row):
            give_up(delivery.run_id, "chunk_failed", f"The rows from row {row} on could not be graded: {reason}.")
