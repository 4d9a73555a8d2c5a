"""The gate of a distillation: when money may be spent, and what counts as a gain."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from foundation.bounds import Name
from foundation.document import Document

_LEAST_USEFUL_GAIN = 0.02


class Gate(Document):
    """What the caller asks of the figures; gains and margins are shares of the rows, 0.02 being two points."""

    model_config = ConfigDict(extra="forbid")

    expected_gain: float | None = Field(default=None, gt=0, le=1)
    """The gain that the rows must be able to show; half the gap between teacher and baseline where it is null."""
    min_gain: float = Field(default=0.0, ge=0, lt=1)
    """The interval of the gain must lie above this for `beats_baseline`."""
    useful_gain: float | None = Field(default=None, ge=0, lt=1)
    """A gain that is surely smaller is `no_better`; the larger of 0.02 and `min_gain` where it is null."""
    margin: float = Field(default=0.02, ge=0, lt=1)
    """How far below the teacher still counts as good as the teacher."""
    power: float = Field(default=0.8, gt=0, lt=1)
    """The probability with which the rows must show the expected gain."""
    max_cost_usd: float | None = Field(default=None, ge=0)
    """What the training may cost, in US dollars; null sets no limit."""
    group_by: Name | None = None
    """The metadata key whose rows belong together, as those of one user do."""

    @property
    def useful(self) -> float:
        """The gain below which a model is no better for practical purposes."""
        return self.useful_gain if self.useful_gain is not None else max(_LEAST_USEFUL_GAIN, self.min_gain)
