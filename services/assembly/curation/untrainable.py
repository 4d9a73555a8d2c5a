"""`untrainable`: drops a completion that no chat completion can say, as captured responses with other items are."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Known


def drops(candidate: Candidate, known: Known) -> bool:  # noqa: ARG001
    return bool(candidate.completion.untrainable)
