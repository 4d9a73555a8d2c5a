"""The seam of trainers: what every trainer does, and how it fails.

A trainer's module has `make_trainer()`, and what that returns the calls of `Trainer`. A refusal that asking again will
not change raises `TrainerRefused`; whatever may pass raises `TrainerAway`, and a state that the trainer's table of
states lacks `UnknownState`. Every other exception is a fault of ours and stays one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol, runtime_checkable

from annotated_types import Ge, Lt, MaxLen
from pydantic.dataclasses import dataclass as checked

from distillations.dataset import DatasetCard
from distillations.formats import Method
from distillations.job import Checkpoint, Estimate, JobFailure, JobStatus
from foundation.errors import StillhouseError
from providers.model_version import ModelVersion
from tuning.trainers.training_file import TrainingFile

_MOST = 1 << 53

type _Name = Annotated[str, MaxLen(2048)]
type _Count = Annotated[int, Ge(0), Lt(_MOST)]


class TrainerRefused(StillhouseError):
    """The trainer refuses what it was asked: `code` and the message are its own.

    `status` is that of its HTTP answer, `param` the field of the job that is wrong.
    """

    def __init__(
        self, message: str, code: str = "refused", *, status: int | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.param = param


class TrainerAway(StillhouseError):
    """The trainer is busy or out of reach: ask again later. `code` is that of the job that it stays away from."""

    code = "trainer_away"


class UnknownState(TrainerAway):
    """The trainer answers with a state that its module does not know: the job is waited for, and somebody must look.

    `job_id` is the trainer's id of the job, where it is a job that has the state: it is there, and may cost.
    """

    code = "unknown_state"

    def __init__(self, message: str, *, job_id: str = "") -> None:
        super().__init__(message)
        self.job_id = job_id


def state_of[State](states: Mapping[str, State], theirs: str, what: str, *, job_id: str = "") -> State:
    """Our name for a trainer's state of `what`; of a job `job_id` is its id there.

    Raises UnknownState where the trainer's table lacks the state.
    """
    if theirs not in states:
        raise UnknownState(f"{what} has the state '{theirs}', which is not known here", job_id=job_id)
    return states[theirs]


@dataclass(frozen=True)
class Problem:
    """Something that the trainer would not take: a line of a file, a hyperparameter, the base model.

    `param` is the field of the order: `train`, `validation`, `hyperparameters.<name>`, `model`. `line` counts from 1.
    """

    param: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        place = self.param if self.line is None else f"{self.param}, line {self.line}"
        return f"{place}: {self.message}"


@dataclass(frozen=True)
class Training:
    """The order for a job. `intent` is the id by which `find` finds the job again after a crash.

    The files are JSONL of examples in OpenAI's shape, supervised ones or pairs as `method` says; there may be none to
    validate on. `suffix` is a
    short name for people that goes into the name of the model. `card` is that of the dataset, where it has one.
    """

    intent: str
    model: str
    train: TrainingFile
    validation: TrainingFile | None
    hyperparameters: dict[str, Any]
    seed: int
    suffix: str
    card: DatasetCard | None = None
    method: Method = "supervised"

    @property
    def files(self) -> dict[str, TrainingFile]:
        """The files by the name of their split."""
        files = {"train": self.train}
        return {**files, "validation": self.validation} if self.validation else files


@checked(frozen=True)
class TrainerEvent:
    """What a trainer tells of a job. It is checked, since other systems say it.

    `metrics` are the figures of a step, among them `step` itself. `id` is the trainer's own or follows from what the
    event says: it tells a repeated event from a new one.
    """

    id: str
    created_at: _Count
    message: str
    level: str = "info"
    metrics: Mapping[str, float] = field(default_factory=dict)


@checked(frozen=True)
class ProviderJob:
    """A trainer's job, with its provider's state mapped to ours. Times are seconds since the epoch.

    It is checked, since other systems say it: what is of another type or far too long raises ValidationError.

    `succeeded` means that the training is done. `fine_tuned_model` is what it made: the name by which the model
    answers at `provider` (a name of the providers' registry, empty for the default one), or where it must be deployed
    first, what `deploy` takes. `progress` goes from 0 to 1, `estimated_finish` is when the training should be done.
    `to_do` is what a person must do before the job goes on.
    """

    id: _Name
    status: JobStatus
    fine_tuned_model: _Name | None = None
    provider: str = ""
    trained_tokens: _Count | None = None
    cost_usd: float | None = None
    finished_at: _Count | None = None
    error: JobFailure | None = None
    progress: float | None = None
    estimated_finish: _Count | None = None
    to_do: str | None = None
    events: tuple[TrainerEvent, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()


@dataclass(frozen=True)
class Trained:
    """A model that was trained and may not answer yet: `artifact` is what `look` named as `fine_tuned_model`."""

    intent: str
    base: str
    artifact: str


@dataclass(frozen=True)
class Deployment:
    """Where a trained model answers, or will: `served_as` is its name at `provider`, a name of the registry.

    `ready` tells whether it takes calls. `error` says why it never will.
    """

    served_as: str
    provider: str = ""
    ready: bool = False
    error: JobFailure | None = None


class Trainer(Protocol):
    """A service that fine-tunes models."""

    @property
    def deploys(self) -> bool:
        """Whether a model answers only after `deploy`. Where it does not, `deploy` returns None."""
        ...

    def check(self, training: Training) -> list[Problem]:
        """What the trainer would refuse, as far as that is known without asking it; the first of it where it is much.

        Reads the files line by line.
        """
        ...

    def estimate(self, training: Training) -> Estimate:
        """What the training will cost and how long it takes, as far as that is known."""
        ...

    def find(self, intent: str) -> ProviderJob | None:
        """The job that was started with this intent; None where none was."""
        ...

    def start(self, training: Training) -> ProviderJob:
        """Start a job. Called only where `find` knows no job of the intent: a second start is a second bill."""
        ...

    def look(self, provider_job_id: str) -> ProviderJob:
        """The job as it stands now, with its latest events. A refusal with the status 404 means that there is none."""
        ...

    def deploy(self, trained: Trained) -> Deployment | None:
        """Have the model answer: start its deployment, or look at the one that was started for the same intent.

        It is called again until the deployment is ready, also after a crash in its middle: whatever costs carries a
        name that follows from the intent, and is looked up before it is made.
        """
        ...

    def cancel(self, provider_job_id: str) -> None:
        """Stop the job; `look` tells when it has ended."""
        ...

    def forget(self, intent: str) -> None:
        """Delete the files that `start` put at the trainer for this intent, also where it broke off."""
        ...

    def retire(self, model: ModelVersion) -> None:
        """Undo `deploy` and delete what the model costs at the trainer. What is gone already is no error.

        Of a deployment that broke off `served_as` may be empty: it is found by `job_id`, the intent.
        """
        ...


@runtime_checkable
class PausingTrainer(Trainer, Protocol):
    """A trainer that can pause a job; its entry in the registry says so. `look` tells when the job has the state."""

    def pause(self, provider_job_id: str) -> None:
        """Stop the job for a while. A job that is paused already is no error."""
        ...

    def resume(self, provider_job_id: str) -> None:
        """Go on with the job. A job that is not paused is no error."""
        ...
