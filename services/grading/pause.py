"""A provider that is away pauses its run, until the template's ProviderPatience is over.

In: a chunk that could not be answered in full. Out: the same chunk as a new message, delivered later and later, and the
run's `paused`.
"""

from __future__ import annotations

from evals.run import Pause, Run
from foundation import bus
from foundation.events import GradeChunk
from foundation.ids import now
from foundation.later import put_back
from foundation.settings import settings
from providers import OverLimit, ProviderAway

_LEAST_S = 15
# One question that a provider fails on tells about the question, several about the provider.
_ENOUGH = 3


def over(run: Run) -> bool:
    """Whether the run has waited as long as it may."""
    return run.paused is not None and now() - run.paused.since >= settings().PROVIDER_PATIENCE_HOURS * 3600


def put_off(run: Run, message: GradeChunk) -> bool:
    """Send the chunk back unasked where the run's provider is known to be away; False where it may be asked."""
    wait_s = (run.paused.until or 0) - now() if run.paused else 0
    if wait_s <= 0:
        return False
    put_back(message, wait_s)
    return True


def pause(run: Run, message: GradeChunk, away: ProviderAway, *, answered: int, failed: int) -> None:
    """Send the chunk back after `answered` calls were answered and `failed` were not; the run shows that it waits."""
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
    """A chunk was answered in full: the run waits no longer."""
    if run.paused:
        run.change({"paused": None}, where={"status": "in_progress"})
