"""What a trainer tells of a job, kept beside the job: its events with the figures of each step.

Each is a row under an id that follows from what the trainer said, so that what is told twice is kept once.
Of a long training an even share of the steps is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson

from distillations.job import Job
from foundation import table
from foundation.bounds import cut
from foundation.ids import derived_id
from tuning.trainers import TrainerEvent

_LONGEST_ID = 200
_MOST = 500
"""So many words, and figures of so many steps, are kept of what is told at once: a curve shows no more, and each is a
write, which a look at a long training would not have the time for."""


def keep_events(job: Job, events: Iterable[TrainerEvent], since: int) -> int:
    """Keep the events from `since` on, the rest being kept. Returns when the last one was, in seconds since the epoch.

    Those of the same second as the last one are looked at again: a trainer may tell several in one.
    """
    told = list(events)
    words = [event for event in told if not event.metrics]
    steps = [event for event in told if event.metrics]
    last = since
    for event in (*_thinned(words), *_thinned(steps)):
        if event.created_at >= since:
            _keep(job, event)
            last = max(last, event.created_at)
    return last


def _thinned(events: list[TrainerEvent]) -> Iterator[TrainerEvent]:
    """Evenly many of them, and the last.

    Each 2nd, 4th or 8th and so on: of a list that has grown, those are taken that were taken when it was shorter.
    """
    stride = 1
    while len(events) > _MOST * stride:
        stride *= 2
    for number, event in enumerate(events):
        if number % stride == 0 or number == len(events) - 1:
            yield event


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
