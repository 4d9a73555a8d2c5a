"""`schema_invalid`: drops an answer that is not what the request's own `response_format` asked for."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Finding, Known
from distillations.answer_problems import format_problem
from distillations.answer_steps import SchemaInvalid


def judge(candidate: Candidate, settings: SchemaInvalid, known: Known) -> Finding | None:  # noqa: ARG001
    problem = format_problem(candidate.message, candidate.completion.request)
    return Finding(problem) if problem else None
