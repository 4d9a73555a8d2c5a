"""`empty`: drops an answer without text and without tool calls."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Known
from completions.messages import calls_of, text_of


def drops(candidate: Candidate, known: Known) -> bool:  # noqa: ARG001
    return not text_of(candidate.message.get("content")) and not calls_of(candidate.message)
