"""What a round may cost, and whether the budget of its rollout has room for it.

In: the parts of a round. Out: nano-dollars, estimated before anybody is asked: the second answers as long as the first
ones, and what the judges would be asked. The budget is passed by one round at most: while there is ample room, rounds
go side by side, each with twice its estimate; after that they go one at a time, until what is spent reaches the budget.
"""

from __future__ import annotations

from collections.abc import Sequence

from evals.estimate import asking_nanodollars, grading_nanodollars
from evals.eval import Eval
from providers.spending import cap_is_reached
from rolling_out.part import Part
from rollouts.rollout import Rollout
from rollouts.sums import counted

_SURELY = 2
_NANODOLLARS = 1e9


def expected(parts: Sequence[Part], eval_: Eval) -> int:
    """What these parts cost; a model that has lost its price since the rollout began counts as nothing."""
    return round(sum(_asking(part) + _grading(part, eval_) for part in parts))


def has_room(rollout: Rollout, nanodollars: int) -> bool:
    """Whether one more round of this estimate may be begun now. None may where the month's cap is reached."""
    if cap_is_reached():
        return False
    found = counted(rollout.id)
    spent = found.tally.spent_nanodollars
    under_way = [round_.expected_nanodollars for round_ in found.open_rounds]
    limit = rollout.max_usd * _NANODOLLARS
    fits = spent + _SURELY * (sum(under_way) + nanodollars) <= limit
    return spent < limit and (fits or not under_way)


def _asking(part: Part) -> float:
    each = asking_nanodollars(part.model, part.calls) if part.sampled else None
    return (each or 0.0) * len(part.calls)


def _grading(part: Part, eval_: Eval) -> float:
    """The judges' calls. An answer that is not there yet is taken to be like the one that users got."""
    each = grading_nanodollars(eval_.testing_criteria, [call for call in part.calls if not call.failed])
    return (each or 0.0) * len(part.calls)
