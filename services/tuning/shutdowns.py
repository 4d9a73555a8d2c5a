"""Tell people in time that a model in use ends: 90, 30 and 7 days before, once each.

In: the day, the models in use, the dates that their providers say and that are listed. Out: an alert a model and mark,
with what to do. Where a date is learnt late, only the mark that is nearest is told; a day that has passed is told once.
"""

from __future__ import annotations

from collections import Counter

from distillations.distillation import Distillation
from distillations.models_in_use import Part, Use, models_in_use
from foundation.ids import now
from foundation.one_by_one import one_by_one
from notifications.alerts import Alert
from notifications.raising import raise_once
from providers import shutdown_dates
from providers.shutdown_dates import Shutdown
from rollouts.rollout import Rollout

MARKS = (90, 30, 7)
"""How many days before its end people are told of a model."""
_DAY_S = 86_400
_RECENT_S = 90 * _DAY_S
_SHOWN = 5
_NAMED: dict[Part, str] = {
    "teacher": "the teacher of {}",
    "student": "the student of {}",
    "contender": "a contender of {}",
    "trained model": "trained here by {}",
    "judge": "a judge of {}",
    "alias": "behind {}",
    "rollout": "the candidate of {}",
}
_KINDS: dict[Part, tuple[str, str]] = {
    "judge": ("eval", "evals"),
    "alias": ("alias", "aliases"),
    "rollout": ("rollout", "rollouts"),
}


def tell_of_shutdowns() -> None:
    """Ask the providers, then raise an alert for each model in use whose end has come near."""
    uses = models_in_use(now() - _RECENT_S)
    for rollout in Rollout.open_ones():
        uses.setdefault(rollout.candidate, []).append(Use("rollout", rollout.id))
    shutdown_dates.read(uses)
    one_by_one(uses.items(), lambda use: _tell(*use), name=lambda use: use[0], failed="the end of a model is not told")


def _tell(model: str, used_as: list[Use]) -> None:
    shutdown = shutdown_dates.shutdown_of(model)
    mark = _mark(shutdown) if shutdown else None
    if shutdown and mark:
        raise_once(_alert(model, shutdown, mark, used_as))


def _mark(shutdown: Shutdown) -> int | None:
    """The nearest mark that has come; None while there is more time than the first one."""
    left = shutdown.days_left(now())
    return min((mark for mark in MARKS if left <= mark), default=None)


def _alert(model: str, shutdown: Shutdown, mark: int, uses: list[Use]) -> Alert:
    return Alert.of(
        "model.shutdown_approaching",
        model,
        shutdown.date,
        mark,
        sentence=f"{model} {_when(shutdown)}. It is {_parts(uses)}.",
        lines=[*_remedies(uses), f"The date is from {shutdown.source}."],
    )


def _when(shutdown: Shutdown) -> str:
    left = shutdown.days_left(now())
    if left < 0:
        return f"has ended on {shutdown.date}"
    return f"ends on {shutdown.date}, {'today' if left == 0 else f'in {left} days' if left > 1 else 'tomorrow'}"


def _parts(uses: list[Use]) -> str:
    counted = Counter(use.part for use in uses)
    return ", and ".join(_NAMED[part].format(_several(part, count)) for part, count in counted.items())


def _several(part: Part, count: int) -> str:
    one, several = _KINDS.get(part, ("distillation", "distillations"))
    return f"{count} {several if count > 1 else one}"


def _remedies(uses: list[Use]) -> list[str]:
    """What to do about each use, the newest first, one line each."""
    lines = list(dict.fromkeys(_remedy(use) for use in uses))
    more = [f"And {len(lines) - _SHOWN} more like these."] if len(lines) > _SHOWN else []
    return [*lines[:_SHOWN], *more]


def _remedy(use: Use) -> str:
    match use.part:
        case "judge":
            return f"The eval {use.object_id} needs another judge: make an eval with one (POST /v1/evals)."
        case "contender":
            return f"The distillation {use.object_id} compares with it: leave it out of the next one."
        case "alias":
            return f"The alias {use.object_id} needs another model: PUT /v1/aliases/{use.object_id}."
        case "rollout":
            return f"The rollout {use.object_id} leads to it: POST /v1/rollouts/{use.object_id}/rollback ends it."
        case _:
            return _repeated(use)


def _repeated(use: Use) -> str:
    distillation = Distillation.find(use.object_id)
    if distillation is None:
        return f"The model {use.object_id} was not trained by a distillation: train and name another one."
    kept = (
        " The teacher's answers on the test rows are stored, so it need not be asked." if use.part == "teacher" else ""
    )
    return (
        f"To repeat '{distillation.name}' elsewhere, on the same test rows: "
        f'POST /v1/distillations/{distillation.id}/repeat {{"student": "…", "trainer": "…"}}.{kept}'
    )
