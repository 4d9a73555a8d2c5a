"""What is asked of the drift watch."""

from __future__ import annotations

from typing import ClassVar, Literal

from foundation.message import Message


class LookForDrift(Message):
    """Hold the recent traffic of this alias against what the model that answers it learnt from.

    Its correlation id is that dataset's.
    """

    QUEUE: ClassVar[str] = "ASSEMBLY_QUEUE_URL"
    ABOUT: ClassVar[str] = "alias"

    type: Literal["LookForDrift"] = "LookForDrift"
    alias: str
