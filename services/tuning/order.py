"""The order that a trainer gets for a job: from the dataset of a distillation, or from the files that were uploaded.

Raises TrainerRefused where a file is gone that the job was to train on.
"""

from __future__ import annotations

from distillations.dataset import Dataset
from distillations.job import Job
from evals.files import File
from foundation.errors import NotFound
from tuning.trainers import TrainerRefused, Training, TrainingFile

_SUFFIX_LENGTH = 18
SUFFIX = "stillhouse"
"""What stands in the name of a model where nobody named it."""


def training_of(job: Job) -> Training:
    """The order for this job."""
    return _of_dataset(job) if job.dataset_id else _of_uploads(job)


def _of_dataset(job: Job) -> Training:
    dataset = Dataset.load(job.dataset_id or "")
    validation = TrainingFile.at(dataset.key("validation.jsonl"))
    return Training(
        intent=job.id,
        model=job.model,
        train=TrainingFile.at(dataset.key("train.jsonl")),
        validation=validation if validation.size else None,
        hyperparameters=job.hyperparameters,
        seed=job.seed,
        suffix=job.suffix or SUFFIX,
        method=job.method,
        card=dataset.card,
    )


def _of_uploads(job: Job) -> Training:
    return Training(
        intent=job.id,
        model=job.model,
        train=_uploaded(job.training_file or "", "training_file"),
        validation=_uploaded(job.validation_file, "validation_file") if job.validation_file else None,
        hyperparameters=job.hyperparameters,
        seed=job.seed,
        suffix=job.suffix or SUFFIX,
        method=job.method,
    )


def _uploaded(file_id: str, param: str) -> TrainingFile:
    try:
        file = File.load(file_id, param=param)
    except NotFound as error:
        message = f"The file {file_id} was deleted, or has expired, before the job could start."
        raise TrainerRefused(message, "file_not_found", param=param) from error
    return TrainingFile.at(file.key)


def suffix_of(name: str) -> str:
    """A suffix that every trainer takes, from the name of a distillation."""
    kept = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name.lower())
    return kept.strip("-")[:_SUFFIX_LENGTH].strip("-") or SUFFIX
