"""Have a rollout go on: tally the rounds whose runs have ended, take the steps that are due, begin what waited.

In: its id, when one of its runs has ended, or when a minute has passed. Out: tallies, each written once, the rollout's
next steps, and a round of the objects that landed meanwhile. What was lost on the way is done again: a round whose runs
were not begun, or not planned. An error of one round, or of one rollout, stops no other; the first is raised at the
end.
"""

from __future__ import annotations

from typing import Any

from evals.run import Run, leave_open_runs
from foundation import bus
from foundation.consumer import logger
from foundation.events import PlanRun
from foundation.ids import now
from foundation.one_by_one import one_by_one
from notifications.spending_cap import tell_if_reached
from providers import spending
from rolling_out.begin import go_on
from rolling_out.gather import gather
from rolling_out.tally import tally_of
from rollouts import advancing, clock, sums
from rollouts.rollout import Rollout
from rollouts.round import RolloutRound

_LOST_MINUTES = 10
"""So often what hangs is begun again: a run that is not at work has lost its message."""


def advance(rollout_id: str, context: Any, *, resend: bool = False) -> None:
    """Tally, and step where something was tallied; open runs of one that has ended are canceled.

    `resend` is for what somebody has asked for, or may be lost: it switches on what brings events, and steps anyway.
    """
    rollout = Rollout.find(rollout_id)
    if rollout is None:
        return
    if resend and not rollout.is_settled:
        clock.start()
    _go_on(rollout, context, step=resend)


def look(context: Any) -> None:
    """Have every rollout go on that is open or not settled, and stop the clock where there is none."""

    def look_at(rollout: Rollout) -> None:
        _go_on(rollout, context, step=True)

    try:
        one_by_one(list(Rollout.open_ones()), look_at, name=lambda rollout: rollout.id, failed="rollout not looked at")
    finally:
        clock.stop(lambda: next(Rollout.open_ones(), None) is not None)


def _go_on(rollout: Rollout, context: Any, *, step: bool) -> None:
    """Work on the open rounds, then take the steps that are due, where a round was tallied or time may ask for one.

    A step under way is always finished: whoever decided it may have been killed before the alias was changed.
    """
    errors: list[Exception] = []
    for round_ in RolloutRound.open_ones(rollout.id):
        try:
            step = _work_on(rollout, round_) or step
        except Exception as error:  # noqa: BLE001 - the rollout's steps rest on the other rounds, too
            logger().exception("round not tallied", extra={"rollout_id": rollout.id, "round_id": round_.id})
            errors.append(error)
    moved = advancing.advance(rollout.id) if step or rollout.move else None
    if moved and rollout.is_open and not moved.is_open:
        for round_ in RolloutRound.open_ones(rollout.id):
            _cancel(round_)
    if moved:
        sums.fold(rollout.id)
        gather(rollout.id, context)
    if errors:
        raise errors[0]


def _work_on(rollout: Rollout, round_: RolloutRound) -> bool:
    """Tally the round if its runs have ended. Returns whether they have."""
    tally = tally_of(rollout, round_)
    if tally:
        # Before the tally, after which nobody comes back to the round.
        spending.book("rollout", round_.id, round_.begun_at, tally.spent_nanodollars)
        round_.record(tally)
        for part in round_.runs:
            leave_open_runs(part.run_id)
        tell_if_reached()
    elif not rollout.is_open:
        _cancel(round_)
    elif _is_lost(round_):
        go_on(rollout, round_)
    return tally is not None


def _cancel(round_: RolloutRound) -> None:
    """Cancel the open runs of a rollout that has ended: nobody pays for what nobody waits for."""
    runs = (Run.find(part.run_id) for part in round_.runs)
    bus.send_all(PlanRun(run_id=run.id, correlation_id=run.id) for run in runs if run and run.cancel())


def _is_lost(round_: RolloutRound) -> bool:
    """Whether to begin what stands still once more: after a minute what is not there, what hangs every ten minutes."""
    minutes = (now() - round_.begun_at) // 60
    runs = [Run.find(part.run_id) for part in round_.runs] if minutes else []
    is_due = round_.hangs and minutes % _LOST_MINUTES == 0
    return not all(runs) or (is_due and any(run.status == "queued" for run in runs if run))
