"""The request that repeats a distillation elsewhere: the same frozen rows, the same training filter, the same teacher.

In: the earlier distillation, and what is to be otherwise. Out: the request for the new one. The stored answers of the
teacher on the frozen rows stand, so the teacher need not exist any more.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationError

from api.new_distillation import NewDistillation
from completions.completion import Metadata
from distillations.attempts import Checkpoints, Students
from distillations.contender import Contenders
from distillations.distillation import Distillation
from distillations.gate import Gate
from distillations.trainers import TrainerName
from foundation.document import Body
from foundation.errors import Conflict
from foundation.field_errors import field_error


class Repetition(Body):
    """What is to be otherwise. What is absent or null stays as it was."""

    name: str | None = Field(default=None, min_length=1, max_length=128)
    student: Students | None = None
    contenders: Contenders | None = None
    trainer: TrainerName | None = None
    hyperparameters: dict[str, Any] | list[dict[str, Any]] | None = None
    """For the trainer, or several sets of it; those of before go to the same trainer only."""
    checkpoints: Checkpoints | None = None
    gate: Gate | None = None
    seed: int | None = Field(default=None, ge=0, lt=1 << 31)
    metadata: Metadata | None = None


def request_of(asked: Repetition, earlier: Distillation) -> NewDistillation:
    """The request for the new distillation. Raises Conflict without frozen rows, ApiError on a wrong field."""
    if earlier.test_file_id is None:
        raise Conflict(
            f"The test rows of this distillation are not frozen; it is {earlier.status}. Repeat it once it has been "
            "measured, or start a new one.",
            code="not_frozen",
        )
    changes = asked.model_dump(exclude_none=True)
    kept = earlier.model_dump(include=set(NewDistillation.model_fields) - {"test"})
    kept["student"] = earlier.students or earlier.student
    if changes.get("trainer", earlier.trainer) != earlier.trainer:
        kept.pop("hyperparameters")
        kept.pop("checkpoints")
    document = {**kept, "test": {"type": "file_id", "id": earlier.test_file_id}, **changes}
    try:
        return NewDistillation.model_validate(document)
    except ValidationError as error:
        raise field_error(error, document, NewDistillation) from error
