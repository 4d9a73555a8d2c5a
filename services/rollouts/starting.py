"""Begin a rollout: one open one an alias.

In: what is asked for, already checked for its own shape. Out: the rollout, running. What cannot work is refused before
anything is written, naming the field. Begun twice with one id, it is begun once.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, NamedTuple

from aliases import changing
from aliases.alias import MOST_TARGETS, Alias
from aliases.rolling_out import OPEN_ROLLOUTS
from completions import index
from completions.filters import Filter
from completions.scan import Scan
from distillations.verdict import Verdict
from evals.eval import Eval
from foundation import table
from foundation.errors import ApiError, Conflict, RetryLater
from foundation.ids import now
from providers.model_version import ModelVersion
from providers.prices import is_priced
from providers.required_model import require_model
from rollouts.gates import Gates
from rollouts.judging import alpha_of
from rollouts.moving import finish, step_of
from rollouts.online_eval import online_eval
from rollouts.rollout import Rollout, Window
from rollouts.weights import has_place, stable_of, with_cascade
from stats.quantile import nearest_rank

_ROUNDS = 5
_BEGINNING_S = 120
"""Longer than a call of the API takes: whoever holds the place of an alias without a rollout was killed."""
_NEWEST = 400
_TIMES_P95 = 1.5
_FEWEST = 20
"""Of fewer answers the 95th percentile is their slowest: a candidate would go back for one quick answer."""


class Wanted(NamedTuple):
    """What is asked for. `eval_param` is the field that named the eval, `settings` what is taken as it is."""

    alias: str
    candidate: str
    eval_id: str
    eval_param: str
    verdict: Verdict | None
    gates: Gates
    stages: list[int]
    by: str
    settings: dict[str, Any]


def begin(rollout_id: str, wanted: Wanted) -> Rollout:
    """Begin it, or return the one that was begun with this id."""
    known = Rollout.find(rollout_id)
    if known is None:
        alias = changing.load(wanted.alias)
        _refuse_open(Rollout.open_of(alias.id))
        stable = _stable(alias)
        _refuse_candidate(alias, stable, wanted.candidate)
        _refuse_cascade(alias, stable, wanted.candidate)
        eval_ = Eval.load(wanted.eval_id, param=wanted.eval_param)
        graded_by, left_out = online_eval(rollout_id, eval_, param=wanted.eval_param)
        judges = [model for criterion in graded_by.testing_criteria for _, model in criterion.models()]
        _refuse_unpriced([wanted.candidate, stable, *judges])
        at = now()
        rollout = Rollout(
            id=rollout_id,
            created_at=at,
            alias=alias.id,
            alias_version=alias.version,
            before=alias.routing,
            stable=stable,
            candidate=wanted.candidate,
            verdict_id=wanted.verdict.id if wanted.verdict else None,
            distillation_id=wanted.verdict.distillation_id if wanted.verdict else None,
            eval_id=eval_.id,
            online_eval_id=graded_by.id,
            left_out=left_out,
            gates=_with_latency(wanted.gates, alias.id, stable),
            stages=wanted.stages,
            by=wanted.by,
            stage_since=at,
            windows=[Window(stage=0, since=at, alpha=alpha_of(1, wanted.gates))],
            **wanted.settings,
        )
        _refuse_full(alias, rollout)
        rollout.move = step_of(rollout, "started", "It has begun.", by=wanted.by)
        take_place(rollout)
        graded_by.create()
        rollout.create()
        known = Rollout.load(rollout_id)
    return finish(known) or Rollout.load(rollout_id)


def _stable(alias: Alias) -> str:
    """The model that answers now."""
    stable = stable_of(alias.routing)
    if stable is None:
        raise ApiError(
            f"Invalid 'alias': several targets of '{alias.id}' without a 'when' have a weight. Leave the weight to one "
            f"of them, the model that answers now: PUT /v1/aliases/{alias.id}.",
            code="invalid_value",
            param="alias",
        )
    return stable


def _refuse_candidate(alias: Alias, stable: str, candidate: str) -> None:
    """Raises ApiError where the candidate answers already, is an alias, or cannot answer."""
    wrong = None
    if candidate == stable:
        wrong = f"'{candidate}' answers for '{alias.id}' already. Name another model."
    elif Alias.find(candidate):
        wrong = f"'{candidate}' is an alias, and an alias points at models. Name the model."
    version = ModelVersion.find(candidate)
    if version and version.retired_at is not None:
        wrong = f"the model '{candidate}' is retired: it answers no more. Name another one."
    if wrong:
        raise ApiError(f"Invalid 'candidate': {wrong}", code="invalid_value", param="candidate")
    require_model(candidate, param="candidate")


def _refuse_cascade(alias: Alias, stable: str, candidate: str) -> None:
    """Raises ApiError where a third model would answer for one of the two."""
    model = with_cascade(alias.routing, stable, candidate)
    if model:
        raise ApiError(
            f"Invalid 'alias': the target '{model}' of '{alias.id}' has a cascade, and a rollout compares two models. "
            f"Take the cascade out for its time: PUT /v1/aliases/{alias.id}.",
            code="invalid_value",
            param="alias",
        )


def _refuse_full(alias: Alias, rollout: Rollout) -> None:
    """Raises ApiError where the alias has no place for the candidate beside its other targets."""
    if not has_place(alias.routing, rollout):
        raise ApiError(
            f"Invalid 'alias': '{alias.id}' has {len(alias.targets)} targets, and with the candidate it would have "
            f"more than {MOST_TARGETS}. Take one out: PUT /v1/aliases/{alias.id}.",
            code="invalid_value",
            param="alias",
        )


def _refuse_unpriced(models: list[str]) -> None:
    """Raises ApiError where the budget could not be held."""
    model = next((model for model in models if not is_priced(model)), None)
    if model:
        raise ApiError(
            f"Invalid 'max_usd': the model '{model}' has no known price, so the budget cannot be held. Add its price "
            "to the stack's parameter Prices, or to its provider.",
            code="no_price",
            param="max_usd",
        )


def _with_latency(gates: Gates, alias: str, stable: str) -> Gates:
    """The gates, with the default limit of the latency where none was given."""
    if "max_latency_p95_ms" in gates.model_fields_set:
        return gates
    newest = islice(index.captured(Filter(alias=alias), scan=Scan(seconds=5.0), descending=True), _NEWEST)
    answers = (reference for reference in newest if stable in reference.models and not reference.failed)
    latencies = sorted(reference.latency_ms for reference in answers if reference.latency_ms is not None)
    limit = round(_TIMES_P95 * nearest_rank(latencies, 0.95)) if len(latencies) >= _FEWEST else None
    return gates.model_copy(update={"max_latency_p95_ms": max(1, limit) if limit is not None else None})


def take_place(rollout: Rollout) -> None:
    """Take the place of the alias's open rollout. Raises Conflict where another one has it."""
    row: table.Row = {"pk": OPEN_ROLLOUTS, "sk": rollout.alias, "rollout_id": rollout.id, "at": now()}
    for _ in range(_ROUNDS):
        if table.put_new(row):
            return
        holder = table.get(OPEN_ROLLOUTS, rollout.alias)
        if holder is None:
            continue
        if holder["rollout_id"] == rollout.id:
            return
        _refuse_holder(rollout.alias, holder)
        taken = {"rollout_id": rollout.id, "at": now()}
        if table.update(OPEN_ROLLOUTS, rollout.alias, taken, where={"rollout_id": holder["rollout_id"]}):
            return
    raise RetryLater(f"many rollouts of {rollout.alias} are begun at once")


def _refuse_holder(alias: str, holder: table.Row) -> None:
    if not holder["rollout_id"]:
        return
    other = Rollout.find(holder["rollout_id"])
    if other is None and now() - holder["at"] < _BEGINNING_S:
        raise RetryLater(f"another rollout of {alias} is being begun")
    _refuse_open(other)


def _refuse_open(other: Rollout | None) -> None:
    if other and not other.is_open and not other.is_settled:
        raise RetryLater(f"the rollout {other.id} of {other.alias} is about to end")
    if other and other.is_open:
        raise Conflict(
            f"The rollout {other.id} of '{other.alias}' is {other.status}: an alias has one at a time. End it first: "
            f"POST /v1/rollouts/{other.id}/rollback",
            code="rollout_open",
            param="alias",
        )
