"""`test_conversations`: drops a completion with a test row in its conversation: as its beginning, or in its group."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Finding, Known


def judge(candidate: Candidate, settings: None, known: Known) -> Finding | None:  # noqa: ARG001
    rows = known.held_out.conversation_of(candidate.completion, candidate.prefix_keys)
    return Finding("A test row stands inside its conversation, or in its group.", rows) if rows else None
