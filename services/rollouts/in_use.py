"""What an open rollout keeps from being taken away: its models, its alias, its eval."""

from __future__ import annotations

from foundation.errors import Conflict
from rollouts.rollout import Rollout


def rollout_with(model: str) -> Rollout | None:
    """The open rollout that this model is the candidate or the stable model of, or None."""
    return next((rollout for rollout in Rollout.open_ones() if model in {rollout.candidate, rollout.stable}), None)


def refuse_model_in_rollout(model: str) -> None:
    """Raises Conflict where a model is to be retired that an open rollout names."""
    rollout = rollout_with(model)
    if rollout:
        raise Conflict(
            f"The rollout {rollout.id} of '{rollout.alias}' needs the model '{model}'. {_end(rollout)}",
            code="model_in_use",
            param="model",
        )


def refuse_alias_in_rollout(alias: str) -> None:
    """Raises Conflict where an alias is to be deleted that has an open rollout."""
    rollout = Rollout.open_of(alias)
    if rollout:
        raise Conflict(
            f"The rollout {rollout.id} of '{alias}' is {rollout.status}. {_end(rollout)}",
            code="rollout_open",
            param="alias",
        )


def refuse_eval_in_rollout(eval_id: str) -> None:
    """Raises Conflict where an eval is to be deleted that an open rollout grades by."""
    rollouts = Rollout.open_ones()
    rollout = next((rollout for rollout in rollouts if eval_id == rollout.online_eval_id), None)
    if rollout:
        raise Conflict(
            f"The rollout {rollout.id} of '{rollout.alias}' grades by the eval {eval_id}. {_end(rollout)}",
            code="eval_in_use",
        )


def _end(rollout: Rollout) -> str:
    return f"End it first: POST /v1/rollouts/{rollout.id}/rollback"
