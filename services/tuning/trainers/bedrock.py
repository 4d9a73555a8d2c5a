"""Amazon Bedrock's customization of Nova models, served by on-demand deployments.

The intent is the name of the job, of its model, of its deployment and of the client token of both calls: Bedrock makes
none of them twice. A lost answer is found by the name. The training file goes to S3 in Bedrock's own format and leaves
it with the job. Bedrock says neither tokens nor prices, and takes no seed. Nothing costs while nobody asks the model.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from distillations.hyperparameters import NovaHyperparameters
from distillations.job import Estimate, JobFailure, JobStatus
from distillations.trainers import TRAINERS
from foundation import aws, blobs
from foundation.ids import now
from foundation.settings import settings
from providers.model_version import ModelVersion
from tuning.trainers import at_aws
from tuning.trainers.checks import problems_of
from tuning.trainers.trainer import (
    Deployment,
    Problem,
    ProviderJob,
    Trained,
    TrainerEvent,
    Training,
    state_of,
)

_PROVIDER_KIND = "bedrock"
_CUSTOMIZED = {
    "amazon.nova-micro-v1:0": "amazon.nova-micro-v1:0:128k",
    "amazon.nova-lite-v1:0": "amazon.nova-lite-v1:0:300k",
    "amazon.nova-pro-v1:0": "amazon.nova-pro-v1:0:300k",
    "amazon.nova-2-lite-v1:0": "amazon.nova-2-lite-v1:0:256k",
}
"""The model that is asked, and its id for a customization, which has the length of its context."""
_NO_VALIDATION = frozenset({"amazon.nova-2-lite-v1:0"})
_NAMES = {"n_epochs": "epochCount", "learning_rate": "learningRate", "warmup_steps": "learningRateWarmupSteps"}
_STATES: dict[str, JobStatus] = {
    "InProgress": "running",
    "Completed": "succeeded",
    "Failed": "failed",
    "Stopping": "running",
    "Stopped": "cancelled",
}
_VALIDATED = "Completed"
_DEPLOYED = {"Creating": False, "Active": True, "Failed": False}
_TAKEN = "ConflictException"
_STAGES = {
    "validationDetails": "Validating the data",
    "dataProcessingDetails": "Processing the data",
    "trainingDetails": "Training",
}


def make_trainer() -> BedrockTrainer:
    """The trainer in the stack's own region."""
    return BedrockTrainer()


class BedrockTrainer:
    """Customization jobs of Bedrock."""

    deploys = True

    def check(self, training: Training) -> list[Problem]:
        problems = [*at_aws.missing_role("BedrockTraining"), *at_aws.missing_provider(_PROVIDER_KIND)]
        if at_aws.plain(training.model) not in _CUSTOMIZED:
            problems.append(Problem("model", f"Bedrock fine-tunes here: {', '.join(_CUSTOMIZED)}"))
        return problems or problems_of(training, TRAINERS["bedrock"])

    def estimate(self, training: Training) -> Estimate:
        return at_aws.estimate(training, NovaHyperparameters.DEFAULT_EPOCHS)

    def find(self, intent: str) -> ProviderJob | None:
        return at_aws.found(self.look, intent)

    def start(self, training: Training) -> ProviderJob:
        with at_aws.translated():
            order = self._order(training)

            def create() -> ProviderJob:
                arn = aws.bedrock().create_model_customization_job(**order)["jobArn"]
                return ProviderJob(arn, "validating_files")

            return at_aws.started(create, lambda: self.find(training.intent))

    def look(self, provider_job_id: str) -> ProviderJob:
        with at_aws.translated():
            return self._job(aws.bedrock().get_model_customization_job(jobIdentifier=provider_job_id))

    def deploy(self, trained: Trained) -> Deployment | None:
        with at_aws.translated():
            deployment = self._deployment(trained.intent) or self._deployed(trained)
        if deployment is None:
            return Deployment("", at_aws.served_by(_PROVIDER_KIND) or "")
        status = deployment["status"]
        failure = deployment.get("failureMessage", "Bedrock says no more.")
        return Deployment(
            served_as=deployment["customModelDeploymentArn"],
            provider=at_aws.served_by(_PROVIDER_KIND) or "",
            ready=state_of(_DEPLOYED, status, f"deployment {trained.intent}"),
            error=JobFailure(code="deployment_failed", message=failure) if status == "Failed" else None,
        )

    def cancel(self, provider_job_id: str) -> None:
        with at_aws.translated():
            aws.bedrock().stop_model_customization_job(jobIdentifier=provider_job_id)

    def forget(self, intent: str) -> None:
        with at_aws.translated():
            blobs.delete(blobs.keys(at_aws.folder(intent)))

    def retire(self, model: ModelVersion) -> None:
        """Delete the deployment, then the model; both have the intent for a name.

        Bedrock refuses it while a deployment is made, and while a model is deployed: TrainerAway.
        """
        name = model.job_id or ""
        with at_aws.translated(busy=frozenset({_TAKEN})):
            with at_aws.gone():
                aws.bedrock().delete_custom_model_deployment(customModelDeploymentIdentifier=name)
            with at_aws.gone():
                aws.bedrock().delete_custom_model(modelIdentifier=name)

    def _order(self, training: Training) -> dict[str, Any]:
        name = TRAINERS["bedrock"].formats[training.method]
        files = {split: at_aws.stored(training, split, file, name) for split, file in training.files.items()}
        base = at_aws.plain(training.model)
        order: dict[str, Any] = {
            "jobName": training.intent,
            "customModelName": training.intent,
            "clientRequestToken": training.intent,
            "roleArn": settings().TRAINING_ROLE_ARN,
            "baseModelIdentifier": _CUSTOMIZED.get(base, base),
            "customizationType": "FINE_TUNING",
            "trainingDataConfig": {"s3Uri": files["train"]},
            "outputDataConfig": {"s3Uri": at_aws.uri(f"{at_aws.folder(training.intent)}output")},
            "hyperParameters": _hyperparameters(training.hyperparameters),
        }
        if "validation" in files and base not in _NO_VALIDATION:
            order["validationDataConfig"] = {"validators": [{"s3Uri": files["validation"]}]}
        return order

    def _job(self, job: dict[str, Any]) -> ProviderJob:
        status = state_of(_STATES, job["status"], f"job {job['jobName']}", job_id=job["jobArn"])
        validation = job.get("statusDetails", {}).get("validationDetails", {})
        if status == "running" and validation.get("status") != _VALIDATED:
            status = "validating_files"
        failure = job.get("failureMessage") or "Bedrock says no more."
        return ProviderJob(
            id=job["jobArn"],
            status=status,
            fine_tuned_model=job.get("outputModelArn"),
            finished_at=_seconds(job["endTime"]) if "endTime" in job else None,
            error=JobFailure(code="job_failed", message=failure) if status == "failed" else None,
            events=(*_stages(job), *(_steps(job) if status == "succeeded" else ())),
        )

    def _deployment(self, name: str) -> dict[str, Any] | None:
        with at_aws.gone():
            found: dict[str, Any] = aws.bedrock().get_custom_model_deployment(customModelDeploymentIdentifier=name)
            return found
        return None

    def _deployed(self, trained: Trained) -> dict[str, Any] | None:
        """Start the deployment; None where it cannot be read yet."""
        aws.bedrock().create_custom_model_deployment(
            modelDeploymentName=trained.intent, modelArn=trained.artifact, clientRequestToken=trained.intent
        )
        return self._deployment(trained.intent)


def _hyperparameters(given: dict[str, Any]) -> dict[str, str]:
    """Bedrock's names and texts of what was chosen; what is left to Bedrock is not sent."""
    return {_NAMES[name]: str(value) for name, value in given.items() if value != "auto"}


def _stages(job: dict[str, Any]) -> Iterator[TrainerEvent]:
    """An event for the start and for the end of each stage. Times are Bedrock's."""
    for stage, name in _STAGES.items():
        details = job.get("statusDetails", {}).get(stage, {})
        status = details.get("status", "NotStarted")
        if status == "NotStarted":
            continue
        time = details.get("creationTime" if status == "InProgress" else "lastModifiedTime")
        yield TrainerEvent(f"{stage}-{status}", _seconds(time or job["creationTime"]), f"{name}: {status}")


def _steps(job: dict[str, Any]) -> Iterator[TrainerEvent]:
    """The loss of each step, from the table that Bedrock writes beside the model; nothing where it has none."""
    folder = job["outputDataConfig"]["s3Uri"].partition(f"s3://{settings().BUCKET}/")[2]
    job_id = job["jobArn"].rpartition("/")[2]
    table = blobs.find(f"{folder}/model-customization-job-{job_id}/training_artifacts/step_wise_training_metrics.csv")
    time = _seconds(job.get("endTime") or job["creationTime"])
    for row in csv.DictReader(io.StringIO((table or b"").decode())):
        with suppress(KeyError, ValueError):
            step, loss = int(row["step_number"]), float(row["training_loss"])
            yield TrainerEvent(f"step-{step}", time, f"Step {step}", metrics={"step": step, "train_loss": loss})


def _seconds(time: datetime | None) -> int:
    return int(time.timestamp()) if time else now()
