"""Take the captured completions of an object that landed into open rollouts.

In: the key of the object. Out: for each open rollout whose alias stands in it, a round with its runs (`begin.py`). The
event may come twice, late, or for an object that was written again because a completion in it was erased. An object
that is gone, or in which no such call is, makes no round.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from completions import frames, index
from completions.completion import Completion
from foundation import blobs, lease
from foundation.consumer import logger
from foundation.errors import AtWork
from rolling_out.begin import begin, start
from rolling_out.part import side_of
from rollouts.rollout import Rollout
from rollouts.taken import is_in_share

_CLOCKS_APART_S = 300
"""How much later than ours a provider's clock may be: it says when a call was made."""
_PATIENCE_S = 15.0
_AGAIN_S = 0.25


def observe(key: str, context: Any) -> None:
    """Begin the rounds of this object. Does nothing where no open rollout takes pairs.

    An error of one rollout stops no other; the first is raised at the end.
    """
    open_ones = [rollout for rollout in Rollout.open_ones() if rollout.takes_pairs]
    if not open_ones:
        return
    calls = list(calls_of(key, {rollout.alias for rollout in open_ones}))
    errors: list[Exception] = []
    for rollout in open_ones:
        try:
            take_up(rollout, key, calls, context)
        except Exception as error:  # noqa: BLE001 - the others take the object all the same
            logger().exception("round not begun", extra={"rollout_id": rollout.id})
            errors.append(error)
    if errors:
        raise errors[0]


def take_up(rollout: Rollout, key: str, calls: list[Completion], context: Any) -> None:
    """Begin the round of these calls, as far as they are the rollout's share, or go on with it."""
    # Before the lease: objects of which it takes nothing, which may be most, would wait for each other.
    own = [call for call in calls if _is_own(rollout, call) and is_in_share(rollout, call.id)]
    if own:
        with _alone(rollout, context):
            begun = begin(rollout.id, key, own)
        if begun:
            start(begun)


def calls_of(key: str, aliases: set[str]) -> Iterator[Completion]:
    """The completions in an object that were asked for by these aliases and are not deleted."""
    body = blobs.find(key)
    if body is None:
        return
    found = [(reference, call) for reference, call in frames.completions_in(body, key) if _name(call) in aliases]
    gone = {reference.id for reference in index.deleted([reference for reference, _ in found])}
    yield from (call for reference, call in found if gone.isdisjoint(index.names(reference)))


def _name(call: Completion) -> Any:
    return call.alias.get("name") if isinstance(call.alias, dict) else None


def _is_own(rollout: Rollout, call: Completion) -> bool:
    """Whether a call is one that the rollout speaks of.

    It was made by its alias, for one of its models, without a `when`, and since it began.
    """
    if _name(call) != rollout.alias or call.created < rollout.created_at - _CLOCKS_APART_S:
        return False
    return side_of(rollout, call) is not None and not rollout.before.group_of(call.metadata)[0].when


@contextmanager
def _alone(rollout: Rollout, context: Any) -> Iterator[None]:
    """Hold the lease of the rollout's rounds: what is left of its budget is reckoned by one at a time."""
    with ExitStack() as stack:
        _enter(stack, rollout, context)
        yield


def _enter(stack: ExitStack, rollout: Rollout, context: Any) -> None:
    """Take the lease. Another one holds it for a moment, and is waited for: SQS would deliver again after minutes."""
    ends = time.monotonic() + min(_PATIENCE_S, context.get_remaining_time_in_millis() / 4000)
    while True:
        try:
            stack.enter_context(lease.held(rollout.id, "ROUNDS", context))
        except AtWork:
            if time.monotonic() > ends:
                raise
            time.sleep(_AGAIN_S)
        else:
            return
