"""Pause a run while its provider is away, for at most the template's ProviderPatience (hours).

In: a chunk of which some calls found the provider away. Out: the same chunk as a new message, put back with growing
waits, and the run's `paused`, which says since when and why it waits.
"""

from __future__ import annotations

from evals.run import Run
from foundation import bus
from foundation.events import GradeChunk
from foundation.ids import now
from foundation.later import Pause, patience_over, put_back
from providers import OverLimit, ProviderAway

_LEAST_S = 15
# A single call that fails may be the fault of its request; when several fail, the provider is taken to be away.
_ENOUGH = 3


def over(run: Run) -> bool:
    """Whether the run has been paused for as long as ProviderPatience allows."""
    return run.paused is not None and patience_over(run.paused.since)


def put_off(run: Run, message: GradeChunk) -> bool:
    """Put the chunk back without a call if the run is paused until a later moment. Returns whether it was put back."""
    wait_s = (run.paused.until or 0) - now() if run.paused else 0
    if wait_s <= 0:
        return False
    put_back(message, wait_s)
    return True


def pause(run: Run, message: GradeChunk, away: ProviderAway, *, answered: int, failed: int) -> None:
    """Put the chunk back, and pause the run unless only the stack's own limit had no room.

    `answered` and `failed` count the chunk's calls. If none was answered and at least three failed, no chunk of the run
    asks the provider before the wait is over; otherwise the other chunks go on.
    """
    if isinstance(away, OverLimit):
        put_back(message, _LEAST_S)
        return
    since = run.paused.since if run.paused else now()
    waited_s = 0 if answered else now() - since
    wait_s = min(bus.LONGEST_DELAY_S, max(_LEAST_S, waited_s, round(away.retry_after or 0)))
    until = now() + wait_s if failed >= _ENOUGH and not answered else None
    paused = Pause(since=since, reason=away.message, until=until)
    run.change({"paused": paused.model_dump()}, where={"status": "in_progress"})
    put_back(message, wait_s)


def go_on(run: Run) -> None:
    """End the run's pause, because all calls of a chunk were answered."""
    if run.paused:
        run.change({"paused": None}, where={"status": "in_progress"})
