"""`test_leaks`: drops a completion that is a test row, by its id or because it asks the same question."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Known


def drops(candidate: Candidate, known: Known) -> bool:
    return candidate.completion.id in known.test_ids or candidate.input_key in known.test_inputs
