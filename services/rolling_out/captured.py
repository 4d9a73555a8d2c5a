"""The captured calls that are a rollout's: read from objects, and drawn by lot.

In: keys of objects. Out: their completions by the aliases that are asked for. An object that is gone has none, and what
is deleted is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from completions import frames, index
from completions.completion import Completion
from completions.postings import Reference
from foundation import blobs
from rolling_out.part import side_of
from rollouts.rollout import Rollout
from rollouts.taken import is_in_share, place_of

MOST_IN_A_ROUND = 200
"""The calls that a round takes, and at most so many of one object. The budget is passed by one round at most: it must
be no large one."""
_CLOCKS_APART_S = 300
"""How much later than ours a provider's clock may be: it says when a call was made."""


def calls_of(keys: Iterable[str], aliases: set[str]) -> dict[str, list[Completion]]:
    """The completions in each of these objects that were asked for by these aliases and are not deleted."""
    found = {key: list(_read(key, aliases)) for key in keys}
    references = [reference for calls in found.values() for reference, _ in calls]
    gone = {reference.id for reference in index.deleted(references)} if references else set()
    return {
        key: [call for reference, call in calls if gone.isdisjoint(index.names(reference))]
        for key, calls in found.items()
    }


def share_of(rollout: Rollout, calls: Iterable[Completion]) -> list[Completion]:
    """The calls of one object that are the rollout's share, each id once, at most as many as a round takes."""
    own = (call for call in calls if _is_own(rollout, call) and is_in_share(rollout, call.id))
    drawn = {call.id: call for call in own}
    return sorted(drawn.values(), key=lambda call: place_of(rollout.id, call.id))[:MOST_IN_A_ROUND]


def share_in(rollout: Rollout, keys: Iterable[str]) -> dict[str, Completion]:
    """The share of all these objects, by id."""
    found = calls_of(keys, {rollout.alias}).values()
    return {call.id: call for call in chain.from_iterable(share_of(rollout, calls) for calls in found)}


def _read(key: str, aliases: set[str]) -> Iterator[tuple[Reference, Completion]]:
    body = blobs.find(key)
    return (pair for pair in frames.completions_in(body or b"", key) if _name(pair[1]) in aliases)


def _name(call: Completion) -> Any:
    return call.alias.get("name") if isinstance(call.alias, dict) else None


def _is_own(rollout: Rollout, call: Completion) -> bool:
    """Whether a call is one that the rollout speaks of: by its alias, without a `when`, and made since it began."""
    if (
        _name(call) != rollout.alias
        or call.created < rollout.created_at - _CLOCKS_APART_S
        or not side_of(rollout, call)
    ):
        return False
    return not rollout.before.group_of(call.metadata)[0].when
