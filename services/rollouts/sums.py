"""What all rounds of a rollout come to, from a few rows, however many rounds there are.

    ROLLOUTSUMS#<rollout id> / SUMS     the sums of the rounds that were tallied, but for the newest

In: the id of a rollout. Out: its sums by window and stage, and its open rounds. Every now and then the tallied rounds
enter the sums: one write adds them and names them, under the condition that nobody has written since the sums were
read. Then each is marked with the number of that write, and leaves the unsummed ones. The next write comes after all
of that. So whoever reads the unsummed ones first, then the sums, then these rounds knows of each of them whether it is
in these very sums: they name it, or it is marked with a number that is not above theirs. A kill leaves no more to do
than marks, and a round that is tallied late enters late.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pydantic import Field

from foundation import table
from foundation.document import Document
from rollouts.rollout import MOST_LOST
from rollouts.round import RolloutRound, Tally, forget_unsummed, total, unsummed

ENOUGH = 10
"""So many tallied rounds enter the sums together: fewer are read one by one."""
_MOST = 100
"""At most so many do: each is marked."""
_SUMS = "SUMS"


class WindowSum(Document):
    """The tallied rounds that were begun in a window and a stage."""

    window: int
    """Its number, from 1."""
    stage: int
    """Its number, from 0. A window has one, but for the last that a rollout may have."""
    rounds: int = 0
    last_pairs_at: int = 0
    """When the newest graded pairs came in, in seconds since the epoch; 0 before any."""
    tally: Tally = Tally()


class Counted(NamedTuple):
    """What all rounds of a rollout come to."""

    sums: list[WindowSum]
    """In the order of windows and stages."""
    open_rounds: list[RolloutRound]
    """Those without a tally, in no particular order."""

    @property
    def tally(self) -> Tally:
        return total(self.sums)


class _Sums(Document):
    number: int = 0
    """How often they were written."""
    windows: list[WindowSum] = Field(default_factory=list)
    newest: list[str] = Field(default_factory=list)
    """The rounds that the last write has added."""

    def has(self, round_: RolloutRound) -> bool:
        return round_.id in self.newest or (round_.summed_in is not None and round_.summed_in <= self.number)


def counted(rollout_id: str) -> Counted:
    """What all rounds come to that are begun by now."""
    waiting = unsummed(rollout_id)  # Before the sums, and the rounds after these: see above.
    sums = _find(rollout_id)
    rounds = [round_ for round_ in RolloutRound.those(rollout_id, waiting) if not sums.has(round_)]
    return Counted(summed(rounds, sums.windows), [round_ for round_ in rounds if round_.tally is None])


def fold(rollout_id: str) -> None:
    """Let the tallied rounds enter the sums, where there are enough of them."""
    waiting = unsummed(rollout_id)
    if len(waiting) < ENOUGH:
        return
    sums = _find(rollout_id)
    rounds = RolloutRound.those(rollout_id, {*waiting, *sums.newest})
    _leave(sums, waiting, rounds)
    for missing in waiting.keys() - {round_.id for round_ in rounds}:
        forget_unsummed(rollout_id, missing, waiting[missing])
    new = [round_ for round_ in rounds if round_.tally and not sums.has(round_)][:_MOST]
    if len(new) < ENOUGH:
        return
    windows = _with_few_lost(summed(new, sums.windows))
    following = _Sums(number=sums.number + 1, windows=windows, newest=[round_.id for round_ in new])
    if _write(rollout_id, following):
        _leave(following, waiting, new)


def summed(rounds: Iterable[RolloutRound], before: Sequence[WindowSum] = ()) -> list[WindowSum]:
    """These sums with the tallied ones of these rounds."""
    found = {(sum_.window, sum_.stage): sum_ for sum_ in before}
    groups: dict[tuple[int, int], list[RolloutRound]] = defaultdict(list)
    for round_ in rounds:
        if round_.tally:
            groups[round_.window, round_.stage].append(round_)
    for (window, stage), own in groups.items():
        known = found.get((window, stage), WindowSum(window=window, stage=stage))
        with_pairs = (round_.tallied_at or 0 for round_ in own if round_.tally and round_.tally.quality.pairs)
        found[window, stage] = known.model_copy(
            update={
                "rounds": known.rounds + len(own),
                "last_pairs_at": max(known.last_pairs_at, *with_pairs, 0),
                "tally": known.tally.plus(total(own)),
            }
        )
    return [found[place] for place in sorted(found)]


def erase(rollout_id: str) -> None:
    """Delete the sums of a rollout; its rounds are removed before."""
    table.delete(_partition(rollout_id), _SUMS)


def _leave(sums: _Sums, waiting: Mapping[str, int], rounds: Iterable[RolloutRound]) -> None:
    """Mark the rounds that are in the sums, as far as they are not, and take them from the unsummed ones."""
    for round_ in rounds:
        if sums.has(round_) and (round_.summed_in is None or round_.id in waiting):
            round_.leave(round_.summed_in or sums.number)


def _with_few_lost(windows: Sequence[WindowSum]) -> list[WindowSum]:
    """Of lost pairs the newest are shown alone, those of the last windows: so many are kept."""
    kept, left = [], MOST_LOST
    for sum_ in reversed(windows):
        lost = sum_.tally.lost[-left:] if left else []
        left -= len(lost)
        kept.append(sum_.model_copy(update={"tally": sum_.tally.model_copy(update={"lost": lost})}))
    return kept[::-1]


def _find(rollout_id: str) -> _Sums:
    row = table.get(_partition(rollout_id), _SUMS)
    return _Sums.model_validate_json(row["doc"]) if row else _Sums()


def _write(rollout_id: str, sums: _Sums) -> bool:
    """Write these in the place of those before them. Returns False where somebody else has done so."""
    pk, fields = _partition(rollout_id), {"number": sums.number, "doc": sums.model_dump_json(exclude_defaults=True)}
    if sums.number == 1:
        return table.put_new({"pk": pk, "sk": _SUMS, **fields})
    return table.update(pk, _SUMS, fields, where={"number": sums.number - 1})


def _partition(rollout_id: str) -> str:
    return f"ROLLOUTSUMS#{rollout_id}"
