"""Whether a task suits distillation, on the two axes of OpenAI's talk: narrow or broad, tolerant or precise."""

from __future__ import annotations

from typing import Literal

from foundation.document import Document


class Clue(Document):
    """One figure that speaks for a placement."""

    name: str
    value: float | None
    """Null where it is not known."""
    says: Literal["narrow", "broad", "tolerant", "precise", "nothing"]
    """Where it points; `nothing` where it is not known, or between both."""
    meaning: str
    """What the figure is, in words."""


class Suitability(Document):
    """Where the task stands, on what evidence, and what follows."""

    breadth: Literal["narrow", "broad"]
    """Whether inputs and answers are of few kinds or of many."""
    precision: Literal["tolerant", "precise"]
    """Whether many answers would do, or exactly one."""
    evidence: list[Clue]
    advice: str
    """What the talk says of such tasks."""
