"""The trainer seam: a training file in, a job followed to a model that answers.

To add a trainer: a module here with `make_trainer()` and the table of its provider's states, a line in
`distillations.trainers`, and one in `tests/tuning/trainers/far_sides.py`, which has it go through the conformance
suite. A hosted one's `make_trainer` takes the account that it trains in.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from distillations.trainers import entry_of
from tuning.trainers.account import Account, account_of
from tuning.trainers.trainer import (
    Deployment,
    PausingTrainer,
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


def trainer_named(name: str) -> Trainer:
    """The trainer of this name, or of the provider of this name. Raises KeyError on an unknown name."""
    entry = entry_of(name)
    return made(entry.module, account_of(name)) if entry.hosts else made(entry.module)


@cache
def made(module: str, *account: Account) -> Trainer:
    """A module's trainer, made once for each warm function, and for each account."""
    trainer: Trainer = import_module(f"tuning.trainers.{module}").make_trainer(*account)
    return trainer


__all__ = [
    "Deployment",
    "PausingTrainer",
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
    "made",
    "trainer_named",
]
