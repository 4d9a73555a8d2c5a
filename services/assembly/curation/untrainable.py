"""`untrainable`: drops a completion that no chat completion can say, as captured responses with other items are."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Finding, Known


def judge(candidate: Candidate, settings: None, known: Known) -> Finding | None:  # noqa: ARG001
    reason = candidate.completion.untrainable
    return Finding(f"No chat completion says what it says: {reason}") if reason else None
