"""What a trainer tells of a job, kept beside the job: its events with the figures of each step, and its checkpoints.

Each is a row under an id that follows from what the trainer said, so that what is told twice is kept once.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from distillations.job import Checkpoint, Job
from foundation import table
from foundation.bounds import cut
from foundation.ids import derived_id
from tuning.trainers import TrainerEvent

_LONGEST_ID = 200


def keep_events(job: Job, events: Iterable[TrainerEvent], since: int) -> int:
    """Keep the events from `since` on, the rest being kept. Returns when the last one was, in seconds since the epoch.

    Those of the same second as the last one are looked at again: a trainer may tell several in one.
    """
    last = since
    for event in events:
        if event.created_at >= since:
            _keep(job, event)
            last = max(last, event.created_at)
    return last


def _keep(job: Job, event: TrainerEvent) -> None:
    row = {
        "pk": job.id,
        "sk": f"EVENT#THEIRS#{cut(event.id, _LONGEST_ID)}",
        "id": derived_id("ftevent-", job.id, event.id),
        "created_at": event.created_at,
        "level": event.level,
        "message": cut(event.message),
    }
    metrics = {"metrics": orjson.dumps(dict(event.metrics)).decode()} if event.metrics else {}
    table.put_new({**row, **metrics})


def keep_checkpoints(job: Job, checkpoints: Iterable[Checkpoint]) -> None:
    for checkpoint in checkpoints:
        sk = f"CHECKPOINT#{checkpoint.step:012d}"
        table.put_new({"pk": job.id, "sk": sk, "checkpoint": checkpoint.model_dump_json()})
