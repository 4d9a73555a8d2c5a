"""`duplicates`: drops a completion whose question trains already with the same answer."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Known


def drops(candidate: Candidate, known: Known) -> bool:
    return known.answers.get(candidate.input_key) == candidate.answer_key
