"""What trainers check alike before they are asked: each line of the files, and the hyperparameters.

In: an order, and what its trainer takes. Out: the first problems, each with its field and its line.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import orjson
from pydantic import BaseModel, ValidationError

from distillations.supervised import problem_of
from foundation.blobs import LineTooLong
from tuning.trainers.trainer import Problem, Training
from tuning.trainers.training_file import TrainingFile

MOST_PROBLEMS = 100


def problems_of(training: Training, hyperparameters: type[BaseModel], example: type[BaseModel]) -> list[Problem]:
    """At most 100 problems of an order."""
    return list(islice(_problems(training, hyperparameters, example), MOST_PROBLEMS))


def _problems(training: Training, hyperparameters: type[BaseModel], example: type[BaseModel]) -> Iterator[Problem]:
    yield from _of_hyperparameters(training, hyperparameters)
    for name, file in training.files.items():
        yield from _of_lines(name, file, example)


def _of_hyperparameters(training: Training, taken: type[BaseModel]) -> Iterator[Problem]:
    try:
        taken.model_validate(training.hyperparameters)
    except ValidationError as error:
        for wrong in error.errors(include_url=False, include_input=False):
            field = ".".join(["hyperparameters", *(str(step) for step in wrong["loc"])])
            yield Problem(field, wrong["msg"])


def _of_lines(name: str, file: TrainingFile, example: type[BaseModel]) -> Iterator[Problem]:
    number = 0
    try:
        for number, line in enumerate(file.read(), start=1):
            problem = _of_line(line, example) if line.strip() else None
            if problem:
                yield Problem(name, problem, line=number)
    except LineTooLong as error:
        yield Problem(name, error.message, line=number + 1)


def _of_line(line: bytes, example: type[BaseModel]) -> str | None:
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError:
        return "the line is no JSON"
    return problem_of(document, example) if isinstance(document, dict) else "the line is no JSON object"
