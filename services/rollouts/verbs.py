"""What people do with a rollout: freeze it, resume it, roll it back, cancel it.

In: its id, who asks, and why. Out: the rollout as it then is. Each is one step; asked again of a rollout that is there
already, it changes nothing. Raises Conflict where the rollout is in no state for it, ApiError for what it cannot go on
with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from aliases.alias import MOST_TARGETS, Alias
from foundation.errors import ApiError, Conflict, RetryLater
from providers.model_version import ModelVersion
from rollouts.judging import judge
from rollouts.moving import finish, move, step_of
from rollouts.next_step import known_of
from rollouts.rollout import Rollout, RolloutEnd, StepKind
from rollouts.starting import take_place
from rollouts.sums import counted
from rollouts.weights import has_both, has_place, is_answering, with_cascade

_ROUNDS = 5


class Asked(NamedTuple):
    """Who asks for a step, and why."""

    by: str
    why: str | None = None


def freeze(rollout_id: str, asked: Asked) -> Rollout:
    """Let nothing move by itself: the shares stay as they are, and no pairs are graded."""

    def check(rollout: Rollout) -> dict[str, Any] | None:
        if rollout.status == "frozen":
            return None
        _refuse_ended(rollout, "frozen")
        return {}

    return _step(rollout_id, "frozen", asked, "Somebody froze it.", check)


def resume(rollout_id: str, asked: Asked, max_usd: float | None = None) -> Rollout:
    """Let it go on: with the alias as it is now, if that still has the models of its stage, and with this budget."""

    def check(rollout: Rollout) -> dict[str, Any] | None:
        _refuse_ended(rollout, "resumed")
        if rollout.status == "running" and max_usd in {None, rollout.max_usd}:
            return None
        limit = rollout.max_usd if max_usd is None else max_usd
        spent = counted(rollout.id).tally.spent_nanodollars / 1e9
        if spent >= limit:
            raise ApiError(
                f"Invalid 'max_usd': ${spent:.4f} are spent already. Give more than that.",
                code="invalid_value",
                param="max_usd",
            )
        return {"max_usd": limit, "alias_version": _alias_to_go_on_with(rollout).version}

    return _step(rollout_id, "resumed", asked, "Somebody resumed it.", check)


def roll_back(rollout_id: str, asked: Asked) -> Rollout:
    """Let the stable model take all calls again; also of one that has promoted its candidate."""

    def check(rollout: Rollout) -> dict[str, Any] | None:
        if rollout.status in {"rolled_back", "failed", "canceled"}:
            return None
        if rollout.status == "promoted":
            _refuse_retired(rollout)
            # It is finished from there, should this be killed; another one that has begun since is refused.
            take_place(rollout)
            _refuse_overtaken(rollout)
        return {"ended": _end(rollout, asked.why or "Somebody rolled it back.")}

    return _step(rollout_id, "rolled_back", asked, "Somebody rolled it back.", check)


def cancel(rollout_id: str, asked: Asked) -> Rollout:
    """End one whose candidate has answered no user yet."""

    def check(rollout: Rollout) -> dict[str, Any] | None:
        if rollout.status == "canceled":
            return None
        _refuse_ended(rollout, "canceled")
        if rollout.percent:
            raise Conflict(
                f"The candidate answers {rollout.percent}% of the calls. Roll it back instead: "
                f"POST /v1/rollouts/{rollout.id}/rollback",
                code="rollout_serves",
            )
        return {"ended": _end(rollout, asked.why or "Somebody canceled it.")}

    return _step(rollout_id, "canceled", asked, "Somebody canceled it.", check)


def _step(
    rollout_id: str, kind: StepKind, asked: Asked, why: str, check: Callable[[Rollout], dict[str, Any] | None]
) -> Rollout:
    """Take the step that is asked for. `check` says what else it changes, or None where it is done already."""
    for _ in range(_ROUNDS):
        rollout = finish(Rollout.load(rollout_id, param="rollout_id"))
        if rollout is None:
            continue  # Somebody else finishes it at the same time.
        also = check(rollout)
        if also is None:
            return rollout
        moved = move(rollout, step_of(rollout, kind, asked.why or why, by=asked.by), **also)
        if moved:
            return moved
    raise RetryLater(f"the rollout {rollout_id} is changed by many at once")


def _refuse_ended(rollout: Rollout, verb: str) -> None:
    if not rollout.is_open:
        raise Conflict(
            f"The rollout {rollout.id} has ended as {rollout.status}, and cannot be {verb}. Begin another one.",
            code="rollout_ended",
        )


def _refuse_retired(rollout: Rollout) -> None:
    """Raises Conflict where the model of before was retired since: nothing keeps it after the promotion."""
    stable = ModelVersion.find(rollout.stable)
    if stable and stable.retired_at is not None:
        raise Conflict(
            f"The model '{rollout.stable}' was retired since: it answers no more. Point the alias at another model: "
            f"PUT /v1/aliases/{rollout.alias}.",
            code="model_retired",
        )


def _refuse_overtaken(rollout: Rollout) -> None:
    """Raises Conflict where the candidate was followed by another model since: nothing would go back."""
    alias = Alias.find(rollout.alias)
    if alias is None or not is_answering(alias.routing, rollout.candidate):
        raise Conflict(
            f"'{rollout.candidate}' answers no calls of '{rollout.alias}' any more: the alias was changed since the "
            f"promotion. GET /v1/aliases/{rollout.alias}/versions says how, and PUT /v1/aliases/{rollout.alias} points "
            "it elsewhere.",
            code="alias_changed",
            param="alias",
        )


def _alias_to_go_on_with(rollout: Rollout) -> Alias:
    alias = Alias.find(rollout.alias)
    if alias is None or not has_both(alias.routing, rollout):
        raise Conflict(
            f"The alias '{rollout.alias}' does not point at the models of this stage any more. Let it: "
            f"{rollout.stable} with {100 - rollout.percent}% and {rollout.candidate} with {rollout.percent}% of the "
            f"calls without a 'when', and no other model, or roll the rollout back.",
            code="alias_changed",
            param="alias",
        )
    if not has_place(alias.routing, rollout):
        raise Conflict(
            f"The alias '{rollout.alias}' has got so many targets that there is no place for both models, "
            f"{MOST_TARGETS} at most. Take one out: PUT /v1/aliases/{rollout.alias}, or roll the rollout back.",
            code="alias_changed",
            param="alias",
        )
    cascading = with_cascade(alias.routing, rollout.stable, rollout.candidate)
    if cascading:
        raise Conflict(
            f"The target '{cascading}' of '{rollout.alias}' has got a cascade, and a rollout compares two models. Take "
            f"the cascade out: PUT /v1/aliases/{rollout.alias}, or roll the rollout back.",
            code="alias_changed",
            param="alias",
        )
    return alias


def _end(rollout: Rollout, why: str) -> RolloutEnd:
    tallies, _ = known_of(counted(rollout.id).sums)
    findings = judge(rollout, tallies)
    return RolloutEnd(why=why, figures=[finding.sentence for finding in findings])
