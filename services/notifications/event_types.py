"""The types of events that channels are told of: `<object>.<what happened>`."""

from __future__ import annotations

from typing import Literal, get_args

type EventType = Literal[
    "eval.run.succeeded",
    "eval.run.failed",
    "eval.run.canceled",
    "distillation.blocked",
    "distillation.failed",
    "distillation.verdict",
    "fine_tuning.job.succeeded",
    "fine_tuning.job.failed",
    "fine_tuning.job.cancelled",
    "fine_tuning.job.waiting_for_model",
    "fine_tuning.job.stalled",
    "model.shutdown_approaching",
    "model.retirement_approaching",
    "spending.cap_reached",
    "alias.promoted",
    "alias.drifted",
    "rollout.started",
    "rollout.advanced",
    "rollout.paused",
    "rollout.rolled_back",
    "rollout.promoted",
    "stack.alarm",
]
EVENT_TYPES: tuple[str, ...] = get_args(EventType.__value__)
"""All that a channel can be told of."""
TEST = "channel.test"
"""What goes to the channel alone that is tested, whatever it asks for."""
MAILED: tuple[EventType, ...] = (
    "distillation.blocked",
    "distillation.failed",
    "distillation.verdict",
    "fine_tuning.job.waiting_for_model",
    "fine_tuning.job.stalled",
    "model.shutdown_approaching",
    "model.retirement_approaching",
    "spending.cap_reached",
    "alias.promoted",
    "alias.drifted",
    "rollout.paused",
    "rollout.rolled_back",
    "rollout.promoted",
)
"""What the stack's topic is told of until somebody chooses: verdicts, and what waits for a person.

CloudWatch tells it of alarms by itself."""
