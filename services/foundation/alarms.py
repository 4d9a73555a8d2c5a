"""What CloudWatch says of an alarm, as EventBridge hands it to a queue."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from foundation.bounds import CutName, CutText
from foundation.settings import settings

_OWN = re.compile(r"[A-Za-z0-9]+-[A-Za-z0-9]+")
"""What CloudFormation puts behind the stack's name: the alarm's name in the template, and random letters."""


class _State(BaseModel):
    value: str
    reason: CutText = ""


class _Configuration(BaseModel):
    description: CutText = ""


class _Detail(BaseModel):
    alarm_name: CutName = Field(alias="alarmName")
    state: _State
    configuration: _Configuration = _Configuration()


class AlarmStateChange(BaseModel):
    """EventBridge's message that an alarm came to another state. `id` is the same whenever it is delivered."""

    id: CutName
    source: Literal["aws.cloudwatch"]
    kind: Literal["CloudWatch Alarm State Change"] = Field(alias="detail-type")
    time: datetime
    detail: _Detail

    @property
    def is_own(self) -> bool:
        """Whether it is an alarm of this stack; the rule lets those of a stack `<this one>-test` through, too."""
        return is_of_this_stack(self.detail.alarm_name)


def is_of_this_stack(alarm: str) -> bool:
    """Whether an alarm of this name is one of this stack's: what `<this one>-test` has begins alike, and is none."""
    stack = f"{settings().STACK_NAME}-"
    return alarm.startswith(stack) and _OWN.fullmatch(alarm.removeprefix(stack)) is not None
