"""The trainer that writes files: a person trains on their own machine and names the model that comes of it.

`start` writes the training set and the recipe under `tuning/{job}/` in the bucket; the job then waits, without an end
to its patience, until somebody names the model (`stillhouse model add … --job`) or cancels. What is asked of the person
stands in the job. A model answers where its person has it answer: there is nothing to deploy, and nothing to retire.
"""

from __future__ import annotations

from typing import Any

import orjson

from distillations import by_hand
from distillations.by_hand import ByHand
from distillations.job import Estimate, JobStatus
from distillations.trainers import TRAINERS
from foundation import blobs
from foundation.settings import settings
from providers.model_version import ModelVersion
from tuning.trainers.account import name_there
from tuning.trainers.checks import problems_of
from tuning.trainers.trainer import (
    Deployment,
    Problem,
    ProviderJob,
    Trained,
    TrainerRefused,
    Training,
    state_of,
)

_STATES: dict[str, JobStatus] = {
    by_hand.WAITING: "waiting_for_model",
    by_hand.NAMED: "succeeded",
    by_hand.CANCELLED: "cancelled",
}
_SPLITS = ("train", "validation")
_TO_DO = """\
aws s3 cp --recursive s3://{bucket}/{folder} {job}/
uv run infra/train/sft.py {job}/recipe.json
stillhouse model add NAME --base BASE --url https://…/v1 --job {job}"""


def make_trainer() -> FileTrainer:
    return FileTrainer()


class FileTrainer:
    """Jobs that people carry out. Our id of the job is the trainer's, too."""

    deploys = False

    def check(self, training: Training) -> list[Problem]:
        return problems_of(training, TRAINERS["file"])

    def estimate(self, training: Training) -> Estimate:  # noqa: ARG002 - nobody knows the machine
        return Estimate()

    def find(self, intent: str) -> ProviderJob | None:
        known = by_hand.look(intent)
        return _job(intent, known) if known else None

    def start(self, training: Training) -> ProviderJob:
        for split, file in training.files.items():
            blobs.put_lines(_key(training.intent, f"{split}.jsonl"), file.read(), content_type="application/jsonl")
        recipe = orjson.dumps(_recipe(training), option=orjson.OPT_INDENT_2)
        blobs.put(_key(training.intent, "recipe.json"), recipe, content_type="application/json")
        by_hand.begin(training.intent)
        return self.look(training.intent)

    def look(self, provider_job_id: str) -> ProviderJob:
        known = by_hand.look(provider_job_id)
        if known is None:
            raise _unknown(provider_job_id)
        return _job(provider_job_id, known)

    def deploy(self, trained: Trained) -> Deployment | None:  # noqa: ARG002 - its person has it answer
        return None

    def cancel(self, provider_job_id: str) -> None:
        if by_hand.look(provider_job_id) is None:
            raise _unknown(provider_job_id)
        if not by_hand.cancel(provider_job_id):
            raise TrainerRefused(f"The training of {provider_job_id} has ended.", "already_ended", status=409)

    def forget(self, intent: str) -> None:
        """Delete the copies of the training set; the recipe stays, since it says how the model was trained."""
        blobs.delete([_key(intent, f"{split}.jsonl") for split in _SPLITS])

    def retire(self, model: ModelVersion) -> None:
        """Nothing here costs: its person stops the machine that serves it."""


def _unknown(job_id: str) -> TrainerRefused:
    return TrainerRefused(f"There is no training {job_id} to carry out.", "not_found", status=404)


def _job(job_id: str, known: ByHand) -> ProviderJob:
    status = state_of(_STATES, known.state, f"job {job_id}", job_id=job_id)
    version = ModelVersion.find(known.model) if known.model else None
    return ProviderJob(
        id=job_id,
        status=status,
        fine_tuned_model=known.model,
        provider=version.provider if version else "",
        to_do=_to_do(job_id) if status == "waiting_for_model" else None,
    )


def _to_do(job_id: str) -> str:
    return _TO_DO.format(bucket=settings().BUCKET, folder=_key(job_id, ""), job=job_id)


def _key(job_id: str, name: str) -> str:
    return f"tuning/{job_id}/{name}"


def _recipe(training: Training) -> dict[str, Any]:
    """What `infra/train/sft.py` reads: file names are relative to the recipe."""
    return {
        "job_id": training.intent,
        "base": name_there(training.model),
        "student": training.model,
        "suffix": training.suffix,
        "seed": training.seed,
        "method": training.method,
        "hyperparameters": training.hyperparameters,
        **{split: f"{split}.jsonl" if split in training.files else None for split in _SPLITS},
        "card": training.card.model_dump(mode="json") if training.card else None,
    }
