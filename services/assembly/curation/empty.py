"""`empty`: drops an answer without text and without tool calls."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Known


def drops(candidate: Candidate, known: Known) -> bool:  # noqa: ARG001
    return not candidate.message.get("content") and not candidate.message.get("tool_calls")
