"""Look for the jobs of which nobody knows whether they were started: the trainer stayed away after it was asked.

In: the list of them, to which `doubt` adds a job that has ended as failed or cancelled. Out, once the trainer can tell:
one that was never started has cost nothing; one that runs is stopped, since nobody waits for it; of one that has ended
its cost is booked. Each is looked for once a day, for a month. One at which looking raises holds no other up; the first
error is raised at the end, for the alarm.
"""

from __future__ import annotations

from distillations.job import Job
from foundation import table
from foundation.consumer import logger
from foundation.ids import now
from foundation.one_by_one import one_by_one
from foundation.table import Row
from tuning.booking import book_end, book_nothing
from tuning.jobs import DOUBTFUL, forget_files, note
from tuning.trainers import ProviderJob, Trainer, TrainerAway, TrainerRefused, trainer_named

_DAY_S = 86_400
_FOR_S = 30 * _DAY_S
_ENDS = frozenset({"succeeded", "failed", "cancelled"})


def look_for() -> None:
    """Look for each of them, another one first each day: those of a trainer that hangs take the time of no others."""
    rows = list(table.query(DOUBTFUL))
    first = now() // _DAY_S % len(rows) if rows else 0
    in_turn = rows[first:] + rows[:first]
    one_by_one(in_turn, _look_for, name=lambda row: str(row["sk"]), failed="doubtful job not looked for")


def _look_for(row: Row) -> None:
    if now() - int(row["since"]) >= _FOR_S:
        table.delete(DOUBTFUL, row["sk"])
    job = Job.find(row["sk"])
    if job is None or _is_settled(job):
        table.delete(DOUBTFUL, row["sk"])


def _is_settled(job: Job) -> bool:
    """Whether the trainer has told all that there is to know. What it cannot tell today it may tell tomorrow."""
    try:
        trainer = trainer_named(job.trainer)
        found = trainer.find(job.id)
        if found is None:
            book_nothing(job)
            return True
        return _is_over(trainer, job, found)
    except (TrainerAway, TrainerRefused, KeyError) as error:
        logger().warning("doubtful job not found out", extra={"job_id": job.id, "error": str(error)})
        return False


def _is_over(trainer: Trainer, job: Job, found: ProviderJob) -> bool:
    """Stop a job that is there, or book what it has cost if it has ended."""
    job.change({"provider_job_id": found.id})
    if found.status not in _ENDS:
        note(job, "found", f"It runs at the trainer after all, as {found.id}, and is stopped there.")
        trainer.cancel(found.id)
        return False
    model = f" Its model is {found.fine_tuned_model}." if found.fine_tuned_model else ""
    note(job, "found_ended", f"It ran at the trainer after all, as {found.id}, and has {found.status}.{model}")
    job.change({"cost_usd": found.cost_usd, "trained_tokens": found.trained_tokens})
    book_end(Job.load(job.id))
    forget_files(trainer, job)
    return True
