"""`/v1/fine_tuning/jobs`: creates, shows, pauses, resumes and cancels jobs.

In: OpenAI's requests. Out: job objects and cursor pages, newest first. Fails: a base that cannot be trained
is 404 `model_not_found`, a file that is not there or not for fine-tuning a 400 that names the field. Like
OpenAI's, the endpoint is not idempotent: each accepted POST is a job.
"""

import random
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from local.lab.files import Files
from local.lab.jobs import Job, JobRequest, Trainer
from local.lab.models import Models
from local.lab.store import Store
from local.lab.wire import ApiError, JsonResponse, metadata_filter, page, read_body

_LISTED, _MOST_LISTED = 20, 100
_CHECKPOINTS_LISTED = 10


class Tuning:
    """All fine-tuning jobs and their endpoints."""

    def __init__(self, models: Models, files: Files, store: Store) -> None:
        self._models = models
        self._files = files
        self._trainer = Trainer(models, store)
        self._jobs = self._trainer.kept()

    def __len__(self) -> int:
        return len(self._jobs)

    async def create(self, request: Request) -> Response:
        wanted = await read_body(request, JobRequest)
        self._models.check_trainable(wanted.model)
        training = self._file(wanted.training_file, "training_file")
        validation = None
        if wanted.validation_file is not None:
            validation = self._file(wanted.validation_file, "validation_file")
        seed = random.randrange(2**31) if wanted.seed is None else wanted.seed
        job = Job(wanted, seed)
        self._jobs[job.about["id"]] = job
        created = job.about
        self._trainer.start(job, training, validation)
        return JsonResponse(created)

    async def list(self, request: Request) -> Response:
        query = request.query_params
        rows = [job.about for job in reversed(self._jobs.values()) if _selected(job, query)]
        return page(rows, query, limit=_LISTED, most=_MOST_LISTED)

    async def retrieve(self, request: Request) -> Response:
        return JsonResponse(self._asked_for(request).about)

    async def cancel(self, request: Request) -> Response:
        job = self._asked_for(request)
        if not job.move("cancelled", "The job was cancelled"):
            raise ApiError(
                400,
                f"Job '{job.about['id']}' has already ended: {job.about['status']}.",
                code="job_not_cancellable",
            )
        self._trainer.keep(job)
        return JsonResponse(job.about)

    async def pause(self, request: Request) -> Response:
        job = self._asked_for(request)
        if not job.move("paused", "The job was paused"):
            raise _not_to_be(job, "paused")
        return JsonResponse(job.about)

    async def resume(self, request: Request) -> Response:
        job = self._asked_for(request)
        if not job.resume():
            raise _not_to_be(job, "resumed")
        return JsonResponse(job.about)

    async def events(self, request: Request) -> Response:
        rows = reversed(self._asked_for(request).events)
        return page(rows, request.query_params, limit=_LISTED, most=_MOST_LISTED)

    async def checkpoints(self, request: Request) -> Response:
        job = self._asked_for(request)
        rows = [_checkpoint(job, step, name) for step, name in job.checkpoints.items()]
        return page(rows, request.query_params, limit=_CHECKPOINTS_LISTED, most=_MOST_LISTED)

    def _asked_for(self, request: Request) -> Job:
        job_id = request.path_params["job_id"]
        job = self._jobs.get(job_id)
        if job is None:
            raise ApiError(
                404,
                f"Could not find fine tune: {job_id}",
                code="fine_tune_not_found",
                param="fine_tune_id",
            )
        return job

    def _file(self, file_id: str, param: str) -> bytes:
        file = self._files.find(file_id)
        if file is None:
            raise ApiError(400, f"The file '{file_id}' does not exist.", param=param, code="file_not_found")
        purpose = file.about["purpose"]
        if purpose != "fine-tune":
            raise ApiError(
                400,
                f"The file '{file_id}' has the purpose '{purpose}', and must have 'fine-tune'.",
                param=param,
                code="invalid_file_purpose",
            )
        return file.content


def _not_to_be(job: Job, changed: str) -> ApiError:
    return ApiError(400, f"Job '{job.about['id']}' cannot be {changed}: it is {job.about['status']}.", code="job_state")


def _selected(job: Job, query: QueryParams) -> bool:
    metadata = job.about["metadata"] or {}
    if query.get("metadata") == "null" and metadata:
        return False
    return all(metadata.get(key) == value for key, value in metadata_filter(query).items())


def _checkpoint(job: Job, step: int, name: str) -> dict[str, Any]:
    return {
        "id": f"ftckpt-{job.about['id']}-{step}",
        "object": "fine_tuning.job.checkpoint",
        "created_at": job.about["finished_at"],
        "fine_tuned_model_checkpoint": name,
        "fine_tuning_job_id": job.about["id"],
        "step_number": step,
        "metrics": {"step": step},
    }
