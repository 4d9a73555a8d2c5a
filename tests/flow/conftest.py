"""The lab of the flows learns the same lesson once: the same examples and seed give the same model, whoever asks."""

from __future__ import annotations

from functools import cache

import pytest

from local.lab import jobs
from local.lab.guesser import LabelWords
from local.lab.student import Example, Student, train

_guessed = cache(LabelWords.best)


@cache
def _learnt(examples: tuple[Example, ...], seed: int, passes: int) -> Student:
    student = train([*examples], seed=seed, passes=passes)
    student.sure = cache(student.sure)  # type: ignore[method-assign]
    return student


def _learnt_once(examples: list[Example], *, seed: int, passes: int) -> Student:
    return _learnt(tuple(examples), seed, passes)


@pytest.fixture(autouse=True)
def one_lesson(monkeypatch: pytest.MonkeyPatch) -> None:
    """Learn from the same examples once, and answer the same prompt once."""
    monkeypatch.setattr(jobs, "train", _learnt_once)
    monkeypatch.setattr(LabelWords, "best", _guessed)
