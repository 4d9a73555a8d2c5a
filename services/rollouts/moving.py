"""Move a rollout: record what is decided, then do what that asks of others, each exactly once.

In: a rollout as it was read, and the step. Out: the rollout as it then is. A step is decided by one conditional write
of the row, which holds it as `move`; the version of the alias and the notice follow, both by ids that follow from the
step, and the last write says that they are there. Whoever is killed in between leaves the rest to the next one that
comes. None is returned where somebody else has changed the rollout since it was read.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from aliases import changing, history
from aliases.alias import Alias, Routing
from aliases.changing import Said
from aliases.rolling_out import OPEN_ROLLOUTS
from distillations import lineage
from distillations.lineage import Node
from foundation import table
from foundation.bounds import cut
from foundation.errors import ApiError, RetryLater
from foundation.ids import derived_id, now
from rollouts.judging import alpha_of
from rollouts.rollout import (
    BY,
    ENDED,
    MOST_STEPS,
    Rollout,
    RolloutEnd,
    RolloutPause,
    Status,
    Step,
    StepKind,
    Window,
)
from rollouts.telling import tell
from rollouts.weights import has_place, in_stage, taken_back

_ROUNDS = 5
_RECENT = 20
"""The versions of the alias among which a step's own is looked for: of one that made none all would be read."""
_CHANGED = "alias_changed"
_STATUS: dict[StepKind, Status] = {
    "started": "running",
    "advanced": "running",
    "promoted": "promoted",
    "paused": "paused",
    "resumed": "running",
    "frozen": "frozen",
    "rolled_back": "rolled_back",
    "canceled": "canceled",
    "failed": "failed",
}
_GOES_ON: frozenset[StepKind] = frozenset({"started", "advanced"})
_GOES_BACK: frozenset[StepKind] = frozenset({"rolled_back", "canceled", "failed"})


def step_of(rollout: Rollout, kind: StepKind, why: str, *, by: str = BY) -> Step:
    """The next step of a rollout."""
    to_stage = rollout.stage + (kind == "advanced")
    percent = 0 if kind in _GOES_BACK else rollout.stages[to_stage]
    return Step(
        number=rollout.steps[-1].number + 1 if rollout.steps else 1,
        at=now(),
        kind=kind,
        from_stage=rollout.stage,
        to_stage=to_stage,
        percent=percent,
        why=why,
        by=by,
    )


def move(
    rollout: Rollout,
    step: Step,
    *,
    pause: RolloutPause | None = None,
    ended: RolloutEnd | None = None,
    **also: Any,
) -> Rollout | None:
    """Decide this step, and do what it asks for. `also` has further changes of the row.

    A step under way must be finished first, or it would be lost.
    """
    if rollout.move:
        raise ValueError(f"a step of {rollout.id} is under way")
    changes = {**_changes(rollout, step), "pause": pause, "ended": ended, "move": step, **also}
    return finish(Rollout.load(rollout.id)) if rollout.change_from(changes) else None


def open_window(rollout: Rollout) -> Rollout | None:
    """Open the next window of the same stage."""
    written = rollout.change_from({"windows": _with_window(rollout, rollout.stage)})
    return Rollout.load(rollout.id) if written else None


def finish(rollout: Rollout) -> Rollout | None:
    """Do what the step under way asks for, if there is one."""
    step = rollout.move
    if step is None:
        return rollout
    try:
        version = _change_alias(rollout, step)
    except ApiError as error:
        if error.code != _CHANGED:
            raise
        return _give_way(rollout, step)
    done = step.model_copy(update={"alias_version": version})
    tell(rollout, done)
    changes: dict[str, Any] = {"move": None, "steps": [*rollout.steps, done][-MOST_STEPS:]}
    changes |= {"alias_version": version} if version is not None else {}
    if not rollout.change_from(changes):
        return None
    if not rollout.is_open:
        # Last, so that until then it is found there by whoever finishes it.
        table.update(OPEN_ROLLOUTS, rollout.alias, {"rollout_id": ""}, where={"rollout_id": rollout.id})
    return Rollout.load(rollout.id)


def _changes(rollout: Rollout, step: Step) -> dict[str, Any]:
    """What a step changes of the row."""
    status = _STATUS[step.kind]
    changes: dict[str, Any] = {"status": status, "stage": step.to_stage}
    resumed = step.kind == "resumed" and step.by != BY
    if step.kind == "advanced" or resumed:
        # A stage that somebody resumes lasts as long as one that is entered; a pause that ended by itself goes on.
        changes |= {"stage_since": step.at}
    if step.kind == "advanced" or (resumed and rollout.may_open_window):
        changes |= {"windows": _with_window(rollout, step.to_stage)}
    return changes | ({"ended_at": step.at} if status in ENDED else {})


def _with_window(rollout: Rollout, stage: int) -> list[Window]:
    alpha = alpha_of(rollout.window + 1, rollout.gates)
    return [*rollout.windows, Window(stage=stage, since=now(), alpha=alpha)]


def _change_alias(rollout: Rollout, step: Step) -> int | None:
    """Let the alias say what the step asks for. Returns the version that this made, or None where it made none.

    Raises ApiError where somebody else has changed the alias since the step before. Whoever goes back is not kept from
    it by such a change.
    """
    if step.kind in _GOES_ON and rollout.percent > 0:
        alias = Alias.find(rollout.alias)
        if alias is None or not has_place(alias.routing, rollout):
            raise ApiError(f"The alias '{rollout.alias}' was deleted, or has got too many targets.", code=_CHANGED)
        return _put(rollout, step, in_stage(alias.routing, rollout), rollout.alias_version)
    if step.kind in _GOES_BACK:
        return _take_back(rollout, step)
    return None


def _take_back(rollout: Rollout, step: Step) -> int | None:
    for _ in range(_ROUNDS):
        alias = Alias.find(rollout.alias)
        if alias is None:
            return None
        try:
            return _put(rollout, step, taken_back(alias.routing, rollout), alias.version)
        except ApiError:
            continue  # Somebody has changed it meanwhile.
    raise RetryLater(f"the alias {rollout.alias} is changed by many at once")


def _put(rollout: Rollout, step: Step, routing: Routing, expected: int) -> int | None:
    attempt = derived_id("change_", rollout.id, step.number)
    said = Said(BY, cut(f"{step.why} {rollout.id}"), rollout.verdict_id, attempt, expected)
    alias = changing.put(rollout.alias, routing, said)
    lineage.link([(Node("model", model), Node("alias", rollout.alias)) for model in alias.routing.models])
    recent = islice(history.versions(alias), _RECENT)
    return next((version.version for version in recent if version.attempt == attempt), None)


def _give_way(rollout: Rollout, step: Step) -> Rollout | None:
    """Undo the decision to go on, and pause: somebody else has changed the alias."""
    pause = RolloutPause(reason="alias_changed", since=now(), message=PAUSES["alias_changed"])
    back = {"stage": step.from_stage, "status": "paused", "pause": pause}
    windows = [*rollout.windows[:-1], rollout.windows[-1].model_copy(update={"stage": step.from_stage})]
    told = step.model_copy(
        update={"kind": "paused", "to_stage": step.from_stage, "percent": rollout.stages[step.from_stage]}
    )
    told = told.model_copy(update={"why": "Somebody else has changed the alias."})
    written = rollout.change_from({**back, "windows": windows, "move": told})
    return finish(Rollout.load(rollout.id)) if written else None


PAUSES = {
    "no_data": "No graded pairs come in. It goes on by itself with the next ones: see that the alias is called, that "
    "its models refuse no calls, that completions are captured, that the runs of its rounds succeed, and that the "
    "month's cap is not reached.",
    "provider_away": "A provider is away. It goes on by itself once it answers.",
    "budget": "Its budget is spent. Resume it with a larger max_usd, or roll it back.",
    "alias_changed": "Somebody else has changed the alias. Resume it to go on with the alias as it is now, or roll it "
    "back.",
}
