"""Take the captured completions of an object that landed into open rollouts.

In: the key of the object. Out: for each open rollout whose alias stands in it, a round with its runs, or an object that
waits for one (`gather.py`). The event may come twice, late, or for an object that was written again because a
completion in it was erased. An object that is gone, or in which no such call is, makes no round.
"""

from __future__ import annotations

from typing import Any

from foundation.one_by_one import one_by_one
from rolling_out.captured import calls_of
from rolling_out.gather import arrive
from rollouts.rollout import Rollout


def observe(key: str, context: Any) -> None:
    """Let the open rollouts that take pairs have the calls of this object.

    An error of one rollout stops no other; the first is raised at the end.
    """
    open_ones = [rollout for rollout in Rollout.open_ones() if rollout.takes_pairs]
    if not open_ones:
        return
    calls = calls_of([key], {rollout.alias for rollout in open_ones})[key]

    def take(rollout: Rollout) -> None:
        arrive(rollout, key, calls, context)

    one_by_one(open_ones, take, name=lambda rollout: rollout.id, failed="round not begun")
