"""A training that a person carries out: it waits until somebody names the model that came of it, or cancels it.

In: a job's id. Out: one row of the job's, whose state changes once, by a conditional write: of two people who name
different models one is told that the other was first.
"""

from __future__ import annotations

from typing import NamedTuple

from foundation import table

WAITING, NAMED, CANCELLED = "waiting", "named", "cancelled"
_SK = "BYHAND"


class ByHand(NamedTuple):
    """Where the training stands: `waiting`, `named` or `cancelled`; `model` is what was named."""

    state: str
    model: str | None


def begin(job_id: str) -> None:
    """Let the training wait for a person. Doing it again changes nothing."""
    table.put_new({"pk": job_id, "sk": _SK, "state": WAITING})


def look(job_id: str) -> ByHand | None:
    """Where it stands; None where no such training was begun."""
    row = table.get(job_id, _SK)
    return ByHand(row["state"], row.get("model")) if row else None


def name_model(job_id: str, model: str) -> bool:
    """Name the model that came of it. Returns whether it is the one that is named, now or by an earlier call."""
    named = table.update(job_id, _SK, {"state": NAMED, "model": model}, where={"state": WAITING})
    return named or look(job_id) == ByHand(NAMED, model)


def cancel(job_id: str) -> bool:
    """End it without a model. Returns False where it has ended otherwise, or was never begun."""
    return table.update(job_id, _SK, {"state": CANCELLED}, where={"state": WAITING})
