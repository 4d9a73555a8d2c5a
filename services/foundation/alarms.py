"""What CloudWatch says of an alarm, as EventBridge hands it to a queue."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from foundation.bounds import CutName, CutText


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
