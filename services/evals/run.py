"""A run, in OpenAI's shape: one pass of an eval over rows.

A run's rows lie in one JSONL object, a line `{item, sample?, request?, completion_id?}`; a chunk is a range of it.
A graded chunk is a row of counts, written once, and an object of output items. Counts are sums of those rows.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import orjson
from pydantic import Field

from aliases.alias import Alias
from evals.counts import CriterionResult, ResultCounts, graded_chunks
from evals.data_sources import DataSource
from evals.eval import Eval
from evals.files import File, rows_file_id
from foundation import blobs, table
from foundation.errors import NotFound
from foundation.ids import now
from foundation.later import Pause
from foundation.records import Record
from providers.pins import Pin
from providers.usage import ModelUsage

type RunStatus = Literal["queued", "in_progress", "completed", "failed", "canceled"]
type Answers = Literal["stored", "sampled"]

_SUMMARY = "summary.json"
_WAITING = ("distillation_id", "dataset_id", "learning_curve_id", "rollout_id")
OPEN_RUNS = "OPENRUNS"
"""The partition of the list of runs that may be open. The sweep takes those off that have ended."""


class Run(Record):
    """One pass of an eval over rows.

    `distillation_id`, `dataset_id`, `learning_curve_id` and `rollout_id` name who waits for it.

    `turn` is which of several fresh answers to the same requests it wants; null where it wants no others' answers.
    `pins` says where each model that it asks is asked, from when it is planned: its own, and those of its judges.
    `latency_ms` is the sum over the `timed_rows`, of which a latency is known; the quantiles are of the same rows.
    """

    KIND: ClassVar[str] = "RUN"
    NAME: ClassVar[str] = "eval run"

    object: Literal["eval.run"] = "eval.run"
    eval_id: str
    status: RunStatus = "queued"
    model: str = ""
    name: str
    data_source: DataSource
    result_counts: ResultCounts = ResultCounts()
    per_model_usage: list[ModelUsage] = Field(default_factory=list)
    """What this run paid for, its judges' calls among it."""
    answer_usage: list[ModelUsage] = Field(default_factory=list)
    """What the graded answers took, whoever paid for them."""
    per_testing_criteria_results: list[CriterionResult] = Field(default_factory=list)
    error: dict[str, str] | None = None
    metadata: dict[str, str] | None = None
    distillation_id: str | None = None
    dataset_id: str | None = None
    learning_curve_id: str | None = None
    rollout_id: str | None = None
    turn: int | None = None
    latency_ms: int | None = None
    timed_rows: int | None = None
    latency_p50_ms: int | None = None
    latency_p95_ms: int | None = None
    rows: int | None = None
    started_at: int | None = None
    paused: Pause | None = None
    pins: dict[str, Pin] = Field(default_factory=dict)
    alias: Alias | None = None
    """The alias that is its model, in the version that it was planned with; null where its model is one."""
    warnings: list[str] = Field(default_factory=list)

    def parent(self) -> str:
        return self.eval_id

    def create(self) -> bool:
        """Write it, its entry in the list of open ones first: none is open without it."""
        table.put({"pk": OPEN_RUNS, "sk": self.id})
        return super().create()

    @property
    def answers(self) -> Answers:
        """Whether the answers came with the rows, or a model was asked for them."""
        return "sampled" if getattr(self.data_source, "model", None) else "stored"

    @property
    def ended(self) -> bool:
        return self.status in {"completed", "failed", "canceled"}

    def paid(self) -> list[ModelUsage]:
        """What it has paid for, its judges' calls among it; of one that did not complete, as far as it was graded."""
        if self.status == "completed":
            return self.per_model_usage
        return [used for chunk in graded_chunks(self.id) for used in chunk.usage]

    def cancel(self) -> bool:
        """Stop it: what is not yet sampled never is. False if it has ended; planning it again tells whoever waits."""
        open_still = {"queued": "queued", "in_progress": "in_progress"}
        ending = {"status": "canceled", "paused": None}
        return self.change(ending, condition="#status IN (:queued, :in_progress)", values=open_still)

    def finish(self, **changes: Any) -> None:
        """Record how it ended, if it is open, then let `summary.json` land, which tells whoever waits."""
        held = {"queued": "queued", "in_progress": "in_progress", "same": changes["status"]}
        self.change({"paused": None, **changes}, condition="#status IN (:queued, :in_progress, :same)", values=held)
        waiting = {name: getattr(self, name) for name in _WAITING}
        summary = {"run_id": self.id, "eval_id": self.eval_id, **waiting}
        blobs.put(f"runs/{self.id}/{_SUMMARY}", orjson.dumps(summary), content_type="application/json")

    def give_up(self, code: str, message: str) -> bool:
        """Fail it; planning it again tells whoever waits. False if it has ended."""
        open_still = {"queued": "queued", "in_progress": "in_progress"}
        ending = {"status": "failed", "paused": None, "error": {"code": code, "message": message}}
        return self.change(ending, condition="#status IN (:queued, :in_progress)", values=open_still)

    def erase(self) -> None:
        """Delete the run and all that its rows left behind; an open run must have been canceled.

        The run itself goes last, so that a deletion that breaks off can be asked for again.
        """
        erase_objects(self.id)
        for row in list(table.query(self.id)):
            table.delete(row["pk"], row["sk"])
        self.remove()


def leave_open_runs(run_id: str) -> None:
    """Take a run from the list of open ones, where many end an hour: the sweep does so for the others."""
    table.delete(OPEN_RUNS, run_id)


def erase_objects(run_id: str) -> None:
    """Delete what lies in S3 of a run, also of one whose rows were written and which was never begun."""
    blobs.delete(blobs.keys(f"runs/{run_id}/"))
    file = File.find(rows_file_id(run_id))
    if file:
        file.discard()


def run_of_eval(eval_id: str, run_id: str, *, param: str = "run_id") -> Run:
    """The run, if it is one of this eval. Raises NotFound naming the parameter that has its id."""
    Eval.load(eval_id, param="eval_id")
    run = Run.load(run_id, param=param)
    if run.eval_id != eval_id:
        raise NotFound(Run.NAME, run_id, param=param)
    return run


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
