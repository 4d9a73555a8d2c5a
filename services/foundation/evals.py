"""Evals, their runs and what a run's rows leave behind, in OpenAI's shapes.

A run's rows lie in one JSONL object, a line `{item, sample?, request?, completion_id?}`; a chunk is a range of it.
A graded chunk is a row of counts, written once, and an object of output items. Counts are sums of those rows.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from foundation import blobs
from foundation.counts import CriterionResult, ModelUsage, ResultCounts
from foundation.files import Row
from foundation.graders import Criterion
from foundation.graders.template import checked_content
from foundation.ids import derived_id, now, place_of
from foundation.resources import Record
from foundation.stored import StoredCompletions, StoredResponses

ROWS_A_CHUNK = 100
_SUMMARY = "summary.json"
_ITEM = "outputitem_"


class _Shape(BaseModel):
    model_config = ConfigDict(extra="allow")


class CustomConfig(_Shape):
    """Rows that the run brings, of a schema given here."""

    type: Literal["custom"]
    item_schema: dict[str, Any]
    include_sample_schema: bool = False


class StoredConfig(_Shape):
    """Rows that are stored completions; `logs` is its newer name."""

    type: Literal["logs", "stored_completions"]
    metadata: dict[str, Any] | None = None


class Eval(Record):
    """What is asked of an output: the criteria, and the shape of the rows."""

    KIND: ClassVar[str] = "EVAL"
    NAME: ClassVar[str] = "eval"

    object: Literal["eval"] = "eval"
    name: str
    data_source_config: dict[str, Any]
    testing_criteria: list[Criterion]
    metadata: dict[str, str] | None = None
    updated_at: int | None = None


class FileId(_Shape):
    """An uploaded JSONL file as a source of rows."""

    type: Literal["file_id"]
    id: str


class FileContent(_Shape):
    """Rows given inline."""

    type: Literal["file_content"]
    content: list[Row] = Field(min_length=1)


class Message(_Shape):
    """One message of an input template."""

    role: Literal["user", "assistant", "system", "developer"]
    content: Annotated[Any, AfterValidator(checked_content)]


class MessageTemplate(_Shape):
    """Messages with `{{ item.… }}` places."""

    type: Literal["template"]
    template: list[Message] = Field(min_length=1)


class ItemReference(_Shape):
    """The messages that stand at a path of the row, e.g. `item.input`."""

    type: Literal["item_reference"]
    item_reference: str = Field(pattern=r"^item\.")


type InputMessages = Annotated[MessageTemplate | ItemReference, Field(discriminator="type")]


class JsonlSource(_Shape):
    """Rows as they are given, with their own samples if they have any.

    `recorded_grades` says which grades that came with the samples stand: those of criteria that ask a model, or all.
    `model` is who gave the samples, where the rows do not say it.
    """

    type: Literal["jsonl"]
    source: Annotated[FileContent | FileId, Field(discriminator="type")]
    model: str | None = None
    recorded_grades: Literal["judged", "all"] | None = None


class SampledSource(_Shape):
    """Rows to grade as stored, or to sample again where `model` is given.

    What the eval has asked before is not asked again, but where the run wants `fresh` samples. `batch` samples through
    the provider's Batch API: within a day, at half the price.
    """

    input_messages: InputMessages | None = None
    model: str | None = None
    sampling_params: dict[str, Any] | None = None
    fresh: bool | None = None
    batch: bool | None = None


class CompletionsSource(SampledSource):
    """Rows that are chat completions."""

    type: Literal["completions"]
    source: Annotated[StoredCompletions | FileContent | FileId, Field(discriminator="type")]


class ResponsesSource(SampledSource):
    """Rows that are responses; `sampling_params` have the names of the Responses API."""

    type: Literal["responses"]
    source: Annotated[StoredResponses | FileContent | FileId, Field(discriminator="type")]


type DataSource = Annotated[JsonlSource | CompletionsSource | ResponsesSource, Field(discriminator="type")]


class Pause(BaseModel):
    """Since when a run waits for a provider that is away, and why; before `until` nobody asks it."""

    since: int
    reason: str
    until: int | None = None


class Run(Record):
    """One pass of an eval over rows. `distillation_id` names the distillation that waits for it."""

    KIND: ClassVar[str] = "RUN"
    NAME: ClassVar[str] = "eval run"

    object: Literal["eval.run"] = "eval.run"
    eval_id: str
    status: Literal["queued", "in_progress", "completed", "failed", "canceled"] = "queued"
    model: str = ""
    name: str
    data_source: DataSource
    result_counts: ResultCounts = ResultCounts()
    per_model_usage: list[ModelUsage] = Field(default_factory=list)
    per_testing_criteria_results: list[CriterionResult] = Field(default_factory=list)
    error: dict[str, str] | None = None
    metadata: dict[str, str] | None = None
    distillation_id: str | None = None
    latency_ms: int | None = None
    rows: int | None = None
    started_at: int | None = None
    paused: Pause | None = None

    def parent(self) -> str:
        return self.eval_id

    @property
    def ended(self) -> bool:
        return self.status in {"completed", "failed", "canceled"}

    def cancel(self) -> bool:
        """Stop it: what is not yet sampled never is. False if it has ended; planning it again tells whoever waits."""
        open_still = {"queued": "queued", "in_progress": "in_progress"}
        ending = {"status": "canceled", "paused": None}
        return self.change(ending, condition="#status IN (:queued, :in_progress)", values=open_still)

    def finish(self, **changes: Any) -> None:
        """Record how it ended, if it is open, then let `summary.json` land, which tells whoever waits."""
        held = {"queued": "queued", "in_progress": "in_progress", "same": changes["status"]}
        self.change({"paused": None, **changes}, condition="#status IN (:queued, :in_progress, :same)", values=held)
        summary = {"run_id": self.id, "eval_id": self.eval_id, "distillation_id": self.distillation_id}
        blobs.put(f"runs/{self.id}/{_SUMMARY}", orjson.dumps(summary), content_type="application/json")


def output_item_id(run_id: str, row: int) -> str:
    return derived_id(_ITEM, run_id, row)


def output_item_row(run_id: str, item_id: str, rows: int) -> int | None:
    """The row of an output item; None where it is none of the run's `rows`."""
    return place_of(item_id, _ITEM, run_id, rows)


def items_key(run_id: str, chunk: int) -> str:
    return f"runs/{run_id}/chunks/{chunk:06d}.jsonl"


def output_items(run_id: str, chunk: int) -> list[dict[str, Any]]:
    """The output items of one graded chunk."""
    return [orjson.loads(line) for line in blobs.get(items_key(run_id, chunk)).splitlines()]


def new_run(run_id: str, eval_: Eval, *, name: str, data_source: DataSource, **fields: Any) -> Run:
    return Run(
        id=run_id,
        created_at=now(),
        eval_id=eval_.id,
        name=name,
        data_source=data_source,
        model=getattr(data_source, "model", None) or "",
        **fields,
    )
