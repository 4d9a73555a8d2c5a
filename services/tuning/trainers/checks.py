"""What trainers check alike before they are asked: each line of the files, and the hyperparameters.

In: an order, and what its trainer takes. Out: the first problems, each with its field and its line.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from pydantic import ValidationError

from distillations.formats.validator import report_on
from distillations.trainers import TrainerEntry
from tuning.trainers.trainer import Problem, Training

MOST_PROBLEMS = 100


def problems_of(training: Training, entry: TrainerEntry) -> list[Problem]:
    """At most 100 problems of an order, by what is registered for its trainer."""
    return list(islice(_problems(training, entry), MOST_PROBLEMS))


def _problems(training: Training, entry: TrainerEntry) -> Iterator[Problem]:
    yield from _of_hyperparameters(training, entry)
    for name, file in training.files.items():
        least = entry.least_examples if name == "train" else 1
        report = report_on(file.raw(), entry.formats[training.method], least=least)
        for finding in report.findings:
            if finding.level == "error":
                message = f"{finding.field}: {finding.message}" if finding.field else finding.message
                yield Problem(name, message, line=finding.line)


def _of_hyperparameters(training: Training, entry: TrainerEntry) -> Iterator[Problem]:
    try:
        entry.hyperparameters.model_validate(training.hyperparameters)
    except ValidationError as error:
        for wrong in error.errors(include_url=False, include_input=False):
            field = ".".join(["hyperparameters", *(str(step) for step in wrong["loc"])])
            yield Problem(field, wrong["msg"])
