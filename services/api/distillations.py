"""Distillations: start one, look at it, approve or cancel it. The status is `distilling`'s alone to change."""

from __future__ import annotations

from typing import Any

from api import retried
from api.judges import take_judges_of_steps
from api.new_distillation import NewDistillation, refuse_what_cannot_work
from api.preference import refuse_beta, refuse_pairs
from api.repetition import Repetition, request_of
from api.taught_by_alias import take_alias
from api.within_cap import refuse_over_cap
from distillations.distillation import TERMINAL, Distillation, Step
from distillations.trainers import TRAINERS, kind_of
from foundation import bus, http
from foundation.errors import Conflict
from foundation.events import AdvanceDistillation
from foundation.ids import now
from foundation.routes import PAGE, Routes
from providers import registry

router = Routes("Distillations")
_UNKNOWN = {404: "The eval, the student, the file of the test rows, or a teacher who has to be asked does not exist."}


@router.post("/v1/distillations", scope="write", status=201, answer=Distillation, errors=_UNKNOWN)
def create_distillation(asked: NewDistillation) -> dict[str, Any]:
    """Start a distillation: measure, assemble, train, measure again, decide.

    What cannot work is refused before anything is measured or paid for: unknown models, test rows that are trained on,
    too few examples, a budget without a price. The test rows are frozen as of this request.
    """
    distillation_id, at = retried.object_id(router, "distill_"), now()
    made = Distillation.find(distillation_id)
    if made:
        # An earlier attempt of this POST has made it: nothing that has changed since refuses it.
        return _sent(made)
    asked.end_filters(at)
    refuse_over_cap()
    asked.take_recipe()
    take_alias(asked)
    take_judges_of_steps(asked.used_recipe)
    _refuse_what_cannot_train(asked)
    refuse_what_cannot_work(asked)
    return _started(asked, distillation_id, at)


def _refuse_what_cannot_train(asked: NewDistillation) -> None:
    """Raises ApiError where the trainer does not train by the recipe's method, or a run gives no pairs."""
    recipe = asked.used_recipe
    refuse_pairs(recipe, asked.trainer)
    given = asked.given_hyperparameters
    for chosen in given if isinstance(given, list) else [given]:
        refuse_beta(recipe.method, chosen)


@router.get("/v1/distillations/<distillation_id>", scope="read", answer=Distillation)
def retrieve_distillation(distillation_id: str) -> dict[str, Any]:
    """Retrieve a distillation: where it stands, and in the end its verdict."""
    return Distillation.load(distillation_id, param="distillation_id").public()


@router.get("/v1/distillations", scope="read", lists=Distillation, query=PAGE)
def list_distillations() -> dict[str, Any]:
    """List distillations, the newest first."""
    return http.list_of(router, Distillation, Distillation.public, order="desc")


@router.post(
    "/v1/distillations/<distillation_id>/repeat",
    scope="write",
    status=201,
    answer=Distillation,
    errors={404: "The distillation, its eval, or a model does not exist.", 409: "Its test rows are not frozen yet."},
)
def repeat_distillation(distillation_id: str, asked: Repetition) -> dict[str, Any]:
    """Run the same loop again, elsewhere: another student or trainer on the same frozen rows and training filter.

    The teacher's answers on these rows stand, so a teacher that is retired meanwhile need not be asked.
    """
    repetition_id, at = retried.object_id(router, "distill_"), now()
    made = Distillation.find(repetition_id)
    if made:
        return _sent(made)
    request = request_of(asked, Distillation.load(distillation_id, param="distillation_id"))
    refuse_over_cap()
    _refuse_what_cannot_train(request)
    refuse_what_cannot_work(request, answered=True)
    return _started(request, repetition_id, at, repeats=distillation_id)


@router.post(
    "/v1/distillations/<distillation_id>/approve",
    scope="write",
    answer=Distillation,
    errors={409: "The distillation is not blocked."},
)
def approve_distillation(distillation_id: str) -> dict[str, Any]:
    """Go on with a distillation that the gate has blocked: training is paid for from here on."""
    distillation = Distillation.load(distillation_id, param="distillation_id")
    if not distillation.change({"approved_at": now()}, where={"status": "blocked"}):
        raise Conflict(
            f"Only a blocked distillation can be approved; this one is {distillation.status}.",
            code="not_blocked",
        )
    return _asked(distillation)


@router.post(
    "/v1/distillations/<distillation_id>/cancel",
    scope="write",
    answer=Distillation,
    errors={409: "The distillation is over."},
)
def cancel_distillation(distillation_id: str) -> dict[str, Any]:
    """Cancel a distillation, and its job at the trainer."""
    distillation = Distillation.load(distillation_id, param="distillation_id")
    if distillation.status in TERMINAL:
        raise Conflict(f"This distillation is over: {distillation.status}.", code="already_ended")
    distillation.change({"cancel_requested_at": now()})
    return _asked(distillation)


def _started(asked: NewDistillation, distillation_id: str, at: int, repeats: str | None = None) -> dict[str, Any]:
    distillation = Distillation(
        id=distillation_id,
        created_at=at,
        history=[Step(status="queued", at=at)],
        **asked.model_dump(exclude={"hyperparameters", "student"}),
        student=asked.students[0],
        students=asked.students if len(asked.students) > 1 else [],
        hyperparameters=asked.given_hyperparameters,
        trainer_kind=None if asked.trainer in TRAINERS else kind_of(asked.trainer),
        teacher_terms=registry.terms_of(asked.teacher),
        repeats=repeats,
    )
    if not distillation.create():
        distillation = Distillation.load(distillation.id)
    return _sent(distillation)


def _sent(distillation: Distillation) -> dict[str, Any]:
    _advance(distillation)
    return distillation.public()


def _asked(distillation: Distillation) -> dict[str, Any]:
    _advance(distillation)
    return Distillation.load(distillation.id).public()


def _advance(distillation: Distillation) -> None:
    message = AdvanceDistillation(distillation_id=distillation.id)
    bus.send(message)
