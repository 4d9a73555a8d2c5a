"""Gather captured objects into rounds: what lands while some rounds are under way waits, and is taken together.

In: an object that landed, or the id of a rollout of which a round has ended. Out: rounds that are begun (`begin.py`). A
round costs the same messages for one call as for many. So an object begins a round at once only while few rounds are
under way; others wait until one of these has its tally, or hangs, or until what waits fills a round. Where the budget
has no room beside the rounds under way, an object waits, too. What waits is dropped where the rollout takes no pairs
any more, or its budget is spent.

Nobody misses what may begin: whoever lets an object wait looks afterwards whether it must, and whoever tallies a round
looks afterwards what waits. Two do not gather at once, and whoever has gathered looks again. What a killed worker
leaves behind, the clock's next look finds.
"""

from __future__ import annotations

import time
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from completions.completion import Completion
from evals.eval import Eval
from foundation import lease
from foundation.errors import AtWork
from rolling_out import budget
from rolling_out.begin import Begun, begin, go_on, start
from rolling_out.budget import Room
from rolling_out.captured import MOST_IN_A_ROUND, calls_of, share_of
from rolling_out.part import parts_of
from rollouts import waiting
from rollouts.rollout import Rollout
from rollouts.round import RolloutRound
from rollouts.taken import holders
from rollouts.waiting import WaitingObject

SIDE_BY_SIDE = 5
"""While so many rounds are under way, objects wait. Several, so that one slow answer does not hold up all others."""
_PATIENCE_S = 15.0
_AGAIN_S = 0.25
_NEEDED_MS = 10_000
"""With less time left no further round is begun: two hundred objects are read first."""

type _Objects = Mapping[str, Sequence[Completion]]
"""The rollout's share of some objects, by their keys."""


class _Due(NamedTuple):
    """Objects that are to be taken together now."""

    rollout: Rollout
    keys: list[str]
    is_full: bool
    """Whether they fill a round, which then waits for no other."""


def arrive(rollout: Rollout, key: str, calls: Sequence[Completion], context: Any) -> None:
    """Begin a round of an object that landed, or let it wait. `calls` are those of its calls that may be the rollout's.

    Of an object whose calls a round has, that round goes on.
    """
    own = {key: share_of(rollout, calls)}
    held = _holders(rollout, own)
    _go_on(rollout, held)
    free = _without(held, own).get(key)
    graded_by = Eval.find(rollout.online_eval_id) if free else None
    if not free or graded_by is None:
        return
    nanodollars = budget.expected(parts_of(rollout, free), graded_by)
    is_full = len(free) >= MOST_IN_A_ROUND
    if waiting.is_any(rollout.id) or not _take(rollout.id, {key: free}, context, is_full=is_full):
        waiting.add(rollout.id, key, calls=len(free), nanodollars=nanodollars)
        gather(rollout.id, context)


def gather(rollout_id: str, context: Any) -> None:
    """Begin rounds of what waits, as far as it need not wait any more."""
    while _next(rollout_id) and context.get_remaining_time_in_millis() > _NEEDED_MS:
        try:
            with lease.held(rollout_id, "GATHERING", context):
                went_on = _gather(rollout_id, context)
        except AtWork:
            return  # Whoever is at work looks again.
        if not went_on:
            return


def _gather(rollout_id: str, context: Any) -> bool:
    """Begin the next round of what waits. Returns False where it has to wait after all."""
    due = _next(rollout_id)
    if due is None:
        return False
    found = calls_of(due.keys, {due.rollout.alias})
    objects = {key: share_of(due.rollout, calls) for key, calls in found.items()}
    if not _take(rollout_id, objects, context, is_full=due.is_full):
        return False
    waiting.leave(rollout_id, due.keys)
    return True


def _next(rollout_id: str) -> _Due | None:
    """What is to be taken together now, or None. What waits for nothing is dropped."""
    objects = waiting.those(rollout_id)
    if not objects:
        return None
    rollout = Rollout.find(rollout_id)
    room = budget.room_of(rollout) if rollout and rollout.takes_pairs else None
    if rollout is None or room is None or room.is_over:
        waiting.forget(rollout_id)
        return None
    chosen, is_full = _fitting(objects, room)
    if _must_wait(room, sum(each.nanodollars for each in chosen), is_full=is_full):
        return None
    return _Due(rollout, [each.key for each in chosen], is_full)


def _fitting(objects: Sequence[WaitingObject], room: Room) -> tuple[Sequence[WaitingObject], bool]:
    """The oldest of these objects, as many as fit into a round and the budget, and whether they fill a round.

    The first one fits into any round. It may pass the budget, if no other round is under way.
    """
    calls = nanodollars = 0
    for number, each in enumerate(objects):
        calls, nanodollars = calls + each.calls, nanodollars + each.nanodollars
        if number and (calls > MOST_IN_A_ROUND or not room.fits(nanodollars)):
            return objects[:number], calls > MOST_IN_A_ROUND
    return objects, calls >= MOST_IN_A_ROUND


def _must_wait(room: Room, nanodollars: int, *, is_full: bool) -> bool:
    """Whether a round of this estimate has to wait for those under way."""
    return (room.young_rounds >= SIDE_BY_SIDE and not is_full) or not room.takes(nanodollars)


def _take(rollout_id: str, objects: _Objects, context: Any, *, is_full: bool) -> bool:
    """Begin the round of these objects, as far as no round has their calls, and let those go on that have some.

    Returns False where they have to wait.
    """
    with _alone(rollout_id, context):
        rollout = Rollout.load(rollout_id)
        held = _holders(rollout, objects)
        free = _without(held, objects)
        graded_by = Eval.find(rollout.online_eval_id)
        begun = None
        if free and graded_by and rollout.takes_pairs:
            calls = {call.id: call for own in free.values() for call in own}
            parts = parts_of(rollout, calls.values())
            nanodollars = budget.expected(parts, graded_by)
            if _must_wait(budget.room_of(rollout), nanodollars, is_full=is_full):
                return False
            begun = Begun(rollout, graded_by, begin(rollout, [*free], parts, nanodollars), parts)
    if begun:
        start(begun)
    _go_on(rollout, held)
    return True


def _go_on(rollout: Rollout, held: Mapping[str, RolloutRound]) -> None:
    """Let the rounds go on that have calls already: whoever began them may have been killed."""
    for round_ in {round_.id: round_ for round_ in held.values()}.values():
        # One that hangs is begun again by the clock: should it fail, nothing else waits for it.
        if round_.tally is None and not round_.hangs:
            go_on(rollout, round_)


def _holders(rollout: Rollout, objects: _Objects) -> dict[str, RolloutRound]:
    """Of the calls those that a round has, by id."""
    return holders(rollout.id, (call.id for calls in objects.values() for call in calls))


def _without(held: Container[str], objects: _Objects) -> dict[str, list[Completion]]:
    """The objects with the calls that no round has; those that have none are left out."""
    free = {key: [call for call in calls if call.id not in held] for key, calls in objects.items()}
    return {key: calls for key, calls in free.items() if calls}


@contextmanager
def _alone(rollout_id: str, context: Any) -> Iterator[None]:
    """Hold the lease of the rollout's rounds: who has which calls, and the budget, are reckoned by one at a time."""
    with ExitStack() as stack:
        _enter(stack, rollout_id, context)
        yield


def _enter(stack: ExitStack, rollout_id: str, context: Any) -> None:
    """Take the lease. Another one holds it for a moment, and is waited for: SQS would deliver again after minutes."""
    ends = time.monotonic() + min(_PATIENCE_S, context.get_remaining_time_in_millis() / 4000)
    while True:
        try:
            stack.enter_context(lease.held(rollout_id, "ROUNDS", context))
        except AtWork:
            if time.monotonic() > ends:
                raise
            time.sleep(_AGAIN_S)
        else:
            return
