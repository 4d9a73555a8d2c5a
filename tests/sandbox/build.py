"""Sources graded by real processes, and what stands around them on this machine."""

from __future__ import annotations

import textwrap
from functools import cache
from typing import Any

import pytest

from isolation import run

FAILED = "python_grader_runtime_error"


def event(source: str, *, sample: Any = None, item: Any = None, **limits: Any) -> dict[str, Any]:
    return {
        "source": textwrap.dedent(source),
        "sample": {"output_text": "yes"} if sample is None else sample,
        "item": {"reference": "yes"} if item is None else item,
        "limits": {"wall_s": 5.0, **limits},
    }


def graded(source: str, **kwargs: Any) -> dict[str, Any]:
    return run.grade(event(source, **kwargs))


def message(answer: dict[str, Any]) -> str:
    """Why the source has no score."""
    assert "score" not in answer, answer
    assert answer["error"]["code"] == FAILED
    return str(answer["error"]["message"])


@cache
def walls() -> frozenset[str]:
    return frozenset(graded("def grade(sample, item): return 1.0")["walls"])


def needs(wall: str) -> None:
    """Skip where this kernel does not give the wall that a test is about."""
    if wall not in walls():
        pytest.skip(f"this kernel gives no {wall}")
