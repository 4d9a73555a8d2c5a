"""`test_leaks`: drops a completion that is a test row, by its id or because it asks the same question."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Finding, Known


def judge(candidate: Candidate, settings: None, known: Known) -> Finding | None:  # noqa: ARG001
    rows = known.held_out.rows_of(candidate.completion, candidate.input_key)
    if not rows:
        return None
    reason = "It is a test row." if candidate.completion.id in rows else "It asks what a test row asks."
    return Finding(reason, rows, 1.0)
