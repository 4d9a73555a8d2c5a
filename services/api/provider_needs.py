"""Who needs a provider: it must not be removed while a run, a distillation or a trained model is asked there."""

from __future__ import annotations

from collections.abc import Iterator

from aliases.alias import every_alias
from distillations.distillation import Distillation
from distillations.job import Job
from distillations.trainers import provider_of
from evals.eval import Eval
from evals.run import OPEN_RUNS, Run
from foundation import table
from foundation.errors import Conflict
from providers import registry
from providers.model_version import ModelVersion
from providers.pins import pins_of
from providers.provider import ProviderRefused
from providers.routing import Providers
from rollouts.rollout import Rollout

_NAMED = 5


def refuse_while_needed(name: str) -> None:
    """Raises Conflict naming what needs the provider, and what to do first."""
    served = registry.providers()
    needed_by = [
        *_runs(name, served),
        *_distillations(name, served),
        *_jobs(name),
        *_models(name),
        *_aliases(name, served),
        *_rollouts(name, served),
    ]
    if needed_by:
        more = f" and {len(needed_by) - _NAMED} more" if len(needed_by) > _NAMED else ""
        raise Conflict(
            f"The provider '{name}' is needed by {', '.join(needed_by[:_NAMED])}{more}. Let what is open end, "
            "or cancel it, retire the models and point the aliases elsewhere; then remove it.",
            code="provider_needed",
            param="name",
        )


def _runs(name: str, served: Providers) -> Iterator[str]:
    for entry in table.query(OPEN_RUNS):
        run = Run.find(entry["sk"])
        if run and not run.ended and name in _providers_of(run, served):
            yield f"the run {run.id}"


def _providers_of(run: Run, served: Providers) -> set[str]:
    """The providers that a run asks: those of its pins, or before it is planned those that it would be pinned to."""
    return {pin.provider for pin in (run.pins or pins_of(_asked(run), served)).values()}


def _asked(run: Run) -> Iterator[str]:
    """The models that a run asks: its own, and those of its judges."""
    if run.model:
        yield run.model
    yield from _judges(run.eval_id)


def _judges(eval_id: str) -> Iterator[str]:
    eval_ = Eval.find(eval_id)
    for criterion in eval_.testing_criteria if eval_ else ():
        yield from (model for _, model in criterion.models())


def _distillations(name: str, served: Providers) -> Iterator[str]:
    for distillation in Distillation.open_ones():
        # Between its runs none is open, and the last one asks the judges, too.
        asked = (
            distillation.teacher,
            *(distillation.students or [distillation.student]),
            *distillation.contenders,
            *_judges(distillation.eval_id),
        )
        trains_there = provider_of(distillation.trainer)
        if any(_is_at(model, name, served) for model in asked) or (trains_there and trains_there.name == name):
            yield f"the distillation {distillation.id}"


def _jobs(name: str) -> Iterator[str]:
    """Open jobs in the provider's account: without it nobody could follow or cancel them, and they cost on."""
    for job in Job.every(descending=True):
        trains_there = None if job.ended else provider_of(job.trainer)
        if trains_there and trains_there.name == name:
            yield f"the fine-tuning job {job.id}"


def _models(name: str) -> Iterator[str]:
    for row in table.query(ModelVersion.KIND):
        version = ModelVersion.from_row(row)
        if version.provider == name and version.retired_at is None:
            yield f"the model {version.id}"


def _aliases(name: str, served: Providers) -> Iterator[str]:
    for alias in every_alias():
        if any(_is_at(model, name, served) for model in alias.routing.models):
            yield f"the alias {alias.id}"


def _rollouts(name: str, served: Providers) -> Iterator[str]:
    for rollout in Rollout.open_ones():
        asked = (rollout.candidate, rollout.stable, *_judges(rollout.online_eval_id))
        if any(_is_at(model, name, served) for model in asked):
            yield f"the rollout {rollout.id}"


def _is_at(model: str, name: str, served: Providers) -> bool:
    try:
        return served.resolve(model).name == name
    except ProviderRefused:
        return False
