"""A model that SageMaker trained, imported into Bedrock: it costs by the minute while it is asked, and has no endpoint.

In: a trained model's intent and folder of weights. Out: the imported model, once it is there. Job and model have the
intent as their name and are looked up before they are made; no event tells of an import, so each look asks. Bedrock
wants whole weights: those of an adapter are imported as SageMaker has merged them.

Assumed: a training of an adapter leaves merged weights beside it, as AWS's own SDK imports them. Which architectures
Bedrock takes is told by families alone; what it makes of a member is the import's own word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from distillations.job import JobFailure
from foundation import aws
from foundation.settings import settings
from tuning.trainers import at_aws
from tuning.trainers.serving import ADAPTER, MERGED
from tuning.trainers.trainer import Deployment, Problem, Trained, TrainerAway, state_of

PROVIDER = "bedrock_imported"
"""The kind of provider that serves these models, which is there in the stack's region without being added."""
_IMPORT = "import"
_FAMILIES = ("Flan", "GPT-BigCode", "GPT-OSS", "Llama", "Mistral", "Mixtral", "Qwen")
_TAKEN = re.compile("|".join(name.replace("-", "[-_.]?") for name in _FAMILIES), re.IGNORECASE)
_WAITS, _THERE, _FAILED = "waits", "there", "failed"
_STATES: Mapping[str, str] = {"InProgress": _WAITS, "Completed": _THERE, "Failed": _FAILED}


def is_wanted() -> bool:
    """Whether the stack has what SageMaker trains imported, rather than served by endpoints."""
    return settings().SAGEMAKER_SERVING == _IMPORT


def problems(model: str) -> Iterator[Problem]:
    """That Bedrock imports no model like this one."""
    if is_wanted() and not _TAKEN.search(at_aws.plain(model)):
        yield Problem("model", f"Bedrock imports no model like '{model}', but of: {', '.join(_FAMILIES)}")


def serve(trained: Trained) -> Deployment:
    """Begin the import, or look at the one that was begun for the same intent."""
    arn = _model(trained.intent)
    if arn:
        return Deployment(arn, PROVIDER, ready=True)
    job = _job(trained.intent)
    if job is None:
        _begin(trained)
        return Deployment("", PROVIDER)
    failure = job.get("failureMessage") or "Bedrock says no more."
    failed = _state(job) == _FAILED
    # One that is completed has a model in a moment, unless that was deleted since.
    return Deployment("", PROVIDER, error=JobFailure(code="deployment_failed", message=failure) if failed else None)


def remove(intent: str) -> None:
    """Delete the imported model. Raises TrainerAway while it is imported: nobody can stop that."""
    job = _job(intent)
    if job and _state(job) == _WAITS:
        raise TrainerAway(f"Bedrock still imports the model {intent}")
    with at_aws.gone():
        aws.bedrock().delete_imported_model(modelIdentifier=intent)


def _begin(trained: Trained) -> None:
    folder = trained.artifact.removesuffix(MERGED).removesuffix(ADAPTER)
    with at_aws.there():
        aws.bedrock().create_model_import_job(
            jobName=trained.intent,
            importedModelName=trained.intent,
            clientRequestToken=trained.intent,
            roleArn=settings().TRAINING_ROLE_ARN,
            modelDataSource={"s3DataSource": {"s3Uri": f"{folder}{MERGED}"}},
        )


def _model(name: str) -> str | None:
    with at_aws.gone():
        return str(aws.bedrock().get_imported_model(modelIdentifier=name)["modelArn"])
    return None


def _job(name: str) -> dict[str, Any] | None:
    with at_aws.gone():
        found: dict[str, Any] = aws.bedrock().get_model_import_job(jobIdentifier=name)
        return found
    return None


def _state(job: dict[str, Any]) -> str:
    return state_of(_STATES, job["status"], f"import {job['jobName']}")
