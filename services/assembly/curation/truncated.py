"""`truncated`: drops an answer that was cut off at its limit of tokens."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Known


def drops(candidate: Candidate, known: Known) -> bool:  # noqa: ARG001
    return candidate.finish_reason == "length"
