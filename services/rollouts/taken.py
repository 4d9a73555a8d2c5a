"""Which captured completions a rollout grades, each once.

In: a rollout and completions. Out: those that are its share, decided by a keyed hash, so that neither the order nor the
time in which they come makes a difference; and of these, those that a round has. A completion may lie in two captured
objects, and a message about an object comes twice: the round that takes a completion first keeps it.

    ROLLOUTPAIRS#<rollout id> / <completion id>     the round that has it

These rows are written before the round. So what whoever was killed in between has taken is free: a round that is not
there has nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from foundation import table
from rollouts.rollout import Rollout
from rollouts.round import RolloutRound

_BITS = 53
_HASH_BYTES = 8


def place_of(rollout_id: str, completion_id: str) -> float:
    """Where a completion stands in the lot of a rollout, from 0 to 1."""
    digest = hmac.digest(rollout_id.encode(), completion_id.encode(errors="replace"), "sha256")[:_HASH_BYTES]
    return (int.from_bytes(digest) >> (64 - _BITS)) / (1 << _BITS)


def is_in_share(rollout: Rollout, completion_id: str) -> bool:
    return place_of(rollout.id, completion_id) < rollout.share


def take(rollout_id: str, round_id: str, completion_ids: Iterable[str]) -> None:
    """Let a round that is not written yet have these completions, which are free.

    Whoever calls it holds the lease of the rollout's rounds, since before it asked for the holders.
    """
    pk = _pairs(rollout_id)
    table.write_all({"pk": pk, "sk": completion_id, "round_id": round_id} for completion_id in completion_ids)


def holders(rollout_id: str, completion_ids: Iterable[str]) -> dict[str, RolloutRound]:
    """Of these completions those that are not free, each with the round that has it."""
    named = rounds_with(rollout_id, completion_ids)
    rounds = {round_.id: round_ for round_ in RolloutRound.those(rollout_id, {*named.values()})}
    return {completion_id: rounds[round_id] for completion_id, round_id in named.items() if round_id in rounds}


def rounds_with(rollout_id: str, completion_ids: Iterable[str]) -> dict[str, str]:
    """Of these completions those that a round has taken, each with the id of the round, which may not be there."""
    pk = _pairs(rollout_id)
    rows = table.get_all((pk, completion_id) for completion_id in completion_ids)
    return {sk: str(row["round_id"]) for (_, sk), row in rows.items()}


def round_with(rollout_id: str, completion_id: str) -> str | None:
    """The id of the round that has taken this completion, or None."""
    row = table.get(_pairs(rollout_id), completion_id)
    return str(row["round_id"]) if row else None


def forget(rollout_id: str) -> None:
    """Delete what is noted of the completions of a rollout."""
    for row in table.query(_pairs(rollout_id)):
        table.delete(row["pk"], row["sk"])


def _pairs(rollout_id: str) -> str:
    return f"ROLLOUTPAIRS#{rollout_id}"
