"""The captured objects of a rollout that wait to be taken together into one round.

    WAITINGOBJECTS#<rollout id> / <key of the object>     how many calls it has for the rollout, and what they may cost

In: the id of a rollout. Out: what waits, the oldest first. An object waits once, however often its message comes. Its
row goes last, when a round has its calls and the runs of that round are begun: whoever is killed before leaves it to
the next one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from foundation import table
from foundation.ids import now_ms


class WaitingObject(NamedTuple):
    """A captured object that waits."""

    key: str
    calls: int
    """How many of its calls are the rollout's share, at most as many as a round takes of one object."""
    nanodollars: int
    """What a round of these is expected to cost."""
    since_ms: int


def add(rollout_id: str, key: str, *, calls: int, nanodollars: int) -> None:
    """Let an object wait, unless it does."""
    row = {"pk": _partition(rollout_id), "sk": key, "calls": calls, "nanodollars": nanodollars, "since": now_ms()}
    table.put_new(row)


def is_any(rollout_id: str) -> bool:
    """Whether an object waits."""
    return next(table.query(_partition(rollout_id), limit=1), None) is not None


def those(rollout_id: str) -> list[WaitingObject]:
    """What waits, the oldest first."""
    rows = table.query(_partition(rollout_id))
    found = (WaitingObject(row["sk"], row["calls"], row["nanodollars"], row["since"]) for row in rows)
    return sorted(found, key=lambda waits: (waits.since_ms, waits.key))


def leave(rollout_id: str, keys: Iterable[str]) -> None:
    """These objects wait no more."""
    for key in keys:
        table.delete(_partition(rollout_id), key)


def forget(rollout_id: str) -> None:
    """Nothing waits any more."""
    leave(rollout_id, (row["sk"] for row in table.query(_partition(rollout_id))))


def _partition(rollout_id: str) -> str:
    return f"WAITINGOBJECTS#{rollout_id}"
