"""`malformed`: drops a completion of which no line comes that the trainer takes: it would refuse the whole file."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Finding, Known
from distillations.supervised import problem_of


def judge(candidate: Candidate, settings: None, known: Known) -> Finding | None:  # noqa: ARG001
    problem = problem_of(candidate.line, known.example)
    return Finding(problem) if problem else None
