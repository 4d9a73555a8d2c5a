"""Distillations: start one, look at it, approve or cancel it. The status is `distilling`'s alone to change.

Bad input is refused here, naming the field, before anything is created: an unknown eval or model, a filter that selects
nothing, a student that the provider does not have.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api import retried
from completions import index
from completions.completion import Metadata
from completions.sources import StoredCompletions
from distillations.distillation import TERMINAL, Distillation, Source, Step
from distillations.gate import Gate
from distillations.trainers import TrainerName
from evals.eval import Eval
from evals.files import File
from foundation import bus, http
from foundation.bounds import Name
from foundation.document import Body
from foundation.errors import ApiError, Conflict
from foundation.events import AdvanceDistillation
from foundation.ids import now
from foundation.routes import PAGE, Routes
from providers.required_model import require_model

router = Routes("Distillations")
_UNKNOWN = {404: "The eval, the student or the file of the test rows does not exist."}


class NewDistillation(Body):
    """What a caller sends."""

    name: str = Field(min_length=1, max_length=128)
    eval_id: str
    test: Source
    train: Source
    teacher: Name = Field(min_length=1)
    student: Name = Field(min_length=1)
    trainer: TrainerName = "default"
    hyperparameters: dict[str, Any] = Field(default_factory=dict)
    gate: Gate = Gate()
    seed: int = Field(default=42, ge=0, lt=1 << 31)
    metadata: Metadata | None = None


@router.post("/v1/distillations", scope="write", status=201, answer=Distillation, errors=_UNKNOWN)
def create_distillation(asked: NewDistillation) -> dict[str, Any]:
    """Start a distillation: measure, assemble, train, measure again, decide.

    What could not run is refused before anything is made. The test rows are frozen as of this request.
    """
    distillation_id, at = retried.object_id(router, "distill_"), now()
    asked.test, asked.train = _fixed(asked.test, at), _fixed(asked.train, at)
    _check(asked)
    distillation = Distillation(
        id=distillation_id,
        created_at=at,
        history=[Step(status="queued", at=at)],
        **asked.model_dump(),
    )
    if not distillation.create():
        distillation = Distillation.load(distillation.id)
    _advance(distillation)
    return distillation.public()


@router.get("/v1/distillations/<distillation_id>", scope="read", answer=Distillation)
def retrieve_distillation(distillation_id: str) -> dict[str, Any]:
    """Retrieve a distillation: where it stands, and in the end its verdict."""
    return Distillation.load(distillation_id, param="distillation_id").public()


@router.get("/v1/distillations", scope="read", lists=Distillation, query=PAGE)
def list_distillations() -> dict[str, Any]:
    """List distillations, the newest first."""
    return http.list_of(router, Distillation, Distillation.public, order="desc")


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


def _asked(distillation: Distillation) -> dict[str, Any]:
    _advance(distillation)
    return Distillation.load(distillation.id).public()


def _advance(distillation: Distillation) -> None:
    message = AdvanceDistillation(distillation_id=distillation.id)
    bus.send(message)


def _fixed(source: Source, at: int) -> Source:
    """A filter without a moving end: what is captured later is not part of this distillation."""
    if isinstance(source, StoredCompletions):
        return source.model_copy(update={"created_before": min(source.created_before or at, at)})
    return source


def _check(asked: NewDistillation) -> None:
    Eval.load(asked.eval_id, param="eval_id")
    require_model(asked.student, param="student")
    if not isinstance(asked.train, StoredCompletions):
        raise ApiError("train must be a filter on stored completions.", code="unsupported_source", param="train")
    _check_source(asked.test, param="test")
    if asked.train.model not in {None, asked.teacher}:
        raise ApiError(
            f"train is answered by the teacher: its model must be '{asked.teacher}' or absent.",
            code="invalid_value",
            param="train.model",
        )
    answered = asked.train.model_copy(update={"model": asked.teacher})
    _check_source(answered, param="train", by=f" answered by the teacher '{asked.teacher}'")


def _check_source(source: Source, *, param: str, by: str = "") -> None:
    if not isinstance(source, StoredCompletions):
        File.load(source.id, param=f"{param}.id")
    elif next(index.completions(source, limit=1), None) is None:
        raise ApiError(f"The filter in '{param}' selects no stored completion{by}.", code="no_rows", param=param)
