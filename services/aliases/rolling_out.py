"""Whether an alias is being rolled out, as the room of rollouts notes it beside its own rows.

OPENROLLOUTS / <alias>      the id of its open rollout; empty once that has ended
"""

from __future__ import annotations

from foundation import table

OPEN_ROLLOUTS = "OPENROLLOUTS"


def is_rolled_out(alias: str) -> bool:
    """Whether the alias has an open rollout."""
    row = table.get(OPEN_ROLLOUTS, alias)
    return bool(row and row["rollout_id"])
