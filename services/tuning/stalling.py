"""Notice a job that makes no progress for its usual time, and tell people once.

In: a job, its entry in the list of open ones, and whether its look showed anything new: a state, an event, a figure.
Out: `stalled_since` in the job and in the distillation that waits for it, an event of the job and an alert. With the
next sign of life the job is shown as it was. Nothing is ended: a trainer may be slow, and what it has begun costs.

Assumed: how long a state usually lasts without a word. Amazon's trainers say nothing between their states, so a
training has twice its estimate, and half a day at least.
"""

from __future__ import annotations

from distillations.distillation import Distillation
from distillations.job import OPEN_JOBS, Job, JobStatus
from foundation import table
from foundation.ids import now
from foundation.table import Row
from notifications.alerts import Alert
from notifications.raising import raise_once
from tuning.jobs import note

_HOUR_S = 3600
_USUAL_S: dict[JobStatus, int] = {
    "validating_files": 2 * _HOUR_S,
    "queued": 6 * _HOUR_S,
    "running": 12 * _HOUR_S,
    "deploying": _HOUR_S,
}
"""What a state usually takes without a sign of life. Those that wait for people are not in it."""
_TIMES_THE_ESTIMATE = 2


def observe(job: Job, row: Row, *, moved: bool) -> None:
    """Note a sign of life, or how long there has been none. `job` is as it stands after the look."""
    moved_at = int(row.get("moved_at") or 0)
    if moved or not moved_at:
        table.update(OPEN_JOBS, job.id, {"moved_at": now()})
        if job.stalled_since is not None:
            _show(job, None)
    elif job.stalled_since is None and now() - moved_at >= usual_s(job):
        _tell(job, moved_at)
        _show(job, moved_at)


def usual_s(job: Job) -> float:
    """How many seconds the job's state may take without a sign of life; without end where it waits for people."""
    usual = _USUAL_S.get(job.status)
    if usual is None:
        return float("inf")
    minutes = (job.estimate.minutes if job.estimate else None) or 0
    return max(usual, _TIMES_THE_ESTIMATE * 60 * minutes) if job.status == "running" else usual


def _tell(job: Job, since: int) -> None:
    hours = (now() - since) // _HOUR_S
    sentence = f"The fine-tuning job {job.id} is {job.status} for {hours} hours without a sign of progress."
    note(job, "stalled", sentence)
    of = f"distillations/{job.distillation_id}" if job.distillation_id else f"fine_tuning/jobs/{job.id}"
    lines = [
        f"Its trainer is {job.trainer}, and its id there {job.provider_job_id}.",
        f"It goes on, and is looked at every minute. To end it: POST /v1/{of}/cancel",
    ]
    raise_once(Alert.of("fine_tuning.job.stalled", job.id, sentence=sentence, lines=lines))


def _show(job: Job, since: int | None) -> None:
    job.change({"stalled_since": since})
    distillation = Distillation.find(job.distillation_id) if job.distillation_id else None
    if distillation:
        distillation.change({"stalled_since": since}, where={"status": distillation.status})
