"""What the alias of a rollout says in each stage.

In: the alias as it is, and the rollout. Out: its routing with the candidate's share of the calls without a `when`; the
targets with one, and all that has nothing to do with the two models, stay as they are. The alias's salt stays, so that
whoever is at the candidate stays there while its share grows.
"""

from __future__ import annotations

from aliases.alias import MOST_TARGETS, Routing, Target
from rollouts.rollout import Rollout

_ALL = 100


def stable_of(routing: Routing) -> str | None:
    """The one model that answers the calls without a `when`; None where several do."""
    answering = [target.model for target in routing.group_of({}) if target.weight and not target.when]
    return answering[0] if len(answering) == 1 else None


def is_answering(routing: Routing, model: str) -> bool:
    """Whether a model has a share of the calls without a `when`."""
    return any(target.model == model and target.weight and not target.when for target in routing.targets)


def has_both(routing: Routing, rollout: Rollout) -> bool:
    """Whether a rollout can go on in its stage by this routing: those of its models answer that do, and no others.

    A third one would keep its weight while the candidate's grows: at 100% it would still answer users.
    """
    answering = {target.model for target in routing.targets if target.weight and not target.when}
    wanted = {rollout.stable: rollout.percent < _ALL, rollout.candidate: rollout.percent > 0}
    return {model for model, answers in wanted.items() if answers} <= answering <= wanted.keys()


def with_cascade(routing: Routing, *models: str) -> str | None:
    """The first of these models whose unsure answers go on to another one, in calls without a `when`; None for none.

    Such a call is answered by neither of a rollout's two models, and would count as an error of its target.
    """
    own = (target for target in routing.targets if target.cascade and not target.when)
    return next((target.model for target in own if target.model in models), None)


def has_place(routing: Routing, rollout: Rollout) -> bool:
    """Whether the alias may have as many targets as it needs in every stage: both models, and those that stay."""
    both = any(0 < percent < _ALL for percent in rollout.stages)
    return len(_others(routing, rollout)) + (2 if both else 1) <= MOST_TARGETS


def in_stage(routing: Routing, rollout: Rollout) -> Routing:
    """The routing of the current stage. The stable model stands in where the candidate is away, unless another does.

    So no user is left without an answer, and a captured call shows that the candidate gave none.
    """
    percent = rollout.percent
    if percent == 0:
        return routing
    shares = {rollout.stable: _ALL - percent, rollout.candidate: percent}
    named = {target.model: target for target in routing.targets if not target.when}
    own = [
        named.get(model, Target(model=model)).model_copy(update={"weight": weight})
        for model, weight in shares.items()
        if weight
    ]
    fallback = next(name for name in (routing.fallback, rollout.stable) if name not in {None, rollout.candidate})
    return _with(routing, [*own, *_others(routing, rollout)], fallback)


def taken_back(routing: Routing, rollout: Rollout) -> Routing:
    """The routing in which the stable model takes the calls again as before, where the candidate has any of them."""
    if not is_answering(routing, rollout.candidate):
        return routing
    slices = [target for target in routing.targets if target.when]
    before = [target for target in rollout.before.targets if not target.when]
    if len(before) + len(slices) > MOST_TARGETS:
        # Somebody has added slices meanwhile: of the targets of before those go that answered nobody.
        before = [target for target in before if target.weight]
    fallback = routing.fallback if routing.fallback not in {rollout.stable, rollout.candidate} else None
    return _with(routing, [*before, *slices], fallback or rollout.before.fallback)


def _others(routing: Routing, rollout: Rollout) -> list[Target]:
    """The targets that have nothing to do with the two models."""
    return [
        target for target in routing.targets if target.when or target.model not in {rollout.stable, rollout.candidate}
    ]


def _with(routing: Routing, targets: list[Target], fallback: str | None) -> Routing:
    """A routing of its own: a copy would keep the groups that the other one has reckoned of its targets."""
    fields = {name: getattr(routing, name) for name in Routing.model_fields}
    return Routing.model_validate({**fields, "targets": targets, "fallback": fallback})
