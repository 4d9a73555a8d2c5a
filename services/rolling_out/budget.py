"""What a round may cost, and whether the budget of its rollout has room for it beside the rounds under way.

In: the parts of a round. Out: nano-dollars, estimated before anybody is asked: the second answers as long as the first
ones, and what the judges would be asked. The budget is passed by one round at most: while there is ample room, rounds
go side by side, each with twice its estimate; after that they go one at a time, until what is spent reaches the budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from evals.estimate import asking_nanodollars, grading_nanodollars
from evals.eval import Eval
from providers.spending import cap_is_reached
from rolling_out.part import Part
from rollouts.rollout import Rollout
from rollouts.sums import counted

_SURELY = 2
_NANODOLLARS = 1e9


class Room(NamedTuple):
    """What is left of a budget now."""

    is_spent: bool
    """Whether none is left, or the month's cap is reached: no round begins any more."""
    left: float
    """In nano-dollars, what is neither spent nor kept for the rounds under way."""
    open_rounds: int
    young_rounds: int
    """Of these, those that do not hang."""

    @property
    def is_over(self) -> bool:
        """Whether no round will begin any more, unless the budget or the cap is changed."""
        return self.is_spent and not self.open_rounds

    def fits(self, nanodollars: int) -> bool:
        """Whether a round of this estimate surely passes no budget."""
        return _SURELY * nanodollars <= self.left

    def takes(self, nanodollars: int) -> bool:
        """Whether one more round of this estimate may be begun now."""
        return not self.is_spent and (self.fits(nanodollars) or not self.open_rounds)


def expected(parts: Sequence[Part], eval_: Eval) -> int:
    """What these parts cost; a model that has lost its price since the rollout began counts as nothing."""
    return round(sum(_asking(part) + _grading(part, eval_) for part in parts))


def room_of(rollout: Rollout) -> Room:
    """What is left of a rollout's budget, and how many rounds are under way."""
    found = counted(rollout.id)
    left = rollout.max_usd * _NANODOLLARS - found.tally.spent_nanodollars
    kept = _SURELY * sum(round_.expected_nanodollars for round_ in found.open_rounds)
    young = sum(not round_.hangs for round_ in found.open_rounds)
    return Room(left <= 0 or cap_is_reached() is not None, left - kept, len(found.open_rounds), young)


def _asking(part: Part) -> float:
    each = asking_nanodollars(part.model, part.calls) if part.sampled else None
    return (each or 0.0) * len(part.calls)


def _grading(part: Part, eval_: Eval) -> float:
    """The judges' calls. An answer that is not there yet is taken to be like the one that users got."""
    each = grading_nanodollars(eval_.testing_criteria, [call for call in part.calls if not call.failed])
    return (each or 0.0) * len(part.calls)
