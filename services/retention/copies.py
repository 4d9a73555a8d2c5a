"""Erase what rollouts have copied of deleted completions: the rows of their runs, with the answers of both models.

In: the ids of completions that were deleted. Out: those of which a run is still at work, so that the next sweep comes
back to them. A rollout's tallies stay, which are counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from evals.forget import forget_rows
from evals.run import Run
from rollouts.rollout import Rollout
from rollouts.round import RolloutRound
from rollouts.taken import rounds_with


def erase_copies(completion_ids: Collection[str]) -> set[str]:
    """Erase the copies. Returns the completions of which some are still to be erased."""
    left: set[str] = set()
    for rollout in Rollout.every():
        of_round: dict[str, set[str]] = defaultdict(set)
        for completion_id, round_id in rounds_with(rollout.id, completion_ids).items():
            of_round[round_id].add(completion_id)
        for round_id, ids in of_round.items():
            if not _erase(RolloutRound.find(rollout.id, round_id), ids):
                left |= ids
    return left


def _erase(round_: RolloutRound | None, completion_ids: Collection[str]) -> bool:
    """Erase the rows of these completions from the runs of a round. Returns False while one of them is at work.

    Of a run that is not there the rows may be: whoever began it may have been killed in between.
    """
    run_ids = {part.run_id for part in (round_.runs if round_ else ())}
    at_work = {run_id for run_id in run_ids if (run := Run.find(run_id)) and not run.ended}
    for run_id in run_ids - at_work:
        forget_rows(run_id, completion_ids)
    return not at_work
