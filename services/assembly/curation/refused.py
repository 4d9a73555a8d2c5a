"""`refused`: drops an answer by which the teacher refused."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Known
from completions.messages import refusal_of


def drops(candidate: Candidate, known: Known) -> bool:  # noqa: ARG001
    return bool(refusal_of(candidate.message))
