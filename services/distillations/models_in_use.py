"""Which models somebody relies on, and as what.

In use are the teacher, the student and the contenders of every distillation that is open or was begun within some
time, every trained model that is not retired, the judges of every eval, and what aliases point at. Of models that were
kept during a training only those are that were chosen.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import takewhile
from typing import Literal, NamedTuple

from aliases.alias import every_alias
from distillations.distillation import Distillation
from evals.eval import Eval
from providers.model_version import ModelVersion

type Part = Literal["teacher", "student", "contender", "trained model", "judge", "alias", "rollout"]


class Use(NamedTuple):
    """As what a model is used, and by which object: a distillation, an eval, or the model itself."""

    part: Part
    object_id: str


def models_in_use(since: int) -> dict[str, list[Use]]:
    """The uses of each model. Distillations that have ended count from `since`, in seconds since the epoch."""
    uses: dict[str, list[Use]] = defaultdict(list)
    young = takewhile(lambda begun: begun.created_at >= since, Distillation.every(descending=True))
    distillations = {distillation.id: distillation for distillation in (*young, *Distillation.open_ones())}
    for distillation in distillations.values():
        uses[distillation.teacher].append(Use("teacher", distillation.id))
        for student in distillation.students or [distillation.student]:
            uses[student].append(Use("student", distillation.id))
        for contender in distillation.contenders:
            uses[contender].append(Use("contender", distillation.id))
    for version in ModelVersion.every():
        if version.retired_at is None and (version.step is None or _was_chosen(version)):
            uses[version.id].append(Use("trained model", version.distillation_id or version.id))
    for eval_ in Eval.every():
        for judge in {model for criterion in eval_.testing_criteria for _, model in criterion.models()}:
            uses[judge].append(Use("judge", eval_.id))
    for alias in every_alias():
        for model in alias.routing.models:
            uses[model].append(Use("alias", alias.id))
    return dict(uses)


def _was_chosen(version: ModelVersion) -> bool:
    """Whether a model that was kept during a training is the one that its distillation went on with."""
    distillation = Distillation.find(version.distillation_id) if version.distillation_id else None
    return distillation is not None and distillation.model == version.id
