"""What start, watch and cancel share: the list of jobs open at a trainer, the lease of a start, a job's events."""

from __future__ import annotations

from distillations.job import Job
from foundation import table
from foundation.bounds import cut
from foundation.ids import derived_id, now

OPEN = "OPENJOBS"
LEASE = "START"


def note(job: Job, status: str, message: str) -> None:
    """Write an event of a job, once for each status it reaches; the message is cut to what an event shows."""
    event_id = derived_id("ftevent-", job.id, status)
    table.put_new(
        {
            "pk": job.id,
            "sk": f"EVENT#{status}",
            "id": event_id,
            "created_at": now(),
            "level": "error" if status == "failed" else "info",
            "message": cut(message),
        }
    )


def end_unstarted(job: Job) -> None:
    """End a job as cancelled that a cancellation has reached before its start."""
    note(job, "cancelled", "Cancelled before it was under way.")
    job.change({"status": "cancelled", "finished_at": now()})
