"""The checkpoints of a job: models as they stood after some steps, as far as the trainer kept them."""

from __future__ import annotations

from collections.abc import Iterable

from distillations.job import Checkpoint
from foundation import table

_PREFIX = "CHECKPOINT#"


def keep(job_id: str, checkpoints: Iterable[Checkpoint]) -> None:
    """Keep what a trainer tells of them. What it tells again changes nothing."""
    for checkpoint in checkpoints:
        sk = f"{_PREFIX}{checkpoint.step:012d}"
        table.put_new({"pk": job_id, "sk": sk, "checkpoint": checkpoint.model_dump_json()})


def checkpoints_of(job_id: str) -> list[Checkpoint]:
    """Those of a job, the latest first."""
    rows = table.query(job_id, prefix=_PREFIX, descending=True)
    return [Checkpoint.model_validate_json(row["checkpoint"]) for row in rows]
