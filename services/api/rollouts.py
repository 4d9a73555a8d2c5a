"""Rollouts: move an alias from its model to another one in steps, as long as graded pairs of answers allow it.

A rollout asks the other of the two models the same requests that users asked, has both answers graded by the criteria
of an eval that need no reference, and moves on only while no gate says that the candidate is worse. It goes back by
itself.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from api import retried
from api.within_cap import refuse_over_cap
from distillations.distillation import Distillation
from distillations.verdict import Verdict
from evals.eval import Eval
from evals.run import Run, erase_objects
from foundation import bus, http
from foundation.bounds import Name, Text
from foundation.document import Body, Deleted
from foundation.errors import ApiError, Conflict
from foundation.rollout_messages import AdvanceRollout
from foundation.routes import PAGE, Query, Routes
from rollouts import starting, sums, taken, verbs, waiting
from rollouts.advancing import what_is_known
from rollouts.document import RolloutDocument, Summary, document, summary
from rollouts.gates import Gates
from rollouts.pairs import RolloutPair, pairs_behind
from rollouts.rollout import MOST_STAGES, Rollout
from rollouts.round import RolloutRound
from rollouts.starting import Wanted
from rollouts.sums import counted

router = Routes("Rollouts")
_STATUSES = ("running", "paused", "frozen", "rolled_back", "promoted", "failed", "canceled")
_QUERY = (
    *PAGE,
    Query("alias", "Only the rollouts of this alias."),
    Query("status", "Only those in this status.", {"type": "string", "enum": list(_STATUSES)}),
)
_PAIRS = (
    *(of_page for of_page in PAGE if of_page.name != "order"),
    Query("lost", "`true` for only those that the candidate lost.", {"type": "boolean"}),
)
_WHOLE = 100
type _Named = Annotated[Name, Field(min_length=1)]
type _Percent = Annotated[int, Field(ge=0, le=_WHOLE, strict=True)]
type _Minutes = Annotated[int, Field(ge=0, le=40_320, strict=True)]


class NewRollout(Body):
    """What is to be rolled out, by which eval, how fast, and within which limits."""

    alias: Name
    """The alias. One model must answer its calls without a `when`: the stable one."""
    candidate: _Named | None = None
    """The model that is to answer; absent where `verdict_id` names it."""
    eval_id: _Named | None = None
    """The eval whose criteria grade production; absent where `verdict_id` names it. Those that need a reference are
    left out."""
    verdict_id: _Named | None = None
    """A verdict: its distilled model is the candidate, and its eval grades."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Of the alias's captured completions, how many are asked of the other model, too, and graded."""
    max_usd: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
    """What the second answers and the judges may cost, in US dollars. It pauses where they have."""
    stages: Annotated[list[_Percent], Field(min_length=1, max_length=MOST_STAGES)] = Field(
        default_factory=lambda: [0, 1, 5, 25, 100]
    )
    """The candidate's share of the calls in percent, stage by stage, growing, the last 100. 0 is the shadow, in which
    no user gets its answers."""
    gates: Gates = Gates()
    min_pairs: Annotated[int, Field(ge=20, le=100_000, strict=True)] = 100
    """How many graded pairs a stage needs before it may end."""
    min_minutes: _Minutes = 60
    """How long a stage lasts at least."""
    no_data_minutes: Annotated[int, Field(ge=1, le=40_320, strict=True)] = 60
    """After how long without a graded pair it pauses."""

    @model_validator(mode="after")
    def _stages_grow_to_all(self) -> Self:
        if self.stages[-1] != _WHOLE or any(one >= other for one, other in pairwise(self.stages)):
            raise ValueError("stages are percentages that grow, and the last is 100, such as [0, 1, 5, 25, 100]")
        return self

    @model_validator(mode="after")
    def _names_what_grades(self) -> Self:
        if self.verdict_id is None and (self.candidate is None or self.eval_id is None):
            raise ValueError("give candidate and eval_id, or a verdict_id, which has both")
        return self


class Why(Body):
    """Why somebody does something."""

    why: Text | None = None
    """For those who read its steps."""


class Resumption(Why):
    """How it is to go on."""

    max_usd: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)] | None = None
    """What it may cost in all from now on; absent, what it might before."""


_UNFIT = {409: "The rollout is in no state for this.", 404: "There is no such rollout."}


@router.post(
    "/v1/rollouts",
    scope="write",
    status=201,
    answer=RolloutDocument,
    errors={
        404: "The alias, the candidate, the eval or the verdict does not exist.",
        409: "The alias has an open rollout.",
    },
)
def create_rollout(asked: NewRollout) -> RolloutDocument:
    """Begin a rollout.

    It goes from the shadow to all calls while the gates hold, tells of each step, and rolls back by itself. What
    cannot grade production is refused at once.
    """
    rollout_id = retried.object_id(router, "rollout_")
    if Rollout.find(rollout_id) is None:
        refuse_over_cap()
    rollout = starting.begin(rollout_id, _wanted(asked))
    return _advanced(rollout)


@router.get("/v1/rollouts", scope="read", lists=Summary, query=_QUERY)
def list_rollouts() -> dict[str, Any]:
    """List rollouts, the newest first."""
    alias, status = http.query_of(router, "alias"), http.query_of(router, "status")
    if status is not None and status not in _STATUSES:
        raise ApiError(f"Invalid 'status': use {', '.join(_STATUSES)}.", code="invalid_value", param="status")
    if alias is None and status is None:
        return http.list_of(router, Rollout, summary, order="desc")
    newest_first = http.descending(router, default="desc")
    every = Rollout.every(descending=newest_first)
    wanted = [one for one in every if alias in {None, one.alias} and status in {None, one.status}]
    return http.page_of(router, wanted, summary)


@router.get("/v1/rollouts/<rollout_id>", scope="read")
def retrieve_rollout(rollout_id: str) -> RolloutDocument:
    """Retrieve a rollout: how each gate stands and by what, what was counted, what it waits for."""
    return _shown(Rollout.load(rollout_id, param="rollout_id"))


@router.get("/v1/rollouts/<rollout_id>/pairs", scope="read", lists=RolloutPair, query=_PAIRS)
def list_pairs(rollout_id: str) -> dict[str, Any]:
    """List the pairs of a rollout, the newest first: what a user got, beside the other model's answer, both graded."""
    rollout = Rollout.load(rollout_id, param="rollout_id")
    lost = http.query_of(router, "lost")
    if lost not in {None, "true", "false"}:
        raise ApiError("Invalid 'lost': use true or false.", code="invalid_value", param="lost")
    pairs = pairs_behind(rollout, after=http.query_of(router, "after"), lost=lost == "true")
    return http.listed(pairs, http.limit_of(router))


@router.post("/v1/rollouts/<rollout_id>/freeze", scope="write", errors=_UNFIT)
def freeze_rollout(rollout_id: str, asked: Why) -> RolloutDocument:
    """Freeze a rollout: the shares stay as they are, nothing moves by itself, and no pairs are graded."""
    return _advanced(verbs.freeze(rollout_id, _said(asked)))


@router.post("/v1/rollouts/<rollout_id>/resume", scope="write", errors=_UNFIT)
def resume_rollout(rollout_id: str, asked: Resumption) -> RolloutDocument:
    """Let a frozen or paused rollout go on in its stage, which begins anew.

    Where somebody has changed the alias meanwhile, it goes on with that, if the models of the stage answer in it.
    """
    return _advanced(verbs.resume(rollout_id, _said(asked), asked.max_usd))


@router.post("/v1/rollouts/<rollout_id>/rollback", scope="write", errors=_UNFIT)
def roll_back_rollout(rollout_id: str, asked: Why) -> RolloutDocument:
    """Let the stable model take all calls again, at once; also after the candidate was promoted."""
    return _advanced(verbs.roll_back(rollout_id, _said(asked)))


@router.post("/v1/rollouts/<rollout_id>/cancel", scope="write", errors=_UNFIT)
def cancel_rollout(rollout_id: str, asked: Why) -> RolloutDocument:
    """End a rollout whose candidate has answered no user yet."""
    return _advanced(verbs.cancel(rollout_id, _said(asked)))


@router.delete("/v1/rollouts/<rollout_id>", scope="write", errors={**_UNFIT, 409: "The rollout is open."})
def delete_rollout(rollout_id: str) -> Deleted:
    """Delete a rollout that has ended, with its runs and all grades."""
    rollout = Rollout.load(rollout_id, param="rollout_id")
    if not rollout.is_settled:
        raise _not_at_its_end(rollout)
    # Round by round, so that a deletion that breaks off goes on where it was.
    for round_ in RolloutRound.every(rollout.id):
        runs = {begun.run_id: Run.find(begun.run_id) for begun in round_.runs}
        if any(run and (not run.ended or round_.tally is None) for run in runs.values()):
            # Whoever tallies a round books what it cost: of one that is deleted before, nobody would know.
            bus.send(AdvanceRollout(rollout_id=rollout.id))
            raise _not_at_its_end(rollout)
        for run_id, run in runs.items():
            if run:
                run.erase()
            else:
                erase_objects(run_id)
        round_.remove()
    sums.erase(rollout.id)
    taken.forget(rollout.id)
    waiting.forget(rollout.id)
    online = Eval.find(rollout.online_eval_id)
    if online:
        online.remove()
    rollout.remove()
    return Deleted(id=rollout.id, object="rollout.deleted")


def _not_at_its_end(rollout: Rollout) -> Conflict:
    return Conflict(
        f"The rollout {rollout.id} has not come to its end. End it first: POST /v1/rollouts/{rollout.id}/rollback; "
        "its runs are canceled within a minute.",
        code="rollout_open",
    )


def _wanted(asked: NewRollout) -> Wanted:
    verdict = Verdict.load(asked.verdict_id, param="verdict_id") if asked.verdict_id else None
    model = Distillation.load(verdict.distillation_id).model if verdict else None
    candidate, eval_id = asked.candidate or model, asked.eval_id or (verdict.eval_id if verdict else None)
    if candidate is None or eval_id is None:
        raise ApiError(
            "Invalid 'verdict_id': its distillation has no model. Name the 'candidate'.",
            code="invalid_value",
            param="verdict_id",
        )
    settings = asked.model_dump(include={"share", "max_usd", "min_pairs", "min_minutes", "no_data_minutes"})
    return Wanted(
        alias=asked.alias,
        candidate=candidate,
        eval_id=eval_id,
        eval_param="eval_id" if asked.eval_id else "verdict_id",
        verdict=verdict,
        gates=asked.gates,
        stages=asked.stages,
        by=router.context["key"].holder,
        settings=settings,
    )


def _said(asked: Why) -> verbs.Asked:
    return verbs.Asked(router.context["key"].holder, asked.why)


def _advanced(rollout: Rollout) -> RolloutDocument:
    """The rollout as it is shown, once whoever works on it knows of the change."""
    bus.send(AdvanceRollout(rollout_id=rollout.id, resend=True))
    return _shown(rollout)


def _shown(rollout: Rollout) -> RolloutDocument:
    found = counted(rollout.id)
    return document(rollout, found, what_is_known(rollout, found))
