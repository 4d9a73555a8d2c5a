"""The request for a fine-tuning job, OpenAI's with `trainer` and `max_cost_usd` beside, and what is wrong with it.

In: what a caller asks for. Out: nothing, or an ApiError naming the field and the remedy. The lines of the files are not
read here: the trainer checks them when the job starts, and what it would not take is the job's `error`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WrapValidator, model_validator

from api.preference import refuse_beta, refuse_method
from completions.completion import Metadata
from distillations import formats
from distillations.estimates import training_cost_usd
from distillations.trainers import Hyperparameters, TrainerName, entry_of
from evals.files import File
from foundation import blobs
from foundation.bounds import Name
from foundation.document import Body
from foundation.errors import ApiError
from providers.required_model import require_model

_PURPOSE = "fine-tune"
_DEFAULT = "default"


def _known(kind: Any) -> Any:
    if kind == "reinforcement":
        raise ValueError("no trainer here has the method 'reinforcement': use another, or ask the provider itself")
    return kind


def _none(integrations: list[Any] | None) -> list[Any] | None:
    if integrations:
        raise ValueError("there are none here; leave it out, and read the figures of each step in the job's events")
    return integrations


class Supervised(Body):
    """Training on examples of right answers."""

    hyperparameters: Hyperparameters | None = None
    """What the trainer takes, each `auto` or a value within its bounds."""


class Preference(Body):
    """Training on pairs of answers."""

    hyperparameters: Hyperparameters | None = None
    """What the trainer takes, each `auto` or a value within its bounds; `beta` among them."""


class Method(Body):
    """How to train, with the settings under the method's own name."""

    type: Annotated[Literal["supervised", "dpo"], BeforeValidator(_known)]
    supervised: Supervised | None = None
    dpo: Preference | None = None

    @model_validator(mode="after")
    def _has_its_own_settings(self) -> Self:
        other = "dpo" if self.type == "supervised" else "supervised"
        if getattr(self, other) is not None:
            raise ValueError(f"the settings of '{other}' are given, and the type is '{self.type}': give one of both")
        return self

    @property
    def given(self) -> Supervised | Preference | None:
        """The settings."""
        return self.supervised or self.dpo


def _for_trainer(given: Any, _: Any, about: ValidationInfo) -> Any:
    """Check the method's hyperparameters by what the trainer declares that stands beside it."""
    return None if given is None else Method.model_validate(given, context=about.data)


class NewJob(Body):
    """What a caller sends."""

    model: Name = Field(min_length=1)
    """The base to train, as the trainer knows it."""
    training_file: Name = Field(min_length=1)
    """The id of a file that was uploaded with the purpose `fine-tune`: JSONL, an example on each line."""
    validation_file: Annotated[Name, Field(min_length=1)] | None = None
    """Such a file again, whose examples are not trained on."""
    trainer: TrainerName = _DEFAULT
    """Who trains."""
    hyperparameters: Hyperparameters | None = None
    """OpenAI's older place for those of `method`."""
    method: Annotated[Method | None, WrapValidator(_for_trainer)] = None
    suffix: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")] | None = None
    """Goes into the name of the model."""
    seed: Annotated[int, Field(ge=0, lt=1 << 31)] | None = None
    """42 if absent."""
    integrations: Annotated[list[Any] | None, AfterValidator(_none)] = None
    """There are none here."""
    metadata: Metadata | None = None
    max_cost_usd: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """What the estimate of the training may come to, in US dollars: a higher one is refused."""

    def chosen_hyperparameters(self) -> dict[str, Any]:
        """What was chosen, in the one place or the other."""
        settings = self.method.given if self.method else None
        chosen = (settings.hyperparameters if settings else None) or self.hyperparameters
        return chosen.given() if chosen else {}

    @property
    def trains_by(self) -> formats.Method:
        """The method; supervised if none is named."""
        return self.method.type if self.method else "supervised"


def refuse_what_cannot_work(asked: NewJob) -> None:
    """Raises ApiError for the first thing that cannot work."""
    if asked.method and asked.method.given and asked.hyperparameters:
        raise ApiError(
            f"Invalid 'hyperparameters': those of 'method.{asked.method.type}' are given, too. Send one of both.",
            code="invalid_value",
            param="hyperparameters",
        )
    refuse_method(asked.trains_by, asked.trainer, param="method.type")
    refuse_beta(asked.trains_by, asked.chosen_hyperparameters())
    training = _file(asked.training_file, "training_file")
    if asked.validation_file is not None:
        _file(asked.validation_file, "validation_file")
    if asked.trainer == _DEFAULT:
        # What other trainers train may be served by nobody before: they say whether they know it.
        require_model(asked.model, param="model")
    if asked.max_cost_usd is not None:
        _refuse_cost(asked, asked.max_cost_usd, blobs.size(training.key))


def _file(file_id: str, param: str) -> File:
    file = File.load(file_id, param=param)
    if file.purpose != _PURPOSE:
        raise ApiError(
            f"Invalid '{param}': the file {file_id} has the purpose '{file.purpose}'. Upload it with the purpose "
            f"'{_PURPOSE}'.",
            code="invalid_file_purpose",
            param=param,
        )
    if not blobs.exists(file.key):
        raise ApiError(
            f"Invalid '{param}': the content of the file {file_id} has not come yet. PUT it to the link that POST "
            "/v1/files/presigned answered with.",
            code="file_not_ready",
            param=param,
        )
    return file


def _refuse_cost(asked: NewJob, limit: float, size: int) -> None:
    """Refuse what is estimated above the limit, or not at all: such a limit could never be checked."""
    epochs = entry_of(asked.trainer).hyperparameters.DEFAULT_EPOCHS
    cost = training_cost_usd(asked.model, size, asked.chosen_hyperparameters(), epochs)
    if cost is None:
        raise ApiError(
            f"Invalid 'max_cost_usd': no price is known for training '{asked.model}' with the trainer "
            f"'{asked.trainer}', so it could never be checked. Leave it out, or add the price to the stack's parameter "
            "Prices.",
            code="no_price",
            param="max_cost_usd",
        )
    if cost > limit:
        raise ApiError(
            f"The training is estimated at ${cost:.2f}, above max_cost_usd, ${limit:.2f}. Train on fewer examples or "
            "epochs, or raise it.",
            code="over_budget",
            param="max_cost_usd",
        )
