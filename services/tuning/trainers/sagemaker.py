"""Amazon SageMaker's serverless fine-tuning of open models, served by its endpoints or imported into Bedrock.

The intent is the name of the job and of all that serves its model: SageMaker makes none of them twice. It has no client
token, so a name that is taken is the job of a lost answer. No hyperparameter is sent that nobody chose; what was chosen
is held against the recipe of the hub. The copies of the training set leave the bucket with the job, the weights when
the model is retired. An endpoint costs by the hour, asked or not, unless it may scale to zero: see `serving`, `idle`;
what Bedrock imports costs while it is asked: see `imported`.

Assumed: adapter and weights lie where AWS's own SDK looks for them, in the folders that `serving` names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from distillations.hyperparameters import SageMakerHyperparameters
from distillations.job import Estimate, JobFailure, JobStatus
from distillations.trainers import TRAINERS
from foundation import aws, blobs
from foundation.settings import settings
from providers.model_version import ModelVersion
from tuning.trainers import at_aws, imported, recipe, serving
from tuning.trainers.checks import problems_of
from tuning.trainers.trainer import (
    Deployment,
    Problem,
    ProviderJob,
    Trained,
    TrainerEvent,
    TrainerRefused,
    Training,
    state_of,
)

_NOVA = "nova"
_STATES: dict[str, JobStatus] = {
    "InProgress": "running",
    "Completed": "succeeded",
    "Failed": "failed",
    "Stopping": "running",
    "Stopped": "cancelled",
    "Deleting": "running",
}
_BEFORE_TRAINING = frozenset({"Pending", "Starting", "LaunchingMLInstances", "PreparingTrainingStack", "Downloading"})
_WITHOUT_MODEL = frozenset({"Failed", "Stopped"})
_TOO_LONG = "MaxRuntimeExceeded"
_SPLITS = ("train", "validation")


def make_trainer() -> SageMakerTrainer:
    """The trainer in the stack's own region."""
    return SageMakerTrainer()


class SageMakerTrainer:
    """Serverless training jobs of SageMaker."""

    deploys = True

    def check(self, training: Training) -> list[Problem]:
        problems = [
            *at_aws.missing_role("SageMakerTraining"),
            *imported.problems(training.model),
            *problems_of(training, TRAINERS["sagemaker"]),
        ]
        return problems or list(self._problems_of_recipe(training))

    def estimate(self, training: Training) -> Estimate:
        return at_aws.estimate(training, SageMakerHyperparameters.DEFAULT_EPOCHS)

    def find(self, intent: str) -> ProviderJob | None:
        return at_aws.found(self.look, intent)

    def start(self, training: Training) -> ProviderJob:
        with at_aws.translated():
            order = self._order(training)

            def create() -> ProviderJob:
                aws.sagemaker().create_training_job(**order)
                return ProviderJob(training.intent, "queued")

            return at_aws.started(create, lambda: self.find(training.intent))

    def look(self, provider_job_id: str) -> ProviderJob:
        with at_aws.translated():
            return _job(aws.sagemaker().describe_training_job(TrainingJobName=provider_job_id))

    def deploy(self, trained: Trained) -> Deployment | None:
        with at_aws.translated():
            return imported.serve(trained) if imported.is_wanted() else serving.serve(trained)

    def cancel(self, provider_job_id: str) -> None:
        with at_aws.translated():
            aws.sagemaker().stop_training_job(TrainingJobName=provider_job_id)

    def forget(self, intent: str) -> None:
        """Delete the copies of the training set, and what a training left that ended without a model.

        The weights of one that succeeded stay: they are what is served.
        """
        with at_aws.translated():
            blobs.delete([f"{at_aws.folder(intent)}{split}.jsonl" for split in _SPLITS])
            with at_aws.gone():
                job = aws.sagemaker().describe_training_job(TrainingJobName=intent)
                if job["TrainingJobStatus"] in _WITHOUT_MODEL:
                    blobs.delete(blobs.keys(at_aws.folder(intent)))

    def retire(self, model: ModelVersion) -> None:
        """Delete what serves the model, its package, and its weights. TrainerAway until all of it is gone."""
        name = model.job_id or ""
        with at_aws.translated():
            if imported.is_wanted() or model.provider == imported.PROVIDER:
                imported.remove(name)
            serving.remove(name)
            with at_aws.gone():
                package = aws.sagemaker().describe_training_job(TrainingJobName=name).get("OutputModelPackageArn")
                if package:
                    aws.sagemaker().delete_model_package(ModelPackageName=package)
            blobs.delete(blobs.keys(at_aws.folder(name)))

    def _problems_of_recipe(self, training: Training) -> Iterator[Problem]:
        model = at_aws.plain(training.model)
        if _NOVA in model.lower():
            yield Problem("model", "Nova takes other training files: use the trainer 'bedrock'")
            return
        with at_aws.translated():
            known = None
            with at_aws.gone():
                known = recipe.recipe_of(model, training.method, full=_is_full(training))
        if known is None:
            yield Problem("model", f"SageMaker's public hub has no recipe that fine-tunes '{model}' like this")
            return
        yield from known.problems(_chosen(training))

    def _order(self, training: Training) -> dict[str, Any]:
        name = TRAINERS["sagemaker"].formats[training.method]
        files = {split: at_aws.stored(training, split, file, name) for split, file in training.files.items()}
        known = recipe.recipe_of(at_aws.plain(training.model), training.method, full=_is_full(training))
        if known is None:
            raise TrainerRefused(f"SageMaker's public hub has no recipe that fine-tunes '{training.model}' like this")
        order: dict[str, Any] = {
            "TrainingJobName": training.intent,
            "RoleArn": settings().TRAINING_ROLE_ARN,
            "InputDataConfig": [_channel(split, address) for split, address in files.items()],
            "OutputDataConfig": {
                "S3OutputPath": at_aws.uri(f"{at_aws.folder(training.intent)}output"),
                "CompressionType": "NONE",
            },
            "ServerlessJobConfig": {
                "BaseModelArn": known.base_arn,
                "JobType": "FineTuning",
                "CustomizationTechnique": recipe.TECHNIQUES[training.method],
                "AcceptEula": True,
                **({} if _is_full(training) else {"Peft": "LORA"}),
            },
            "ModelPackageConfig": {"ModelPackageGroupArn": _group()},
        }
        chosen = known.texts(_chosen(training))
        return {**order, "HyperParameters": chosen} if chosen else order


def _group() -> str:
    """The group of the stack's model packages, which every job needs; made at the first one."""
    name = settings().STACK_NAME
    known = _known_group(name)
    if known is None:
        with at_aws.there():
            aws.sagemaker().create_model_package_group(ModelPackageGroupName=name)
        known = _known_group(name)
    return known or ""


def _known_group(name: str) -> str | None:
    with at_aws.gone():
        found = aws.sagemaker().describe_model_package_group(ModelPackageGroupName=name)
        return str(found["ModelPackageGroupArn"])
    return None


def _channel(split: str, address: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": address, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": split, "DataSource": {"S3DataSource": source}}


def _is_full(training: Training) -> bool:
    return bool(training.hyperparameters.get("full"))


def _chosen(training: Training) -> dict[str, Any]:
    """What was chosen of the recipe's hyperparameters; what is left to SageMaker is not sent."""
    return {name: value for name, value in training.hyperparameters.items() if name != "full" and value != "auto"}


def _job(job: dict[str, Any]) -> ProviderJob:
    name = job["TrainingJobName"]
    status = state_of(_STATES, job["TrainingJobStatus"], f"job {name}", job_id=name)
    if status == "running" and job["SecondaryStatus"] in _BEFORE_TRAINING:
        status = "queued"
    failure = job.get("FailureReason") or "SageMaker says no more."
    if job["SecondaryStatus"] == _TOO_LONG:
        status, failure = "failed", "The training took longer than its stopping condition allows."
    weights = _weights(job) if status == "succeeded" else None
    ended = job.get("TrainingEndTime")
    return ProviderJob(
        id=name,
        status=status,
        fine_tuned_model=weights,
        trained_tokens=job.get("BillableTokenCount"),
        finished_at=int(ended.timestamp()) if ended else None,
        error=JobFailure(code="job_failed", message=failure) if status == "failed" else None,
        progress=_progress(job.get("ProgressInfo") or {}),
        events=tuple(_events(job)),
    )


def _weights(job: dict[str, Any]) -> str:
    """The folder of what was trained."""
    folder = serving.ADAPTER if job.get("ServerlessJobConfig", {}).get("Peft") else serving.MERGED
    return f"{job['ModelArtifacts']['S3ModelArtifacts'].rstrip('/')}/{folder}"


def _progress(info: dict[str, Any]) -> float | None:
    """The share of all steps that is done, if SageMaker tells the steps."""
    steps = (info.get("TotalStepCountPerEpoch") or 0) * (info.get("MaxEpoch") or 0)
    if not steps:
        return None
    done = (info.get("CurrentEpoch") or 0) * info["TotalStepCountPerEpoch"] + (info.get("CurrentStep") or 0)
    return min(float(done / steps), 1.0)


def _events(job: dict[str, Any]) -> Iterator[TrainerEvent]:
    for number, transition in enumerate(job.get("SecondaryStatusTransitions", [])):
        status, told = transition["Status"], transition.get("StatusMessage")
        message = f"{status}: {told}" if told else status
        yield TrainerEvent(f"{number}-{status}", int(transition["StartTime"].timestamp()), message)
