"""The attempts of a distillation: the trainings that it asks for side by side, and what became of each.

In: several students, or several sets of hyperparameters; every student is trained with every set. Out: the orders, at
most eight, each another one; and an `Attempt` for each model that comes of them. The attempt that does best on the
validation split goes to the eval, so the test rows are asked of one model alone, and the claim about it stays honest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationError, ValidationInfo, WrapValidator
from pydantic_core import InitErrorDetails, PydanticCustomError

from distillations.model_score import ModelScore
from distillations.trainers import Hyperparameters, as_declared
from foundation.bounds import CutName, CutText, Name
from foundation.document import Document
from foundation.ids import derived_id

MOST = 8
"""The most trainings of one distillation."""
MOST_CHECKPOINTS = 4
"""The most early checkpoints of a training that are measured: the latest of them."""
_AUTO = "auto"

type Checkpoints = Literal["last", "best"]
"""Which model of a training goes on: the one at its end, or the best of those that its trainer kept."""


class Order(NamedTuple):
    """One training that is asked for."""

    student: str
    hyperparameters: dict[str, Any]


class Attempt(Document):
    """One model of a distillation: how it is trained, and what it came to on the validation rows."""

    student: CutName
    """The model that is trained."""
    hyperparameters: dict[str, Any]
    """What its trainer was asked for beside the files."""
    job_id: str
    step: int | None = None
    """After which step of its training the model was kept; null for the model at its end."""
    model: CutText | None = None
    """The trained model; null until it answers, and where there is none."""
    run_id: str | None = None
    """Its run over the validation rows; null where nothing had to be chosen."""
    score: ModelScore | None = None
    """On the validation rows that all attempts graded; null until then, and where nothing had to be chosen."""
    cost_usd: float | None = None
    """What its training has cost; null where nobody knows. A checkpoint has the cost of its whole training."""
    error: CutText | None = None
    """Why there is no model, or no score."""
    chosen: bool = False
    """Whether this is the model that goes to the eval."""


def orders_of(students: Sequence[str], hyperparameters: dict[str, Any] | list[dict[str, Any]]) -> list[Order]:
    """Every student with every set of hyperparameters, in the order in which they were named."""
    several = hyperparameters if isinstance(hyperparameters, list) else [hyperparameters]
    return [Order(student, chosen) for student in students for chosen in several]


def most_models(orders: int, checkpoints: Checkpoints) -> int:
    """How many models may come of so many trainings; 0 where one comes, and nothing has to be chosen."""
    if checkpoints == "best":
        return orders * (1 + MOST_CHECKPOINTS)
    return orders if orders > 1 else 0


def job_id_of(dataset_id: str, number: int) -> str:
    """The id of the job of an order, counted from 0: it follows from the dataset."""
    return derived_id("ftjob-", dataset_id, *([str(number)] if number else []))


def _named_once(students: list[str]) -> list[str]:
    for number, student in enumerate(students):
        if student in students[:number]:
            raise _at(number, PydanticCustomError("duplicate", "it is named twice"))
    return students


def _how_many(given: Any) -> str:
    return "several" if isinstance(given, list) else "one"


type _Student = Annotated[Name, Field(min_length=1)]
type _SeveralStudents = Annotated[
    list[_Student], Field(min_length=1, max_length=MOST), AfterValidator(_named_once), Tag("several")
]
type Students = Annotated[Annotated[_Student, Tag("one")] | _SeveralStudents, Discriminator(_how_many)]
"""The model to train, or several that are trained side by side."""


def _one_or_several(given: Any, _: Any, about: ValidationInfo) -> Any:
    """Check each set by what the named trainer declares, and that no training is asked for twice or is one too many."""
    if not isinstance(given, list):
        return as_declared(given, None, about)
    students = about.data.get("student")
    most = MOST // len(students) if isinstance(students, list) else MOST
    if not given:
        raise ValueError("name at least one set, or leave it out")
    if len(given) > most:
        raise ValueError(
            f"every student is trained with every set, and at most {MOST} trainings are made: name {most} or fewer"
        )
    checked: list[Any] = []
    for number, one in enumerate(given):
        try:
            checked.append(as_declared(one, None, about))
        except ValidationError as error:
            raise _below(number, error) from error
        if _meant(checked[-1]) in map(_meant, checked[:-1]):
            raise _at(number, PydanticCustomError("duplicate", "it is the same training as one before it"))
    return checked


def _meant(hyperparameters: Any) -> dict[str, Any]:
    """What was chosen: to leave a choice to the trainer is the same whether it is said or not."""
    return {name: value for name, value in hyperparameters.given().items() if value != _AUTO}


def _at(number: int, error: PydanticCustomError) -> ValidationError:
    return ValidationError.from_exception_data("attempts", [InitErrorDetails(type=error, loc=(number,), input=None)])


def _below(number: int, error: ValidationError) -> ValidationError:
    """The same findings, in the set of this number."""
    findings = [
        InitErrorDetails(
            type=PydanticCustomError(finding["type"], "{message}", {"message": finding["msg"]}),
            loc=(number, *finding["loc"]),
            input=None,
        )
        for finding in error.errors(include_url=False, include_input=False)
    ]
    return ValidationError.from_exception_data(error.title, findings)


type SweptHyperparameters = Annotated[Hyperparameters | list[Hyperparameters], WrapValidator(_one_or_several)]
"""What is asked of the trainer, or several sets of it that are tried side by side."""
