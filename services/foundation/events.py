"""The messages that cross the queues: one frozen pydantic model each, all with the same envelope.

A message that states a fact has a name in the past tense (`DistillationFailed`), one that asks for work has an
imperative (`PlanRun`). Consumers ignore fields that they do not know; a breaking change is a new class. Messages carry
ids and S3 keys instead of bodies. The exception is `RecordCompletions`: an S3 PUT for each pushed record would be most
of what a record costs. `parse` raises pydantic's ValidationError for a body that is none of these messages.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from foundation.alarms import AlarmStateChange
from foundation.capture_messages import RecordCompletions
from foundation.curve_messages import AdvanceLearningCurve
from foundation.drift_messages import LookForDrift
from foundation.job_messages import LookAtJob, PauseJob
from foundation.landed import ObjectsLanded, TestEvent
from foundation.message import BACK, Message, Postponable, ToTrainer
from foundation.notice_messages import AlertRaised, DeliverNotice
from foundation.rollout_messages import AdvanceRollout, LookAtRollouts, ObjectCreated


class PlanRun(Message):
    """Write down the rows of this run and send a `GradeChunk` for each chunk of them."""

    QUEUE: ClassVar[str] = "PLAN_QUEUE_URL"
    ABOUT: ClassVar[str] = "run_id"

    type: Literal["PlanRun"] = "PlanRun"
    run_id: str


class GradeChunk(Postponable):
    """Sample and grade one chunk of a run's rows: the `length` bytes of the S3 object `key` from `offset`.

    It is chunk number `chunk` of `chunks`; `first_row` is the number of its first row in the run.
    """

    QUEUE: ClassVar[str] = "GRADE_QUEUE_URL"
    ABOUT: ClassVar[str] = "run_id"

    type: Literal["GradeChunk"] = "GradeChunk"
    run_id: str
    chunk: int
    chunks: int
    first_row: int
    key: str
    offset: int
    length: int

    @property
    def place(self) -> tuple[str, str]:
        return self.run_id, f"{BACK}{self.chunk:06d}"


class SampleBatch(Postponable):
    """Sample the rows of these chunks through the provider's Batch API, then send the chunks to be graded.

    `since` is when the part was planned, `away_since` when the provider stopped answering (0 while it answers), and
    `full_since` when it first had no room for the batch (0 before), all in seconds since the epoch. `attempt` counts
    the batches that it refused for lack of room.
    """

    QUEUE: ClassVar[str] = "PLAN_QUEUE_URL"
    ABOUT: ClassVar[str] = "run_id"

    type: Literal["SampleBatch"] = "SampleBatch"
    run_id: str
    part: int
    model: str
    chunks: list[GradeChunk]
    since: int
    attempt: int = 0
    away_since: int = 0
    full_since: int = 0

    @property
    def place(self) -> tuple[str, str]:
        return self.run_id, f"{BACK}BATCH#{self.part:04d}"


class AdvanceDistillation(Message):
    """Something that this distillation waits for has changed: read its rows and take the steps that are due.

    `resend` asks to send again, too, what its status waits for: that message may be lost.
    """

    QUEUE: ClassVar[str] = "DISTILLING_QUEUE_URL"
    ABOUT: ClassVar[str] = "distillation_id"

    type: Literal["AdvanceDistillation"] = "AdvanceDistillation"
    distillation_id: str
    resend: bool = False


class AssembleDataset(Message):
    """Assemble the training set `dataset_id` of this distillation; of none (empty), as the set's record asks for."""

    QUEUE: ClassVar[str] = "ASSEMBLY_QUEUE_URL"
    ABOUT: ClassVar[str] = "distillation_id"

    type: Literal["AssembleDataset"] = "AssembleDataset"
    distillation_id: str
    dataset_id: str


class StepFailed(Message):
    """What this distillation waited for in its status `during` cannot be done; `code` and `message` say why."""

    QUEUE: ClassVar[str] = "DISTILLING_QUEUE_URL"
    ABOUT: ClassVar[str] = "distillation_id"

    type: Literal["StepFailed"] = "StepFailed"
    distillation_id: str
    during: str
    code: str
    message: str


class StartJob(Postponable):
    """Start a fine-tuning job: that of this dataset, which is assembled, or this one, of uploaded files.

    The dataset's card that lands in S3 asks for the same. Exactly one of the two is given.
    """

    QUEUE: ClassVar[str] = "TUNING_QUEUE_URL"
    ABOUT: ClassVar[str] = "dataset_id"

    type: Literal["StartJob"] = "StartJob"
    dataset_id: str | None = None
    job_id: str | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.dataset_id is None) == (self.job_id is None):
            raise ValueError("give either dataset_id or job_id")
        return self

    @property
    def place(self) -> tuple[str, str]:
        return self.dataset_id or self.job_id or "", f"{BACK}START"


class CancelJob(ToTrainer):
    """Stop this fine-tuning job, which somebody cancelled, or whose distillation was."""

    ABOUT: ClassVar[str] = "job_id"
    QUEUE: ClassVar[str] = "TUNING_QUEUE_URL"
    ASKS: ClassVar[str] = "CANCEL"

    type: Literal["CancelJob"] = "CancelJob"
    job_id: str


class RetireModel(ToTrainer):
    """Undo the deployment of a trained model, and delete what it costs at its trainer."""

    ABOUT: ClassVar[str] = "model_id"
    QUEUE: ClassVar[str] = "TUNING_QUEUE_URL"
    ASKS: ClassVar[str] = "RETIRE"

    type: Literal["RetireModel"] = "RetireModel"
    model_id: str


class DecideVerdict(Message):
    """The runs of teacher, baseline and distilled model are graded: compare them and decide the verdict."""

    QUEUE: ClassVar[str] = "VERDICT_QUEUE_URL"
    ABOUT: ClassVar[str] = "distillation_id"

    type: Literal["DecideVerdict"] = "DecideVerdict"
    distillation_id: str


class VerdictDecided(Message):
    """This distillation has its verdict: people are to be told of it."""

    QUEUE: ClassVar[str] = "NOTIFY_QUEUE_URL"
    ABOUT: ClassVar[str] = "distillation_id"

    type: Literal["VerdictDecided"] = "VerdictDecided"
    distillation_id: str


class DistillationBlocked(Message):
    """The gate stopped this distillation before it spent money; it waits for an approval."""

    QUEUE: ClassVar[str] = "NOTIFY_QUEUE_URL"
    ABOUT: ClassVar[str] = "distillation_id"

    type: Literal["DistillationBlocked"] = "DistillationBlocked"
    distillation_id: str


class DistillationFailed(Message):
    """This distillation ended without a verdict."""

    QUEUE: ClassVar[str] = "NOTIFY_QUEUE_URL"
    ABOUT: ClassVar[str] = "distillation_id"

    type: Literal["DistillationFailed"] = "DistillationFailed"
    distillation_id: str


class DeliverEvent(Message):
    """Tell every channel that asks for events of this type that one has happened to this object."""

    QUEUE: ClassVar[str] = "NOTIFY_QUEUE_URL"
    ABOUT: ClassVar[str] = "object_id"

    type: Literal["DeliverEvent"] = "DeliverEvent"
    event_type: str
    object_id: str


type Work = (
    RecordCompletions
    | PlanRun
    | SampleBatch
    | GradeChunk
    | AdvanceDistillation
    | AdvanceLearningCurve
    | AssembleDataset
    | LookForDrift
    | StepFailed
    | StartJob
    | CancelJob
    | PauseJob
    | LookAtJob
    | RetireModel
    | DecideVerdict
    | VerdictDecided
    | DistillationBlocked
    | DistillationFailed
    | AlertRaised
    | DeliverEvent
    | DeliverNotice
    | AdvanceRollout
    | LookAtRollouts
)
type Delivery = Work | ObjectsLanded | TestEvent | AlarmStateChange | ObjectCreated


@cache
def _work() -> TypeAdapter[Any]:
    return TypeAdapter(Annotated[Work, Field(discriminator="type")])


@cache
def _delivery() -> TypeAdapter[Any]:
    ours = Annotated[Work, Field(discriminator="type")]
    landed = ObjectsLanded | TestEvent | AlarmStateChange | ObjectCreated
    # What has our type is nothing of AWS's. Without the order each of those is tried too, which takes as long again.
    return TypeAdapter(Annotated[ours | landed, Field(union_mode="left_to_right")])


def parse(body: str) -> Delivery:
    """The message in the body of a queue's record. Raises ValidationError if it is none."""
    delivery: Delivery = _delivery().validate_json(body)
    return delivery


def parse_work(document: dict[str, Any]) -> Work:
    """The message in an outbox entry of a row. Raises ValidationError if it is none."""
    work: Work = _work().validate_python(document)
    return work
