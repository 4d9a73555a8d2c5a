"""What a trainer would not take of an order, in the words of whoever asked for the job.

In: the trainer's problems. Out: the refusal that ends the job, which names the first of them with their lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tuning.trainers import Problem, TrainerRefused

_NAMED = 3
_FILES = {"train": "training_file", "validation": "validation_file"}


def of_uploads(problems: Sequence[Problem]) -> list[Problem]:
    """The problems with the names that the files have in a request for a job."""
    return [replace(problem, param=_FILES.get(problem.param, problem.param)) for problem in problems]


def refusal_of(problems: Sequence[Problem]) -> TrainerRefused:
    """The refusal of an order with these problems, of which there is at least one."""
    named = "; ".join(str(problem) for problem in problems[:_NAMED])
    more = f", and {len(problems) - _NAMED} more: see the job's events" if len(problems) > _NAMED else ""
    param = problems[0].param
    code = f"invalid_{param}" if param in _FILES.values() else "invalid_training_data"
    return TrainerRefused(f"The trainer would not take this: {named}{more}.", code, param=param)
