"""Evals, their runs and what a run's rows leave behind, in OpenAI's shapes.

A run's rows lie in one JSONL object, a line `{item, sample?, request?, completion_id?}`; a chunk is a range of it.
A graded chunk is a row of counts, written once, and an object of output items. Counts are sums of those rows.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from foundation import blobs, table
from foundation.files import Row
from foundation.graders import Criterion
from foundation.ids import derived_id, now
from foundation.resources import Record
from foundation.stored import StoredCompletions, StoredResponses

ROWS_A_CHUNK = 50
_SUMMARY = "summary.json"


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
    content: Any


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
    """Rows as they are given, with their own samples if they have any."""

    type: Literal["jsonl"]
    source: Annotated[FileContent | FileId, Field(discriminator="type")]


class SampledSource(_Shape):
    """Rows to grade as stored, or to sample again where `model` is given."""

    input_messages: InputMessages | None = None
    model: str | None = None
    sampling_params: dict[str, Any] | None = None


class CompletionsSource(SampledSource):
    """Rows that are chat completions."""

    type: Literal["completions"]
    source: Annotated[StoredCompletions | FileContent | FileId, Field(discriminator="type")]


class ResponsesSource(SampledSource):
    """Rows that are responses; `sampling_params` have the names of the Responses API."""

    type: Literal["responses"]
    source: Annotated[StoredResponses | FileContent | FileId, Field(discriminator="type")]


type DataSource = Annotated[JsonlSource | CompletionsSource | ResponsesSource, Field(discriminator="type")]


class ResultCounts(BaseModel):
    """How many rows passed, failed or could not be graded."""

    total: int = 0
    passed: int = 0
    failed: int = 0
    errored: int = 0


class ModelUsage(BaseModel):
    """What one model was asked and answered in a run."""

    model_name: str
    invocation_count: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    cached_tokens: int = 0

    def add(self, usage: dict[str, Any], *, calls: int = 1) -> None:
        self.invocation_count += calls
        for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
            setattr(self, name, getattr(self, name) + int(usage.get(name) or 0))
        details = usage.get("prompt_tokens_details") or {}
        self.cached_tokens += int(usage.get("cached_tokens") or details.get("cached_tokens") or 0)


class CriterionResult(BaseModel):
    """How one criterion went over a run."""

    testing_criteria: str
    passed: int = 0
    failed: int = 0


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

    def parent(self) -> str:
        return self.eval_id

    @property
    def ended(self) -> bool:
        return self.status in {"completed", "failed", "canceled"}

    def cancel(self) -> bool:
        """Stop it: what is not yet sampled never is. False if it has ended; planning it again tells whoever waits."""
        open_still = {"queued": "queued", "in_progress": "in_progress"}
        return self.change({"status": "canceled"}, condition="#status IN (:queued, :in_progress)", values=open_still)

    def finish(self, **changes: Any) -> None:
        """Record how it ended, then let `summary.json` land, which tells whoever waits."""
        self.change(changes, condition="#status <> :canceled", values={"canceled": "canceled"})
        summary = {"run_id": self.id, "eval_id": self.eval_id, "distillation_id": self.distillation_id}
        blobs.put(f"runs/{self.id}/{_SUMMARY}", orjson.dumps(summary), content_type="application/json")


class ChunkCounts(BaseModel):
    """What one graded chunk adds to its run."""

    chunk: int
    chunks: int
    first_row: int
    counts: ResultCounts
    usage: list[ModelUsage]
    criteria: list[CriterionResult]
    latency_ms: int = 0

    def write_once(self, run_id: str) -> None:
        table.put_new({"pk": run_id, "sk": f"CHUNK#{self.chunk:06d}", "doc": self.model_dump_json()})


def graded_chunks(run_id: str) -> list[ChunkCounts]:
    """The chunks graded so far, in order."""
    return [ChunkCounts.model_validate_json(row["doc"]) for row in table.query(run_id, prefix="CHUNK#")]


def totals(chunks: list[ChunkCounts]) -> dict[str, Any]:
    """The sums that a run shows: counts, usage by model, results by criterion, sampling time."""
    counts = ResultCounts()
    usage: dict[str, ModelUsage] = {}
    criteria: dict[str, CriterionResult] = {}
    for chunk in chunks:
        for name in ("total", "passed", "failed", "errored"):
            setattr(counts, name, getattr(counts, name) + getattr(chunk.counts, name))
        for used in chunk.usage:
            total = usage.setdefault(used.model_name, ModelUsage(model_name=used.model_name))
            total.add(used.model_dump(), calls=used.invocation_count)
        for result in chunk.criteria:
            seen = criteria.setdefault(
                result.testing_criteria, CriterionResult(testing_criteria=result.testing_criteria)
            )
            seen.passed += result.passed
            seen.failed += result.failed
    return {
        "result_counts": counts.model_dump(),
        "per_model_usage": [used.model_dump() for used in usage.values()],
        "per_testing_criteria_results": [result.model_dump() for result in criteria.values()],
        "latency_ms": sum(chunk.latency_ms for chunk in chunks),
    }


def output_item_id(run_id: str, row: int) -> str:
    return derived_id("outputitem_", run_id, row)


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
