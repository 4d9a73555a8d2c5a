"""What every grader takes and gives.

A grader is a pydantic model of its definition with one coroutine, `grade(item, sample, judge)`. It returns a
`Grade`; where it cannot grade it raises `NotGradable`, which makes the row errored and loses nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from foundation.errors import StillhouseError

type Judge = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""Asks a model: a chat completion's request in, its response out."""


class NotGradable(StillhouseError):
    """This row cannot be graded; the message says why."""


class Grade(BaseModel):
    """One criterion's finding about one sample."""

    passed: bool
    score: float
    sample: dict[str, Any] | None = None


class GraderModel(BaseModel):
    """The part of a definition that all graders share; unknown fields are kept and given back."""

    model_config = ConfigDict(extra="allow")

    name: str = Field(min_length=1)
    id: str = ""
