"""`empty`: drops an answer without text and without tool calls."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Finding, Known
from completions.messages import calls_of, text_of
from distillations.answer_steps import Empty


def judge(candidate: Candidate, settings: Empty, known: Known) -> Finding | None:  # noqa: ARG001
    says_something = text_of(candidate.message.get("content")).strip() or calls_of(candidate.message)
    return None if says_something else Finding("The answer has neither text nor tool calls.")
