"""`test_conversations`: drops a completion with a test row in its conversation: as its beginning, or in its group."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Known


def drops(candidate: Candidate, known: Known) -> bool:
    return known.held_out.has_conversation(candidate.completion, candidate.prefix_keys)
