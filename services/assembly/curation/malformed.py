"""`malformed`: drops a completion of which no line comes that the trainer takes: it would refuse the whole file."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Known
from distillations.supervised import problem_of


def drops(candidate: Candidate, known: Known) -> bool:
    return problem_of(candidate.line, known.example) is not None
