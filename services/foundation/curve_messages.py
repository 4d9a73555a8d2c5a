"""What is asked of a learning curve."""

from __future__ import annotations

from typing import ClassVar, Literal

from foundation.message import Message


class AdvanceLearningCurve(Message):
    """Something that this learning curve waits for has changed: read its rows and take the steps that are due."""

    QUEUE: ClassVar[str] = "DISTILLING_QUEUE_URL"
    ABOUT: ClassVar[str] = "learning_curve_id"

    type: Literal["AdvanceLearningCurve"] = "AdvanceLearningCurve"
    learning_curve_id: str
