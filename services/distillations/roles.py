"""The models that a distillation compares."""

from __future__ import annotations

from typing import Literal, get_args

type Role = Literal["teacher", "baseline", "distilled"]

ROLES: tuple[Role, ...] = get_args(Role.__value__)
"""The teacher is imitated, the baseline is the student before training, the distilled model the student after it."""
