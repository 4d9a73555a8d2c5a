"""A round: what one or several captured objects hold of a rollout's alias, answered by both models and graded.

    ROLLOUTROUNDS#<rollout id> / <round id>     the round, and once its runs have ended its tally
    UNSUMMEDROUNDS#<rollout id> / <round id>    a round that may be in no sums yet, so that few are read one by one

The round is written before its runs are begun, which fixes the window that it belongs to before anything of its answers
is known. Ids are in the order in which rounds were begun. Which completions a round has say rows that are written
before it (`taken.py`). The tally follows from the runs alone and is written once. Later it enters the sums of the
rollout (`sums.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from typing import Literal, Protocol, Self

from pydantic import Field

from foundation import table
from foundation.document import Document
from foundation.ids import new_id, now
from rollouts.rollout import MOST_LOST

type Side = Literal["stable", "candidate"]
_BEGINNING_S = 3600
"""Longer than it takes to write a round whose entry among the unsummed ones is written."""
_HANGS_S = 600
_AT_ONCE = 20
"""So many rounds are read together by whoever goes through them."""


class Differences(Document):
    """Of pairs, in how many the candidate was worse than the stable model, alike, or better."""

    worse: int = Field(default=0, ge=0)
    same: int = Field(default=0, ge=0)
    better: int = Field(default=0, ge=0)

    @property
    def pairs(self) -> int:
        return self.worse + self.same + self.better

    def plus(self, other: Self) -> Self:
        return _sum(self, other)


class SideTally(Document):
    """What one of the two models did. Every field is a sum over its answers."""

    asked: int = Field(default=0, ge=0)
    """Requests of which is known whether the model answered."""
    errors: int = Field(default=0, ge=0)
    """Of these, those that it did not answer."""
    failed: int = Field(default=0, ge=0)
    """Of the graded pairs, those in which its answer did not pass."""
    malformed: int = Field(default=0, ge=0)
    """Of the pairs in which both answered, those in which its answer was malformed."""
    users: int = Field(default=0, ge=0)
    """Of its answers, those that a user got; the others were made for comparison."""
    timed: int = Field(default=0, ge=0)
    """Answers whose latency is known."""
    slow: int = Field(default=0, ge=0)
    """Of these, those that were slower than the gate's limit."""
    cost_nanodollars: int = Field(default=0, ge=0)
    """What its answers cost, whoever paid, as far as prices are known."""

    def plus(self, other: Self) -> Self:
        return _sum(self, other)


class Tally(Document):
    """What is known of a round, or of several: sums, so that the order makes no difference."""

    quality: Differences = Differences()
    """A pair is graded if both answers are. Worse: the candidate fails, and the stable model passes."""
    malformed: Differences = Differences()
    """Of the pairs in which both models answered."""
    stable: SideTally = SideTally()
    candidate: SideTally = SideTally()
    ungraded: int = Field(default=0, ge=0)
    """Pairs that were taken, and of which an answer or a grade is missing."""
    refused_by_both: int = Field(default=0, ge=0)
    """Of these, calls that neither model answered: they count for no gate."""
    priced: int = Field(default=0, ge=0)
    """Pairs of which is known what both answers cost."""
    dearer: int = Field(default=0, ge=0)
    """Of these, those in which the candidate's cost more than the gate's limit times the stable one."""
    spent_nanodollars: int = Field(default=0, ge=0)
    """What its runs paid: the second answers and the judges. This counts against `max_usd`."""
    lost: list[str] = Field(default_factory=list)
    """The ids of captured completions that the candidate answered worse, at most 20."""

    def plus(self, other: Self) -> Self:
        sums = {
            name: getattr(self, name) + getattr(other, name)
            for name in ("ungraded", "refused_by_both", "priced", "dearer")
        }
        return type(self)(
            **sums,
            quality=self.quality.plus(other.quality),
            malformed=self.malformed.plus(other.malformed),
            stable=self.stable.plus(other.stable),
            candidate=self.candidate.plus(other.candidate),
            spent_nanodollars=self.spent_nanodollars + other.spent_nanodollars,
            lost=[*self.lost, *other.lost][-MOST_LOST:],
        )


class RoundRun(Document):
    """A run of a round: the answers of one model to its requests, as users got them or as it was asked for them."""

    run_id: str
    side: Side
    """The model whose answers are graded."""
    sampled: bool
    """Whether the model was asked for them; else they are those that users got."""


class RolloutRound(Document):
    """What some captured objects hold of the alias."""

    id: str
    rollout_id: str
    key: str
    """The first of the captured objects in S3."""
    further_keys: list[str] = Field(default_factory=list)
    """Those that were taken together with it."""
    window: int
    """The number of the window in which it was begun, from 1."""
    stage: int
    """The number of the stage in which it was begun, from 0."""
    begun_at: int
    """In seconds since the epoch."""
    runs: list[RoundRun] = Field(default_factory=list)
    expected_nanodollars: int = 0
    """What its runs were expected to pay when it was begun: it counts as spent until the tally says what they did."""
    tally: Tally | None = None
    """Null until its runs have ended."""
    tallied_at: int | None = None
    summed_in: int | None = None
    """The number of the sums that it entered; null where it is in none, or has just entered them."""

    @property
    def keys(self) -> list[str]:
        """All of its captured objects in S3."""
        return [self.key, *self.further_keys]

    @property
    def hangs(self) -> bool:
        """Whether it has been open for so long that a message must be lost, or a provider is away."""
        return self.tally is None and now() - self.begun_at >= _HANGS_S

    @classmethod
    def find(cls, rollout_id: str, round_id: str) -> Self | None:
        row = table.get(_rounds(rollout_id), round_id)
        return cls._of(row) if row else None

    def begin(self) -> Self:
        """Write it unless it is there. Returns it as it is stored: as it was begun first."""
        row = {"pk": _rounds(self.rollout_id), "sk": self.id, "doc": self.model_dump_json(), "tally": None}
        table.put({"pk": _unsummed(self.rollout_id), "sk": self.id, "at": now()})
        return self if table.put_new(row) else self.find(self.rollout_id, self.id) or self

    def record(self, tally: Tally) -> bool:
        """Write its tally, once. Returns whether this call wrote it."""
        changes = {"tally": tally.model_dump_json(), "tallied_at": now()}
        return table.update(_rounds(self.rollout_id), self.id, changes, where={"tally": None})

    def leave(self, number: int) -> None:
        """Leave the unsummed ones, since it is in the sums of this number, which are written, and in all later ones."""
        table.update(_rounds(self.rollout_id), self.id, {"summed_in": number})
        table.delete(_unsummed(self.rollout_id), self.id)

    def remove(self) -> None:
        """Delete it; its runs are erased before."""
        for partition in (_unsummed(self.rollout_id), _rounds(self.rollout_id)):
            table.delete(partition, self.id)

    @classmethod
    def open_ones(cls, rollout_id: str) -> list[Self]:
        """The rounds of a rollout without a tally, in no particular order."""
        return [round_ for round_ in cls.those(rollout_id, unsummed(rollout_id)) if round_.tally is None]

    @classmethod
    def those(cls, rollout_id: str, round_ids: Iterable[str]) -> list[Self]:
        """The rounds with these ids that are there, in no particular order."""
        rows = table.get_all((_rounds(rollout_id), round_id) for round_id in round_ids)
        return [cls._of(row) for row in rows.values()]

    @classmethod
    def every(cls, rollout_id: str) -> Iterator[Self]:
        """All rounds of a rollout, the oldest first."""
        return (cls._of(row) for row in table.query(_rounds(rollout_id)))

    @classmethod
    def newest_first(cls, rollout_id: str, upto: str | None = None) -> Iterator[Self]:
        """The rounds of a rollout from the newest on, or from the one with this id, if it is there.

        They are read as they are asked for.
        """
        if upto is not None:
            first = cls.find(rollout_id, upto)
            if first is None:
                return
            yield first
        while rows := list(table.query(_rounds(rollout_id), before=upto, descending=True, limit=_AT_ONCE)):
            yield from map(cls._of, rows)
            upto = rows[-1]["sk"]

    @classmethod
    def _of(cls, row: table.Row) -> Self:
        round_ = cls.model_validate_json(row["doc"])
        if row["tally"] is None:
            return round_
        tally = Tally.model_validate_json(row["tally"])
        late = {"tally": tally, "tallied_at": row["tallied_at"], "summed_in": row.get("summed_in")}
        return round_.model_copy(update=late)


def new_round_id() -> str:
    """The id of a round that begins now. Later ones are greater, so that the newest are found without the others."""
    return new_id("round_")


def unsummed(rollout_id: str) -> dict[str, int]:
    """The ids of the rounds that may be in no sums yet, each with the time at which it was begun."""
    return {row["sk"]: row["at"] for row in table.query(_unsummed(rollout_id))}


def forget_unsummed(rollout_id: str, round_id: str, at: int) -> None:
    """Delete the entry of a round that is not there, unless it may only just be written."""
    if now() - at > _BEGINNING_S:
        table.delete(_unsummed(rollout_id), round_id)


def total(tallied: Iterable[_Tallied]) -> Tally:
    """The sum of the tallies that are there."""
    return reduce(Tally.plus, (each.tally for each in tallied if each.tally), Tally())


class _Tallied(Protocol):
    """A round, or the sum of some."""

    @property
    def tally(self) -> Tally | None: ...


def _sum[Sums: Document](one: Sums, other: Sums) -> Sums:
    """Add the fields, each of which is a count."""
    return type(one)(**{name: getattr(one, name) + getattr(other, name) for name in type(one).model_fields})


def _unsummed(rollout_id: str) -> str:
    return f"UNSUMMEDROUNDS#{rollout_id}"


def _rounds(rollout_id: str) -> str:
    return f"ROLLOUTROUNDS#{rollout_id}"
