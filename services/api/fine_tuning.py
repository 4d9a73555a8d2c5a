"""Fine-tuning jobs: start one from an uploaded file, follow it, pause, resume, cancel. Shapes: OpenAI's.

Jobs of distillations are among them. A job is started and stopped by `tuning`, which the messages from here ask.
"""

from __future__ import annotations

from typing import Any

import orjson

from api import retried
from api.job_document import JobDocument, document_of
from api.new_job import NewJob, refuse_what_cannot_work
from api.within_cap import refuse_over_cap
from distillations import lineage
from distillations.distillation import Distillation
from distillations.job import Checkpoint, Job
from distillations.lineage import Node
from distillations.trainers import pauses
from foundation import bus, http, table
from foundation.errors import ApiError, Conflict
from foundation.events import CancelJob, StartJob
from foundation.ids import now
from foundation.job_messages import PauseJob
from foundation.routes import AFTER, LIMIT, Query, Routes

router = Routes("Fine-tuning jobs")
_DEFAULT_SEED = 42
_PARAM = "fine_tuning_job_id"
_NO_METADATA = "null"
_METADATA = Query(
    "metadata",
    "Pairs that a job has, as `metadata[team]=mail`; `metadata=null` for the jobs without any.",
    {"anyOf": [{"type": "object", "additionalProperties": {"type": "string"}}, {"type": "string", "const": "null"}]},
)
_NOT_UNDER_WAY = {400: "The trainer cannot pause a job.", 409: "The job is not under way at its trainer."}


@router.post(
    "/v1/fine_tuning/jobs",
    scope="write",
    answer=JobDocument,
    errors={404: "There is no such file or model."},
)
def create_job(asked: NewJob) -> JobDocument:
    """Fine-tune a model on an uploaded file, with any trainer.

    The trainer checks the file when the job starts: what it would not take, line by line, is the job's `error`.
    """
    job_id = retried.object_id(router, "ftjob-")
    made = Job.find(job_id)
    if made:
        # An earlier attempt of this POST has made it: nothing that has changed since refuses it.
        return _sent(made)
    refuse_over_cap()
    refuse_what_cannot_work(asked)
    job = Job(
        id=job_id,
        created_at=now(),
        status="validating_files",
        method=asked.trains_by,
        hyperparameters=asked.chosen_hyperparameters(),
        seed=_DEFAULT_SEED if asked.seed is None else asked.seed,
        suffix=asked.suffix or "",
        **asked.model_dump(
            include={"model", "training_file", "validation_file", "trainer", "metadata", "max_cost_usd"}
        ),
    )
    files = [file_id for file_id in (job.training_file, job.validation_file) if file_id]
    lineage.link((Node("file", file_id), Node("job", job.id)) for file_id in files)
    if not job.create():
        job = Job.load(job.id)
    return _sent(job)


def _sent(job: Job) -> JobDocument:
    bus.send(StartJob(job_id=job.id, correlation_id=job.id))
    return document_of(job)


@router.get("/v1/fine_tuning/jobs", scope="read", lists=JobDocument, query=(AFTER, LIMIT, _METADATA))
def list_jobs() -> dict[str, Any]:
    """List fine-tuning jobs, also those of distillations, the newest first."""
    limit = http.limit_of(router)
    query = router.current_event.query_string_parameters or {}
    jobs = Job.every(after=http.query_of(router, "after"), descending=True)
    return http.listed((document_of(job) for job in jobs if _is_wanted(job, query)), limit)


def _is_wanted(job: Job, query: dict[str, str]) -> bool:
    metadata = job.metadata or {}
    if query.get("metadata") == _NO_METADATA and metadata:
        return False
    pairs = {name[len("metadata[") : -1]: value for name, value in query.items() if name.startswith("metadata[")}
    return pairs.items() <= metadata.items()


@router.get("/v1/fine_tuning/jobs/<job_id>", scope="read")
def retrieve_job(job_id: str) -> JobDocument:
    """Retrieve a fine-tuning job."""
    return document_of(_job(job_id))


@router.post(
    "/v1/fine_tuning/jobs/<job_id>/cancel",
    scope="write",
    errors={409: "The job has ended, or is the only one of a distillation, which is cancelled instead."},
)
def cancel_job(job_id: str) -> JobDocument:
    """Cancel a fine-tuning job. It has ended once its `status` says so.

    Of several attempts of a distillation one may be cancelled: the others go on.
    """
    job = _job(job_id)
    if job.ended:
        raise Conflict(f"This job is over: {job.status}.", code="already_ended", param=_PARAM)
    if job.distillation_id and not _is_one_of_several(job.distillation_id):
        raise Conflict(
            f"The distillation {job.distillation_id} waits for this job. Cancel that: "
            f"POST /v1/distillations/{job.distillation_id}/cancel",
            code="job_of_distillation",
            param=_PARAM,
        )
    job.change({"cancel_requested_at": job.cancel_requested_at or now()})
    bus.send(CancelJob(job_id=job.id))
    return document_of(Job.load(job.id))


def _is_one_of_several(distillation_id: str) -> bool:
    distillation = Distillation.find(distillation_id)
    return distillation is not None and len(distillation.job_ids) > 1


@router.post("/v1/fine_tuning/jobs/<job_id>/pause", scope="write", errors=_NOT_UNDER_WAY)
def pause_job(job_id: str) -> JobDocument:
    """Pause a fine-tuning job, where its trainer can. Its `status` is `paused` once the trainer has done it."""
    return _held(_job(job_id), now())


@router.post("/v1/fine_tuning/jobs/<job_id>/resume", scope="write", errors=_NOT_UNDER_WAY)
def resume_job(job_id: str) -> JobDocument:
    """Go on with a fine-tuning job that was paused."""
    return _held(_job(job_id), None)


def _held(job: Job, pause_requested_at: int | None) -> JobDocument:
    if not pauses(job.trainer):
        raise ApiError(
            f"The trainer '{job.trainer}' cannot pause a job: let it run, or cancel it.",
            code="unsupported",
            param=_PARAM,
        )
    if job.ended or job.status == "deploying" or job.provider_job_id is None:
        raise Conflict(
            f"Only a job that is under way at its trainer can be paused or resumed; this one is {job.status}.",
            code="not_under_way",
            param=_PARAM,
        )
    job.change({"pause_requested_at": pause_requested_at})
    bus.send(PauseJob(job_id=job.id))
    return document_of(Job.load(job.id))


@router.get(
    "/v1/fine_tuning/jobs/<job_id>/events",
    scope="read",
    lists="openai.types.fine_tuning.FineTuningJobEvent",
    query=(AFTER, LIMIT),
)
def list_job_events(job_id: str) -> dict[str, Any]:
    """List the events of a fine-tuning job, the newest first."""
    _job(job_id)
    rows = sorted(table.query(job_id, prefix="EVENT#"), key=lambda row: row["created_at"], reverse=True)
    return http.page_of(router, [_event(row) for row in rows])


def _event(row: table.Row) -> dict[str, Any]:
    """An event as OpenAI shows it: one with the figures of a step is of the type `metrics`."""
    shown = {name: row[name] for name in ("id", "created_at", "level", "message")}
    event = {"object": "fine_tuning.job.event", "type": "message", **shown}
    return {**event, "type": "metrics", "data": orjson.loads(row["metrics"])} if "metrics" in row else event


@router.get(
    "/v1/fine_tuning/jobs/<job_id>/checkpoints",
    scope="read",
    lists="openai.types.fine_tuning.jobs.FineTuningJobCheckpoint",
    query=(AFTER, LIMIT),
)
def list_job_checkpoints(job_id: str) -> dict[str, Any]:
    """List the checkpoints that the trainer kept of a job, the newest first."""
    _job(job_id)
    rows = table.query(job_id, prefix="CHECKPOINT#", descending=True)
    return http.page_of(router, [_checkpoint(job_id, row) for row in rows])


def _checkpoint(job_id: str, row: table.Row) -> dict[str, Any]:
    checkpoint = Checkpoint.model_validate_json(row["checkpoint"])
    return {
        "id": checkpoint.id,
        "object": "fine_tuning.job.checkpoint",
        "created_at": checkpoint.created_at,
        "fine_tuned_model_checkpoint": checkpoint.model,
        "fine_tuning_job_id": job_id,
        "step_number": checkpoint.step,
        "metrics": checkpoint.metrics,
    }


def _job(job_id: str) -> Job:
    return Job.load(job_id, param=_PARAM)
