"""The trainer seam: a training file in, a job followed to a model that answers.

To add a trainer: a module here with `make_trainer()` and the table of its provider's states, a line in
`distillations.trainers`, and one in `tests/tuning/trainers/far_sides.py`, which has it go through the conformance
suite.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from distillations.trainers import TRAINERS
from tuning.trainers.trainer import (
    Deployment,
    Problem,
    ProviderJob,
    Trained,
    Trainer,
    TrainerAway,
    TrainerEvent,
    TrainerRefused,
    Training,
    UnknownState,
)
from tuning.trainers.training_file import TrainingFile


@cache
def trainer_named(name: str) -> Trainer:
    """The trainer of the registry's name, made once for each warm function. Raises KeyError on an unknown name."""
    trainer: Trainer = import_module(f"tuning.trainers.{TRAINERS[name].module}").make_trainer()
    return trainer


__all__ = [
    "Deployment",
    "Problem",
    "ProviderJob",
    "Trained",
    "Trainer",
    "TrainerAway",
    "TrainerEvent",
    "TrainerRefused",
    "Training",
    "TrainingFile",
    "UnknownState",
    "trainer_named",
]
