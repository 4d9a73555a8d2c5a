"""What is asked of a fine-tuning job that is under way, beside its end: to pause or go on, and to be looked at."""

from __future__ import annotations

from typing import ClassVar, Literal

from foundation.message import Message, ToTrainer


class PauseJob(ToTrainer):
    """Have the trainer pause this fine-tuning job, or go on with it, as the job says by now."""

    ABOUT: ClassVar[str] = "job_id"
    QUEUE: ClassVar[str] = "TUNING_QUEUE_URL"
    ASKS: ClassVar[str] = "PAUSE"

    type: Literal["PauseJob"] = "PauseJob"
    job_id: str


class LookAtJob(Message):
    """Look at this fine-tuning job now: its trainer has told that it has changed."""

    QUEUE: ClassVar[str] = "TUNING_QUEUE_URL"
    ABOUT: ClassVar[str] = "job_id"

    type: Literal["LookAtJob"] = "LookAtJob"
    job_id: str
