"""`truncated`: drops an answer that was cut off or filtered; one without a finish_reason counts as whole."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Known


def drops(candidate: Candidate, known: Known) -> bool:  # noqa: ARG001
    return candidate.finish_reason not in {"stop", "tool_calls", None}
