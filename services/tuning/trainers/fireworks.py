"""Fireworks' supervised fine-tuning, served by deployments that scale to zero.

Every resource has an id of our choice, the intent in lower case: a dataset, a job, its model, its deployment. Fireworks
makes none of them twice, and a lost answer is found by the id. A deployment costs by the second of a GPU while it has a
replica; without calls it goes to zero, and the first call afterwards waits for one. LoRA models have no serverless
serving there. What Fireworks says of a job's cost is its own estimate. It takes no seed.

Assumed, since no page that was read says it: a key sees one account; what an id is taken by is what was asked for
before; a deployment that was deleted cannot be made again under its name.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from tempfile import TemporaryFile
from typing import Any

import httpx2

from distillations.formats import Method
from distillations.hyperparameters import FireworksHyperparameters
from distillations.job import Estimate, JobFailure, JobStatus
from distillations.trainers import TRAINERS
from foundation.ids import now
from providers.model_version import ModelVersion
from tuning.trainers import hosted
from tuning.trainers.account import Account, name_there
from tuning.trainers.checks import problems_of
from tuning.trainers.trainer import (
    Deployment,
    Problem,
    ProviderJob,
    Trained,
    TrainerAway,
    TrainerEvent,
    TrainerRefused,
    Training,
    state_of,
)
from tuning.trainers.training_file import TrainingFile

_NAMES = {
    "n_epochs": "epochs",
    "batch_size": "batchSizeSamples",
    "learning_rate": "learningRate",
    "lora_rank": "loraRank",
    "max_length": "maxContextLength",
}
_IDLE = "900s"
"""After how long without calls a deployment goes to zero replicas. Fireworks' own default is an hour."""
_JOBS: dict[Method, str] = {"supervised": "supervisedFineTuningJobs", "dpo": "dpoJobs"}
_STATES: dict[str, JobStatus] = {
    "JOB_STATE_UNSPECIFIED": "queued",
    "JOB_STATE_CREATING": "queued",
    "JOB_STATE_PENDING": "queued",
    "JOB_STATE_RE_QUEUEING": "queued",
    "JOB_STATE_VALIDATING": "validating_files",
    "JOB_STATE_CREATING_INPUT_DATASET": "validating_files",
    "JOB_STATE_RUNNING": "running",
    "JOB_STATE_IDLE": "running",
    "JOB_STATE_PAUSED": "running",
    "JOB_STATE_WRITING_RESULTS": "running",
    "JOB_STATE_CANCELLING": "running",
    "JOB_STATE_COMPLETED": "succeeded",
    "JOB_STATE_EARLY_STOPPED": "succeeded",
    "JOB_STATE_FAILED": "failed",
    "JOB_STATE_EXPIRED": "failed",
    "JOB_STATE_CANCELLED": "cancelled",
    "JOB_STATE_DELETING": "cancelled",
    "JOB_STATE_DELETING_CLEANING_UP": "cancelled",
}
_DEPLOYED = {
    "STATE_UNSPECIFIED": False,
    "CREATING": False,
    "READY": True,
    "UPDATING": True,
    "FAILED": False,
    "DELETING": False,
    "DELETED": False,
}
_NEVER = frozenset({"FAILED", "DELETING", "DELETED"})
_READY = "READY"
_TAKEN = 409


def make_trainer(account: Account) -> FireworksTrainer:
    """The trainer in an account of Fireworks."""
    return FireworksTrainer(account)


class FireworksTrainer:
    """Supervised fine-tuning jobs of one account."""

    deploys = True

    def __init__(self, account: Account, http: httpx2.Client | None = None) -> None:
        self._provider = account.name
        self._api = hosted.Api(account, http)

    def check(self, training: Training) -> list[Problem]:
        return problems_of(training, TRAINERS["fireworks"])

    def estimate(self, training: Training) -> Estimate:
        return hosted.estimate(training, FireworksHyperparameters.DEFAULT_EPOCHS)

    def find(self, intent: str) -> ProviderJob | None:
        account = self._account()
        found = (self._api.find(f"/v1/{account}/{jobs}/{_id(intent)}") for jobs in _JOBS.values())
        return next((self._job(job) for job in found if job), None)

    def start(self, training: Training) -> ProviderJob:
        account = self._account()
        order = _order(training, self._dataset(account, training.intent, "train", training.train))
        if training.validation and training.method == "supervised":
            order["evaluationDataset"] = self._dataset(account, training.intent, "validation", training.validation)
        jobs = _JOBS[training.method]
        return self._job(self._made(f"/v1/{account}/{jobs}", order, f"{jobs[:-1]}Id", _id(training.intent)))

    def look(self, provider_job_id: str) -> ProviderJob:
        return self._job(self._api.get(f"/v1/{provider_job_id}"))

    def deploy(self, trained: Trained) -> Deployment | None:
        account, name = trained.artifact.rpartition("/models/")[0], _id(trained.intent)
        deployments = f"/v1/{account}/deployments"
        found = self._api.find(f"{deployments}/{name}") or self._made(
            deployments, _deployment(trained.artifact), "deploymentId", name
        )
        state = found.get("state", "")
        return Deployment(
            served_as=f"{trained.artifact}#{account}/deployments/{name}",
            provider=self._provider,
            ready=state_of(_DEPLOYED, state, f"deployment {name}"),
            error=_failure(found, "deployment_failed", state) if state in _NEVER else None,
        )

    def cancel(self, provider_job_id: str) -> None:
        self._api.post(f"/v1/{provider_job_id}:cancel", {})

    def forget(self, intent: str) -> None:
        account = self._account()
        for split in ("train", "validation"):
            self._api.delete(f"/v1/{account}/datasets/{_id(intent)}-{split}")

    def retire(self, model: ModelVersion) -> None:
        """Delete the deployment, in use or not. The model is kept there, which costs nothing."""
        account = (model.artifact or "").rpartition("/models/")[0] or self._account()
        self._api.delete(f"/v1/{account}/deployments/{_id(model.job_id or '')}", ignoreChecks="true")

    def _account(self) -> str:
        """The account of the key, as `accounts/<id>`."""
        accounts = self._api.get("/v1/accounts").get("accounts") or []
        if not accounts:
            raise TrainerRefused("Fireworks knows no account of this key.", "no_account")
        return str(accounts[0]["name"])

    def _made(self, collection: str, document: hosted.Json, id_field: str, name: str) -> hosted.Json:
        """Make what has this name, or find what an earlier call has made whose answer was lost."""
        try:
            return self._api.post(collection, document, **{id_field: name})
        except TrainerRefused as refusal:
            if refusal.status != _TAKEN:
                raise
        return self._api.get(f"{collection}/{name}")

    def _dataset(self, account: str, intent: str, split: str, file: TrainingFile) -> str:
        """The name of a dataset that holds the file. Raises TrainerAway while Fireworks still reads it."""
        name = f"{account}/datasets/{_id(intent)}-{split}"
        known = self._api.find(f"/v1/{name}")
        if known is None:
            about = {"userUploaded": {}, "exampleCount": str(_examples(file)), "format": "CHAT"}
            document = {"datasetId": f"{_id(intent)}-{split}", "dataset": about}
            self._api.post(f"/v1/{account}/datasets", document)
        if known is None or known.get("state") != _READY:
            self._upload(name, f"{split}.jsonl", file)
            known = self._api.get(f"/v1/{name}")
        if known.get("state") != _READY:
            raise TrainerAway(f"Fireworks has not read the dataset {name} yet.")
        return name

    def _upload(self, name: str, filename: str, file: TrainingFile) -> None:
        with TemporaryFile() as copy:
            copy.writelines(file.read())
            size = copy.tell()
            copy.seek(0)
            asked = {"filenameToSize": {filename: str(size)}}
            urls = self._api.post(f"/v1/{name}:getUploadEndpoint", asked)["filenameToSignedUrls"]
            # Both headers are part of the signature.
            headers = {
                "Content-Type": "application/octet-stream",
                "X-Goog-Content-Length-Range": f"{size},{size}",
            }
            self._api.put_file(urls[filename], copy, size, headers)
        self._api.post(f"/v1/{name}:validateUpload", {})

    def _job(self, job: hosted.Json) -> ProviderJob:
        state = job.get("state", "")
        status = state_of(_STATES, state, f"job {job['name']}", job_id=job["name"])
        account, _, name = job["name"].rsplit("/", 2)
        progress = job.get("jobProgress") or {}
        return ProviderJob(
            id=job["name"],
            status=status,
            # The id of the job is that of the model where none is chosen.
            fine_tuned_model=(_output(job) or f"{account}/models/{name}") if status == "succeeded" else None,
            trained_tokens=progress.get("inputTokens"),
            cost_usd=_dollars(job.get("estimatedCost")) if status == "succeeded" else None,
            finished_at=_seconds(job.get("completedTime")),
            error=_failure(job, "job_failed", state) if status == "failed" else None,
            progress=progress["percent"] / 100 if progress.get("percent") is not None else None,
            events=(TrainerEvent(state, _seconds(job.get("updateTime")) or now(), f"Fireworks says {state}"),),
        )


def _order(training: Training, dataset: str) -> hosted.Json:
    """The order of a job. That of pairs has what is chosen in an object of its own, and its loss in another one."""
    about: hosted.Json = {"displayName": training.suffix, "dataset": dataset}
    base, given = {"baseModel": name_there(training.model)}, {**training.hyperparameters}
    if training.method == "supervised":
        return {**about, **base, **hosted.chosen(given, _NAMES)}
    beta = given.pop("beta", "auto")
    loss = {"method": "DPO", **({} if beta == "auto" else {"dpo": {"beta": beta}})}
    return {**about, "trainingConfig": {**base, **hosted.chosen(given, _NAMES)}, "lossConfig": loss}


def _output(job: hosted.Json) -> Any:
    return job.get("outputModel") or (job.get("trainingConfig") or {}).get("outputModel")


def _id(intent: str) -> str:
    """Fireworks' ids have no capitals; ours differ in more than those."""
    return intent.lower()


def _examples(file: TrainingFile) -> int:
    return sum(1 for _ in file.read())


def _deployment(artifact: str) -> hosted.Json:
    """A deployment of the model, merged into its base, that costs nothing while nobody asks it."""
    return {
        "baseModel": artifact,
        "minReplicaCount": 0,
        "maxReplicaCount": 1,
        "autoscalingPolicy": {"scaleToZeroWindow": _IDLE},
    }


def _failure(resource: hosted.Json, code: str, state: str) -> JobFailure:
    said = (resource.get("status") or {}).get("message")
    return JobFailure(code=code, message=said or f"Fireworks says {state} and no more.")


def _dollars(cost: Any) -> float | None:
    """An amount of Fireworks, of whole units and billionths; None in another currency."""
    if not isinstance(cost, dict) or cost.get("currencyCode") != "USD":
        return None
    return round(int(cost.get("units") or 0) + int(cost.get("nanos") or 0) / 1e9, 4)


def _seconds(time: str | None) -> int | None:
    with suppress(ValueError, TypeError):
        return int(datetime.fromisoformat(time or "").timestamp())
    return None
