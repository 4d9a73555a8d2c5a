"""What start and watch share: the list of open jobs, and a job's events."""

from __future__ import annotations

from foundation import table
from foundation.distillations import Job
from foundation.ids import derived_id, now

OPEN = "OPENJOBS"


def note(job: Job, status: str, message: str) -> None:
    """Write an event of a job, once for each status it reaches."""
    event_id = derived_id("ftevent-", job.id, status)
    table.put_new(
        {
            "pk": job.id,
            "sk": f"EVENT#{status}",
            "id": event_id,
            "created_at": now(),
            "level": "error" if status == "failed" else "info",
            "message": message,
        }
    )
