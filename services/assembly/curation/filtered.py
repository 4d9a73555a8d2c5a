"""`filtered`: drops an answer that the provider's filter cut off."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Known


def drops(candidate: Candidate, known: Known) -> bool:  # noqa: ARG001
    return candidate.finish_reason == "content_filter"
