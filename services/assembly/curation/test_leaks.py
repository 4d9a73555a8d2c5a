"""`test_leaks`: drops a completion that is a test row, by its id or because it asks the same question."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Known


def drops(candidate: Candidate, known: Known) -> bool:
    return known.held_out.has(candidate.completion, candidate.input_key)
