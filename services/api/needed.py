"""Refuse to delete what an open distillation, or an open fine-tuning job, still needs."""

from __future__ import annotations

from collections.abc import Callable

from distillations import lineage
from distillations.distillation import Distillation
from distillations.job import Job
from foundation.errors import Conflict


def refuse_while_needed(needs: Callable[[Distillation], bool], noun: str, code: str) -> None:
    """Raises Conflict if an open distillation `needs` the object that is to be deleted; the message says what to do.

    `noun` is what the message calls the object, such as "this eval".
    """
    for distillation in Distillation.open_ones():
        if needs(distillation):
            raise Conflict(
                f"The distillation {distillation.id} is {distillation.status} and needs {noun}. "
                f"End it first: POST /v1/distillations/{distillation.id}/cancel",
                code=code,
            )


def refuse_while_trained_on(file_id: str) -> None:
    """Raises Conflict if an open job trains on this file; the message says what to do."""
    jobs = (Job.find(job_id) for job_id in lineage.went_into(file_id, "job"))
    for job in jobs:
        if job and not job.ended:
            raise Conflict(
                f"The fine-tuning job {job.id} is {job.status} and needs the file {file_id}. "
                f"End it first: POST /v1/fine_tuning/jobs/{job.id}/cancel",
                code="file_in_use",
            )
