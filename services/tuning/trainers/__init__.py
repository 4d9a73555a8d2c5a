"""The trainer seam: a training file in, a job followed to a model that answers.

To add one: a module with a status table, a line here, its name in `foundation.distillations`.
"""

from __future__ import annotations

from collections.abc import Callable

from tuning.trainers.openai_compatible import default_trainer
from tuning.trainers.trainer import (
    ProviderJob,
    Trainer,
    TrainerAway,
    TrainerRefused,
    Training,
)

TRAINERS: dict[str, Callable[[], Trainer]] = {"default": default_trainer}

__all__ = ["TRAINERS", "ProviderJob", "Trainer", "TrainerAway", "TrainerRefused", "Training"]
