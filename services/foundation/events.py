"""Every message that crosses a queue, one frozen model each, in one envelope.

Past tense for facts, imperative for work. A consumer ignores unknown fields; a breaking change is a new
class. Messages carry ids and keys, never bodies, but for `RecordCompletions` (design: a PUT for each pushed
record would be most of its price). `parse` raises pydantic's ValidationError on anything else.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import unquote_plus

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from foundation.ids import new_id, now_ms


class Message(BaseModel):
    """The envelope.

    `correlation_id` is the id of the object that the chain of messages is about: the field that `ABOUT` names, unless
    the sender knows better. `QUEUE` is the setting with the URL of the queue that it is sent to.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    QUEUE: ClassVar[str]
    ABOUT: ClassVar[str]

    event_id: str = Field(default_factory=lambda: new_id("evt_"))
    at: int = Field(default_factory=now_ms)
    correlation_id: str = ""

    @model_validator(mode="before")
    @classmethod
    def _is_about(cls, fields: Any) -> Any:
        if isinstance(fields, dict) and not fields.get("correlation_id"):
            return {**fields, "correlation_id": fields.get(cls.ABOUT, "")}
        return fields

    def to_json(self) -> str:
        return self.model_dump_json(exclude_none=True)


class RecordCompletions(Message):
    """Write these captured completions: zstd-compressed NDJSON, inline or at `key` in the bucket."""

    QUEUE: ClassVar[str] = "RECORD_QUEUE_URL"
    ABOUT: ClassVar[str] = "batch_id"

    type: Literal["RecordCompletions"] = "RecordCompletions"
    batch_id: str
    part: int
    parts: int
    records: Base64Bytes | None = None
    key: str | None = None

    @model_validator(mode="after")
    def _has_a_body(self) -> Self:
        if (self.records is None) == (self.key is None):
            raise ValueError("give either records or key")
        return self


class Postponable(Message):
    """Work that can wait: `put_back` counts how often it went back to its queue (`later`)."""

    put_back: int = 0

    @property
    def place(self) -> tuple[str, str]:
        """The keys of the row that counts the same."""
        raise NotImplementedError


class PlanRun(Message):
    """Fix the rows of this run and fan them out."""

    QUEUE: ClassVar[str] = "PLAN_QUEUE_URL"
    ABOUT: ClassVar[str] = "run_id"

    type: Literal["PlanRun"] = "PlanRun"
    run_id: str


class GradeChunk(Postponable):
    """Sample and grade one chunk of a run's rows: `length` bytes of `key` from `offset`."""

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
        return self.run_id, f"BACK#{self.chunk:06d}"


class SampleBatch(Postponable):
    """Sample the rows of these chunks through the provider's Batch API, then have them graded.

    `since` is the second in which the part was planned, `away_since` that in which the provider went away; `attempt`
    counts the batches for which the provider had no room.
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

    @property
    def place(self) -> tuple[str, str]:
        return self.run_id, f"BACK#BATCH#{self.part:04d}"


class AdvanceDistillation(Message):
    """Something about this distillation changed: look at the table and take the steps that are due."""

    QUEUE: ClassVar[str] = "DISTILLING_QUEUE_URL"
    ABOUT: ClassVar[str] = "distillation_id"

    type: Literal["AdvanceDistillation"] = "AdvanceDistillation"
    distillation_id: str


class AssembleDataset(Message):
    """Write the training set of this distillation under this id."""

    QUEUE: ClassVar[str] = "ASSEMBLY_QUEUE_URL"
    ABOUT: ClassVar[str] = "distillation_id"

    type: Literal["AssembleDataset"] = "AssembleDataset"
    distillation_id: str
    dataset_id: str


class CancelJob(Message):
    """Stop the fine-tuning job of a cancelled distillation."""

    QUEUE: ClassVar[str] = "TUNING_QUEUE_URL"
    ABOUT: ClassVar[str] = "job_id"

    type: Literal["CancelJob"] = "CancelJob"
    job_id: str


class DecideVerdict(Message):
    """All three runs are graded: compare, decide, notify."""

    QUEUE: ClassVar[str] = "VERDICT_QUEUE_URL"
    ABOUT: ClassVar[str] = "distillation_id"

    type: Literal["DecideVerdict"] = "DecideVerdict"
    distillation_id: str


class DistillationBlocked(Message):
    """The gate stopped this distillation before money was spent."""

    QUEUE: ClassVar[str] = "VERDICT_QUEUE_URL"
    ABOUT: ClassVar[str] = "distillation_id"

    type: Literal["DistillationBlocked"] = "DistillationBlocked"
    distillation_id: str


class DistillationFailed(Message):
    """This distillation ended without a verdict."""

    QUEUE: ClassVar[str] = "VERDICT_QUEUE_URL"
    ABOUT: ClassVar[str] = "distillation_id"

    type: Literal["DistillationFailed"] = "DistillationFailed"
    distillation_id: str


class DeliverEvent(Message):
    """Tell the webhook endpoints that ask for events of this type that this object has come so far."""

    QUEUE: ClassVar[str] = "WEBHOOK_QUEUE_URL"
    ABOUT: ClassVar[str] = "object_id"

    type: Literal["DeliverEvent"] = "DeliverEvent"
    event_type: str
    object_id: str


class _Bucketed(BaseModel):
    key: str


class _S3Part(BaseModel):
    object: _Bucketed


class _S3Record(BaseModel):
    s3: _S3Part


class ObjectsLanded(BaseModel):
    """An S3 event notification as SQS carries it: the keys, URL-decoded."""

    Records: list[_S3Record] = Field(min_length=1)

    @property
    def keys(self) -> list[str]:
        return [unquote_plus(record.s3.object.key) for record in self.Records]


class TestEvent(BaseModel):
    """What S3 sends once when a notification is configured; acknowledged and ignored."""

    Event: Literal["s3:TestEvent"]


type Work = (
    RecordCompletions
    | PlanRun
    | SampleBatch
    | GradeChunk
    | AdvanceDistillation
    | AssembleDataset
    | CancelJob
    | DecideVerdict
    | DistillationBlocked
    | DistillationFailed
    | DeliverEvent
)
type Delivery = Work | ObjectsLanded | TestEvent


@cache
def _work() -> TypeAdapter[Any]:
    return TypeAdapter(Annotated[Work, Field(discriminator="type")])


@cache
def _delivery() -> TypeAdapter[Any]:
    return TypeAdapter(Annotated[Work, Field(discriminator="type")] | ObjectsLanded | TestEvent)


def parse(body: str) -> Delivery:
    """The message in a queue's body."""
    delivery: Delivery = _delivery().validate_json(body)
    return delivery


def parse_work(document: dict[str, Any]) -> Work:
    """The message in a recorded outbox entry."""
    work: Work = _work().validate_python(document)
    return work
