"""A rollout: an alias on its way from the model that answers now, the stable one, to another one, the candidate.

Its row is the whole state: each change of it is one conditional write on `revision`. What a change asks of others, a
version of the alias and a notice, is recorded in the same write as `move` and done after it; whoever comes next does
what is left of it first. An alias has one open rollout: the row of its name in `OPENROLLOUTS` says which.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import MaxLen
from pydantic import ConfigDict, Field

from aliases.alias import Routing
from aliases.rolling_out import OPEN_ROLLOUTS
from foundation import table
from foundation.bounds import CutName, CutText
from foundation.document import Document
from foundation.records import Record
from rollouts.gates import GateName, Gates

type Status = Literal["running", "paused", "frozen", "rolled_back", "promoted", "failed", "canceled"]
type PauseReason = Literal["no_data", "budget", "alias_changed", "provider_away"]
type StepKind = Literal[
    "started", "advanced", "promoted", "paused", "resumed", "frozen", "rolled_back", "canceled", "failed"
]

ENDED: frozenset[Status] = frozenset({"rolled_back", "promoted", "failed", "canceled"})
PASSING: frozenset[PauseReason] = frozenset({"no_data", "provider_away"})
"""Pauses that end by themselves, with the next graded pairs."""
MOST_STEPS = 100
MOST_WINDOWS = 200
MOST_STAGES = 12
MOST_LOST = 20
BY = "rollout"
"""Who changes the alias, in the place of a key's id."""


class LeftOut(Document):
    """A criterion of the eval that online grading does without."""

    name: CutName
    why: CutText
    """What it needs that a request in production has not."""


class RolloutPause(Document):
    """Why a rollout waits for a person, or for what comes by itself."""

    reason: PauseReason
    since: int
    """In seconds since the epoch."""
    message: CutText
    """What to do about it."""


class Window(Document):
    """A point from which on pairs are judged by themselves, so that a good past does not hide what comes."""

    stage: int
    """The number of its stage, from 0."""
    since: int
    """When it was opened, in seconds since the epoch."""
    alpha: float
    """The probability with which the gates may roll back by chance, all together, by the pairs since it began."""


class Step(Document):
    """One change of a rollout."""

    number: int
    """Counts the steps, from 1."""
    at: int
    """In seconds since the epoch."""
    kind: StepKind
    from_stage: int
    """The numbers of stages count from 0."""
    to_stage: int
    percent: int
    """The share of the alias's calls without a `when` that the candidate answers from then on."""
    why: CutText
    by: CutName
    """The id of a key, or `rollout` where it moved by itself."""
    alias_version: int | None = None
    """The version of the alias that it made; null where it changed nothing of the alias, or has not yet."""


class RolloutEnd(Document):
    """Why a rollout ended."""

    why: CutText
    gate: GateName | None = None
    """The gate that was exceeded; null where none was."""
    figures: list[CutText] = Field(default_factory=list)
    """What was seen, in sentences."""
    pairs: Annotated[list[str], MaxLen(MOST_LOST)] = Field(default_factory=list)
    """The ids of captured completions that the candidate answered worse."""


class Rollout(Record):
    """An alias on its way from one model to another. Times are in seconds since the epoch."""

    KIND: ClassVar[str] = "ROLLOUT"
    NAME: ClassVar[str] = "rollout"

    model_config = ConfigDict(use_attribute_docstrings=True)

    object: Literal["rollout"] = "rollout"
    alias: str
    alias_version: int
    """The version of the alias that it made last, or was begun with. Another one was made by somebody else."""
    before: Routing
    """What the alias said when it was begun: the stable model takes its calls by it again after a rollback."""
    stable: str
    """The model that answered before."""
    candidate: str
    """The model that is to answer."""
    verdict_id: str | None = None
    distillation_id: str | None = None
    eval_id: str
    """The eval that was named."""
    online_eval_id: str
    """The eval that its pairs are graded by: those criteria of the named one that need no reference."""
    left_out: list[LeftOut] = Field(default_factory=list)
    share: float
    """Of the alias's captured completions, how many are graded: above 0, at most 1."""
    max_usd: float
    """What the second answers and the judges may cost, in US dollars."""
    stages: list[int]
    """The candidate's share of the calls in percent, stage by stage; 0 is the shadow, where it answers no user."""
    gates: Gates
    min_pairs: int = 100
    """How many graded pairs a stage needs before it may end."""
    min_minutes: int = 60
    """How long a stage lasts at least."""
    no_data_minutes: int = 60
    """After how long without a graded pair it pauses."""
    by: str
    """The id of the key that began it."""
    status: Status = "running"
    pause: RolloutPause | None = None
    stage: int = 0
    """The number of the current stage, from 0."""
    stage_since: int
    """When that was entered, or resumed."""
    windows: list[Window]
    ended: RolloutEnd | None = None
    ended_at: int | None = None
    steps: list[Step] = Field(default_factory=list)
    """The newest steps, the oldest first."""
    move: Step | None = None
    """The step whose version of the alias, or notice, may not be there yet."""
    revision: int = 1
    """Counts its changes: each is written only where the one before it is there."""

    @property
    def is_open(self) -> bool:
        return self.status not in ENDED

    @property
    def is_settled(self) -> bool:
        """Whether it has ended, and its alias says so: whoever decided the end may have been killed before that."""
        return not self.is_open and self.move is None

    @property
    def takes_pairs(self) -> bool:
        """Whether captured completions are graded now. A pause that ends with the next pairs needs them."""
        return self.status == "running" or (self.pause is not None and self.pause.reason in PASSING)

    @property
    def percent(self) -> int:
        """The candidate's share of the calls in this stage."""
        return self.stages[self.stage]

    @property
    def window(self) -> int:
        """The number of the current window, from 1: a round belongs to that in which it is begun."""
        return len(self.windows)

    @property
    def may_open_window(self) -> bool:
        """Whether the stage may have one more window: those to come need one each, or old pairs would let them pass."""
        return self.window < MOST_WINDOWS - MOST_STAGES

    def other(self, model: str) -> str:
        """The model that is asked the same request after this one of the two has answered it."""
        return self.candidate if model == self.stable else self.stable

    def change_from(self, changes: dict[str, Any]) -> bool:
        """Write these changes unless somebody has changed it since it was read. Returns whether they are written."""
        return self.change({**changes, "revision": self.revision + 1}, where={"revision": self.revision})

    @classmethod
    def open_ones(cls) -> Iterator[Rollout]:
        """Every rollout that is open or not settled, by the name of its alias; read consistently."""
        records = (cls.find(row["rollout_id"]) for row in table.query(OPEN_ROLLOUTS))
        return (rollout for rollout in records if rollout and not rollout.is_settled)

    @classmethod
    def open_of(cls, alias: str) -> Rollout | None:
        """The rollout of this alias that is open or not settled, or None."""
        row = table.get(OPEN_ROLLOUTS, alias)
        rollout = cls.find(row["rollout_id"]) if row else None
        return rollout if rollout and not rollout.is_settled else None
