"""`wrong_calls`: drops an answer that calls a tool that was not offered, or with arguments that break its schema."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Finding, Known
from distillations.answer_problems import calls_problem
from distillations.answer_steps import WrongCalls


def judge(candidate: Candidate, settings: WrongCalls, known: Known) -> Finding | None:  # noqa: ARG001
    problem = calls_problem(candidate.message, candidate.completion.request)
    return Finding(problem) if problem else None
