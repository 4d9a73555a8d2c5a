"""The other side of a trainer, scripted: what a test has it do, and what a test may ask it.

A far side counts the calls that reach it, and loses the one that a test strikes: before it has an effect, or after.
What is lost may be the process (`Killed`) or only the answer (`lost`, the error that the trainer's own client raises).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.flow import loop
from tuning.trainers import Trainer

_STAY = frozenset({"lost", "strike", "exchanges"})
"""What is the test's, and what was ever asked and answered."""


class Killed(BaseException):
    """The process ends here: nothing catches it."""


@dataclass
class Strike:
    """The call that is lost: its number among those of one act, counted from 1."""

    number: int
    after: bool
    error: BaseException
    calls: int = 0

    @property
    def struck(self) -> bool:
        return self.calls >= self.number


@dataclass
class FarSide:
    """What every far side is. A trainer's own derives from it, and passes each call through `call`."""

    lost: Exception
    """What the trainer's client raises where no answer comes."""
    student: str = loop.STUDENT
    """A model that it trains."""
    fails: bool = True
    """Whether a training of it can fail by itself."""
    away: bool = False
    strike: Strike | None = None
    made: list[str] = field(default_factory=list)
    """The intent of every job that was ever made, once for each: what is paid for."""

    def call[Result](self, act: Callable[[], Result]) -> Result:
        """Have a call reach the far side, unless it is away or the call is struck."""
        if self.away:
            raise self.lost
        strike = self.strike
        if strike is None:
            return act()
        strike.calls += 1
        if strike.calls == strike.number and not strike.after:
            raise strike.error
        result = act()
        if strike.calls == strike.number:
            raise strike.error
        return result

    @contextmanager
    def struck(self, strike: Strike) -> Iterator[None]:
        """Strike a call of what is done in the block."""
        self.strike = strike
        try:
            yield
        finally:
            self.strike = None

    def taken(self) -> Any:
        """What there is at this moment, for `put_back`."""
        return copy.deepcopy({name: value for name, value in vars(self).items() if name not in _STAY})

    def put_back(self, moment: Any) -> None:
        vars(self).update(copy.deepcopy(moment))

    # What a trainer's own far side says.

    def trainer(self) -> Trainer:
        """The trainer, with this at its other end."""
        raise NotImplementedError

    def refuses(self) -> bool:
        """From now on a start is refused, with `no such base` in its words. False from one that refuses nothing."""
        return False

    def becomes(self, intent: str, state: str) -> None:
        """The job comes to a state: `running`, `succeeded`, `failed`, or one that nobody knows, `pondering`."""
        raise NotImplementedError

    def vanishes(self, intent: str) -> None:
        """The job is no longer known."""
        raise NotImplementedError

    def state(self, intent: str) -> str:
        """The job's state in the far side's own words."""
        raise NotImplementedError

    def files(self, intent: str) -> list[str]:
        """The copies of the training set that are there for this intent."""
        raise NotImplementedError

    def costs(self) -> list[str]:
        """What is there that costs while nobody uses it: deployments, and models where keeping them costs."""
        return []

    def deployed(self, intent: str) -> None:
        """What was being deployed answers from now on. Nothing happens where nothing is deployed."""


type MakeFarSide = Callable[[Any], FarSide]
"""Makes a far side. In: pytest's monkeypatch."""
