"""`truncated`: drops an answer that was cut off at its limit of tokens."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Finding, Known
from distillations.answer_steps import Truncated


def judge(candidate: Candidate, settings: Truncated, known: Known) -> Finding | None:  # noqa: ARG001
    cut = candidate.finish_reason == "length"
    return Finding("The answer was cut off at its limit of tokens.") if cut else None
