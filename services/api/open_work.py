"""What is not at its end: runs, distillations, jobs, datasets, learning curves, rollouts; and what each waits for.

In: the lists of open objects that the sweep goes through, too. Out: a line an object, those that wait first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import batched, islice
from typing import Any, NamedTuple

from aliases.rolling_out import OPEN_ROLLOUTS
from distillations.dataset import OPEN_DATASETS, Dataset
from distillations.distillation import OPEN_DISTILLATIONS, TERMINAL, Distillation
from distillations.job import OPEN_JOBS, Job
from distillations.learning_curve import DONE, OPEN_CURVES, LearningCurve
from evals.run import OPEN_RUNS, Run
from foundation import table
from foundation.bounds import CutText
from foundation.document import Document
from foundation.later import Pause
from foundation.records import Record
from rollouts.rollout import Rollout

_MOST = 50
"""The most open objects of a kind that are shown."""
_READ = 500
"""The most entries of a kind that are read. What has ended stays among them until the sweep has come twice."""
_AT_ONCE = 100


class Waits(NamedTuple):
    """What an object waits for, and since when if that is known."""

    reason: str
    since: int | None = None


class OpenWork(Document):
    """An object that is not at its end. Times are in seconds since the epoch."""

    id: str
    kind: str
    """`run`, `distillation`, `job`, `dataset`, `learning_curve` or `rollout`."""
    status: str
    created_at: int
    eval_id: str | None = None
    """Of a run, its eval."""
    waits_for: CutText | None = None
    """What it waits for: a provider or a trainer that is away, or a person; null while it goes on."""
    waits_since: int | None = None
    """Null where it waits for nothing, or nobody noted since when."""


class Kind(NamedTuple):
    """A kind of objects that may be open."""

    partition: str
    name: str
    record: type[Record]
    is_open: Callable[[Any], bool]
    waits: Callable[[Any], Waits | None]


def open_work() -> tuple[list[OpenWork], bool]:
    """The open objects, those that wait first and then the oldest; and whether there may be more."""
    found: list[OpenWork] = []
    more = False
    for kind in _KINDS:
        entries = list(islice(table.query(kind.partition, limit=_READ + 1), _READ + 1))
        own = list(islice(_of(kind, entries[:_READ]), _MOST + 1))
        more = more or len(entries) > _READ or len(own) > _MOST
        found += own[:_MOST]
    return sorted(found, key=lambda work: (work.waits_for is None, work.created_at)), more


def _of(kind: Kind, entries: Sequence[table.Row]) -> Iterator[OpenWork]:
    """Those of the entries that are open, read a hundred at a time as they are asked for."""
    for some in batched(entries, _AT_ONCE, strict=False):
        keys = [(kind.record.KIND, str(entry.get("rollout_id", entry["sk"]))) for entry in some]
        rows = table.get_all(keys)
        records = (kind.record.from_row(rows[key]) for key in keys if key in rows)
        yield from (_shown(kind, record) for record in records if kind.is_open(record))


def _shown(kind: Kind, record: Record) -> OpenWork:
    waits = kind.waits(record)
    return OpenWork(
        id=record.id,
        kind=kind.name,
        status=record.status,  # type: ignore[attr-defined]  # every kind here has one
        created_at=record.created_at,
        eval_id=getattr(record, "eval_id", None) if kind.name == "run" else None,
        waits_for=waits.reason if waits else None,
        waits_since=waits.since if waits else None,
    )


def _away(pause: Pause | None) -> Waits | None:
    return Waits(pause.reason, pause.since) if pause else None


def _distillation(distillation: Distillation) -> Waits | None:
    if distillation.status == "blocked" and distillation.approved_at is None:
        return Waits("Somebody must approve it.", distillation.came_to("blocked"))
    return _away(distillation.paused)


def _job(job: Job) -> Waits | None:
    if job.held and job.approved_at is None:
        return Waits(" ".join(job.held))
    return Waits(job.to_do) if job.to_do else _away(job.away)


def _dataset(dataset: Dataset) -> Waits | None:
    return Waits("The runs that grade its rows.") if dataset.status == "grading" else None


def _rollout(rollout: Rollout) -> Waits | None:
    if rollout.pause:
        return Waits(rollout.pause.message, rollout.pause.since)
    return Waits("Somebody has frozen it.") if rollout.status == "frozen" else None


def _nothing(_: LearningCurve) -> None:
    """A learning curve waits for its jobs and runs, which are listed themselves."""


_KINDS = (
    # Those of a rollout, which come and go, have a bound of their own.
    Kind(OPEN_RUNS, "run", Run, lambda run: not (run.ended or run.rollout_id), lambda run: _away(run.paused)),
    Kind(OPEN_DISTILLATIONS, "distillation", Distillation, lambda d: d.status not in TERMINAL, _distillation),
    Kind(OPEN_JOBS, "job", Job, lambda job: not job.ended, _job),
    Kind(OPEN_DATASETS, "dataset", Dataset, lambda dataset: dataset.is_open, _dataset),
    Kind(OPEN_CURVES, "learning_curve", LearningCurve, lambda curve: curve.status not in DONE, _nothing),
    Kind(OPEN_ROLLOUTS, "rollout", Rollout, lambda rollout: rollout.is_open, _rollout),
)
